//! What becomes of two requests that change one session at once.
//!
//! A browser sends many requests at a time, and each sees the session as it was when it loaded it.
//! These rules say what is kept. They hold in every store, between threads, processes and machines
//! that share one.
//!
//! # Deferred and immediate
//!
//! *Deferred* changes ([`set`](crate::Session::set), [`remove`](crate::Session::remove),
//! [`clear`](crate::Session::clear), [`take`](crate::Session::take),
//! [`edit`](crate::Session::edit), [`login`](crate::Session::login),
//! [`renew`](crate::Session::renew)) belong to the request: they are committed together, once, when
//! the handler has answered and before the headers leave. A handler that fails, with an error, a
//! panic or a status of 500 and above, leaves the session as it was.
//!
//! *Immediate* ones ([`update`](crate::Session::update), [`save`](crate::Session::save),
//! [`logout`](crate::Session::logout), ending sessions through the manager) hold as soon as the call
//! has returned, whatever the handler then does.
//!
//! # Different attributes never collide
//!
//! A commit replaces the record only if nobody else has meanwhile. Otherwise it starts again from the
//! newest record and replays this request's changes on it.
//!
//! ```
//! use coatroom::{MemoryStore, SessionManager, Slot, Wait};
//!
//! const A: Slot<u64> = Slot::new("a");
//! const B: Slot<u64> = Slot::new("b");
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sessions = SessionManager::builder(MemoryStore::new()).build()?;
//! # let (id, session) = sessions.create()?;
//! # sessions.commit(&session).wait()?;
//! let one = sessions.open(&id).wait()?.ok_or("gone")?; // two requests,
//! let two = sessions.open(&id).wait()?.ok_or("gone")?; // loaded at the same time
//! one.set(A, &1)?;
//! two.set(B, &2)?;
//! sessions.commit(&one).wait()?;
//! sessions.commit(&two).wait()?;
//!
//! let after = sessions.open(&id).wait()?.ok_or("gone")?;
//! assert_eq!((after.get(A)?, after.get(B)?), (Some(1), Some(2)));
//! # Ok(())
//! # }
//! ```
//!
//! # The same attribute
//!
//! | changed by | the later commit |
//! |---|---|
//! | `edit` | runs its closure again, on the newer value: nothing is lost |
//! | `update` | is atomic at once: nothing is lost |
//! | `set` or `remove` of a slot with a [merge function](crate::Slot::merge) | merges base, theirs and ours |
//! | `set` or `remove` | wins; with [`OnConflict::Reject`](crate::OnConflict::Reject) it fails, and nothing of that request is kept |
//! | `clear` | removes what is there then |
//!
//! "Changed" is seen by comparing the encoded value with the one this request first saw; absence is a
//! value like any other, and setting what is there already is no change. Encodings that have no fixed
//! order, such as that of a `HashMap`, look changed when they are not: prefer `BTreeMap`.
//!
//! **A `get` followed by a `set` of what was computed from it protects nothing.** Two requests that
//! both read 5 both write 6. Use `edit` or `update`:
//!
//! ```
//! # use coatroom::{Session, SessionError, Slot};
//! # const POINTS: Slot<u64> = Slot::new("points");
//! async fn lost(session: &Session) -> Result<(), SessionError> {
//!     let points = session.get(POINTS)?.unwrap_or(0);
//!     session.set(POINTS, &(points + 1)) // another request may have added one meanwhile
//! }
//! async fn kept(session: &Session) -> Result<(), SessionError> {
//!     session.edit(POINTS, |points| *points += 1) // with this request, or not at all
//! }
//! async fn kept_at_once(session: &Session) -> Result<u64, SessionError> {
//!     session.update(POINTS, |points| points + 1).await // and the new value is known
//! }
//! ```
//!
//! An `edit` that follows a `set` of the same attribute in one request is part of what was set. An
//! `update` of an attribute that has a deferred change is refused
//! ([`DeferredChange`](crate::SessionError::DeferredChange)), since its order would be anybody's guess.
//! Closures of `edit` and `update` may run more than once: make them pure functions of the value.
//!
//! # What is dead stays dead
//!
//! No write path can create what is not there, but the one that creates a session. A request that
//! still holds a session which was ended, evicted or has expired meanwhile gets
//! [`Gone`](crate::SessionError::Gone) at its commit, answered with 409; nothing comes back. A
//! [`keyed`](crate::SessionManager::keyed) session is no exception for a request that had loaded it.
//!
//! # Logins
//!
//! A login replaces the secret in the same record. The old one opens nothing from then on.
//!
//! - A request that began before the login may still commit its data, also by `update` and `save`; it
//!   never changes whose the session is. If it tries to sign in or renew, then or later, it gets
//!   [`Superseded`](crate::SessionError::Superseded). It goes on seeing the session as it was before the
//!   login, with what it wrote itself and nothing that came since, and no cookie of it goes out. What
//!   it may meet of the newer data is the one attribute that an `edit`, an `update` or a merge of its
//!   own is about. It may end the session. An event stream or websocket that is to go on after a login
//!   opens its session again.
//! - A request that *comes* with the old secret within 60 s of the login is a straggler of the same
//!   browser: it reads an empty session, a write of it is `Superseded` (409), and its response sets no
//!   cookie, so that it cannot overwrite the new one. Later the old secret is as good as unknown.
//! - A [`keyed`](crate::SessionManager::keyed) session has no secret. Of two principals that sign in on one
//!   at once the later gets `Superseded`, so that neither is handed the data of the other.
//! - If the response with the new cookie is lost, the visitor signs in again.
//! - A login that races [`end_all`](crate::SessionManager::end_all) of its principal loses
//!   ([`PrincipalEnded`](crate::SessionError::PrincipalEnded)), so that "sign out everywhere" leaves
//!   nobody in.
//!
//! # Failing stores
//!
//! A commit that the store did not accept never becomes a success: the response is replaced by the
//! configured error (503 by default), and no cookie is set. Where only the answer was lost, the record
//! tells by a number that each commit draws whether it had landed, so nothing is applied twice.
//!
//! Dropping a future, as a server does when a client hangs up, leaves the record as before or as after
//! its work, never between.
//!
//! # After the response
//!
//! Once the headers have left, a change would be lost, so it is an error
//! ([`AfterResponse`](crate::SessionError::AfterResponse)). A handler that goes on, for an event stream
//! or a websocket, detaches its session first and saves each change:
//!
//! ```
//! # use coatroom::{Session, SessionError, Slot};
//! # const SEEN: Slot<u64> = Slot::new("seen");
//! async fn stream(session: Session) -> Result<(), SessionError> {
//!     let session = session.detach();
//!     // … answered, and streaming:
//!     session.edit(SEEN, |seen| *seen += 1)?;
//!     session.save().await
//! }
//! ```
