//! What logs, metrics, events and errors say.
//!
//! # Logs
//!
//! Through `tracing`, with targets that begin with `coatroom`. They show locators and principals, never an id or a value.
//!
//! | level | says |
//! |---|---|
//! | error | a request's session failed with a 5xx; a layer is missing; a listener panicked; the embedded store is in trouble |
//! | warn | a handler's session call failed; a limit refused a commit or a login, with the limit; going on without a session; a listener failed; sweeping fails, or works again, each told once |
//! | info | renewed and ended sessions; a commit that another request was before; a suspicious id |
//! | debug | created, confirmed, evicted and expired sessions |
//!
//! # Metrics
//!
//! With the feature `metrics`, through the facade of that name:
//!
//! | name | kind | label |
//! |---|---|---|
//! | `coatroom_events_total` | counter | `event`: created, confirmed, renewed, ended, expired, evicted, suspicious |
//! | `coatroom_commits_total` | counter, `update`s among them | `outcome`: landed, unchanged, failed |
//! | `coatroom_record_bytes` | histogram of what was committed | |
//!
//! # Events
//!
//! One [`Listener`](crate::Listener) hears all. It runs on the thread on which the event happened, so it
//! should be quick; a panic in it is caught. What has expired or was evicted comes with its data:
//!
//! ```
//! use coatroom::{Event, MemoryStore, SessionManager, Slot};
//!
//! const CART: Slot<Vec<String>> = Slot::new("shop.cart");
//!
//! let sessions = SessionManager::builder(MemoryStore::new())
//!     .on_event(|event: &Event<'_>| match event {
//!         Event::Expired(session) => {
//!             let things = session.get(CART).ok().flatten().map_or(0, |cart| cart.len());
//!             println!("{} left {things} things behind", session.info().locator);
//!         }
//!         Event::Suspicious { reason, .. } => println!("an odd id: {reason:?}"),
//!         _ => {}
//!     })
//!     .build()?;
//! # Ok::<(), coatroom::ConfigError>(())
//! ```
//!
//! # Errors and their answers
//!
//! | error | status | what to do |
//! |---|---|---|
//! | [`Conflict`](crate::SessionError::Conflict), [`Contended`](crate::SessionError::Contended), [`Gone`](crate::SessionError::Gone), [`Superseded`](crate::SessionError::Superseded) | 409 | the client sends the request again |
//! | [`PrincipalEnded`](crate::SessionError::PrincipalEnded), [`TooManySessions`](crate::SessionError::TooManySessions) | 409 | sign in again; end a session first |
//! | [`RecordTooLarge`](crate::SessionError::RecordTooLarge), [`NamesTooLong`](crate::SessionError::NamesTooLong), [`TooManyAttributes`](crate::SessionError::TooManyAttributes), [`ValueError::TooLarge`](crate::ValueError::TooLarge) | 413 | keep large things elsewhere, and their name in the session |
//! | [`Store`](crate::SessionError::Store), [`Entropy`](crate::SessionError::Entropy) | 503, with `Retry-After` | look at the store; its message names the path and the remedy |
//! | [`ValueError::Decode`](crate::ValueError::Decode) | 500 | a deploy changed a type: take another slot name, or remove the attribute |
//! | [`ValueError::Encode`](crate::ValueError::Encode) | 500 | the value's `Serialize` failed; its words may quote the value, so they are in no message: serialize such a value in a test to hear them |
//! | the rest | 500 | a fault of the program; the message says which |
//!
//! The layer answers what it meets itself, a load or commit that fails, by
//! [`on_error`](crate::SessionManagerBuilder::on_error), and so what a handler returns as a `SessionError`.
//! Then nothing that the handler deferred is kept, whatever the status. Where a handler has an error type
//! of its own that one has the word; with [`RollBack`](crate::RollBack) its responses leave the session as
//! it was, too.
//!
//! # Is it well?
//!
//! [`check`](crate::SessionManager::check) asks the store, for a health check.
//! [`count`](crate::SessionManager::count) and [`list`](crate::SessionManager::list) are for operators, not
//! for requests. Before a planned end, drop the manager and the store, which bring everything to the disk;
//! [`flush`](crate::SessionManager::flush) does it in between.
