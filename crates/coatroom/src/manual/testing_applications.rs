//! How to test what stands on sessions (feature `test-util`).
//!
//! | you need | take |
//! |---|---|
//! | a visitor with a cookie jar | [`testing::Client`](crate::testing::Client) over your router, without a network |
//! | a visitor who is signed in | [`Client::signed_in`](crate::testing::Client::signed_in), or [`testing::signed_in`](crate::testing::signed_in) for the id |
//! | a client whose id comes in a header | [`Client::with_id_header`](crate::testing::Client::with_id_header) |
//! | time that passes when you say so | [`ManualClock`](crate::ManualClock); keep a clone of its `Arc` |
//! | expiries that happen when you say so | [`sweep_every(None)`](crate::SessionManagerBuilder::sweep_every) and [`sweep`](crate::SessionManager::sweep) |
//! | a store that fails, waits, or loses its answer | [`store::FaultyStore`](crate::store::FaultyStore) |
//! | to look at what a handler wrote | [`of`](crate::SessionManager::of) or [`list`](crate::SessionManager::list), then [`open_locator`](crate::SessionManager::open_locator) |
//! | no async runtime | [`Wait`](crate::Wait) |
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "test-util"))] {
//! use std::sync::Arc;
//!
//! use axum::{Router, routing::post};
//! use coatroom::testing::Client;
//! use coatroom::{ManualClock, MemoryStore, Session, SessionError, SessionManager, Slot, Wait};
//!
//! const NOTE: Slot<String> = Slot::new("note");
//!
//! async fn note(session: Session, text: String) -> Result<(), SessionError> {
//!     session.set(NOTE, &text)
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = Arc::new(ManualClock::new());
//! let sessions = SessionManager::builder(MemoryStore::new()).clock(clock).sweep_every(None).build()?;
//! let app: Router = Router::new().route("/note", post(note)).layer(sessions.layer());
//!
//! let mut alice = Client::new(app).signed_in(&sessions, "alice").wait()?;
//! alice.post("/note", "fold the coats").wait();
//!
//! let locator = sessions.of("alice").wait()?[0].locator;
//! let session = sessions.open_locator(&locator).wait()?.ok_or("gone")?;
//! assert_eq!(session.get(NOTE)?.as_deref(), Some("fold the coats"));
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! Two requests at once need no threads: open the session twice, change both, commit both, as
//! [`concurrency`](super::concurrency) shows. To stop a request between its load and its commit, hold the
//! commit at a [`Gate`](crate::store::Gate) of the faulty store.
