//! Server-side web sessions that lose nothing.
//!
//! Coatroom keeps what your visitors leave with you and gives it back to whoever holds the ticket.
//! The browser holds an id in a cookie; the data stays with you, in a [store]. Parallel
//! requests of one visitor lose nothing of each other's changes, a session that was ended stays
//! ended whatever a slow request still holds, and a restart forgets nobody.
//!
//! # Twenty lines
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::{Router, routing::post};
//! use coatroom::{MemoryStore, Session, SessionError, SessionManager, Slot};
//!
//! const CART: Slot<Vec<String>> = Slot::new("shop.cart");
//! const VISITS: Slot<u64> = Slot::new("visits");
//!
//! async fn add(session: Session, sku: String) -> Result<String, SessionError> {
//!     session.edit(CART, move |cart| cart.push(sku.clone()))?; // deferred: part of this request
//!     let n = session.update(VISITS, |n| n + 1).await?; // immediate and atomic, in every store
//!     Ok(format!("visit {n}, {} things", session.get(CART)?.unwrap_or_default().len()))
//! }
//! async fn sign_in(session: Session) -> Result<(), SessionError> {
//!     session.login("alice") // after checking the password: a new secret, the same data
//! }
//! async fn sign_out(session: Session) -> Result<(), SessionError> {
//!     session.logout().await // gone at once, everywhere
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sessions = SessionManager::builder(MemoryStore::new()).build()?;
//! let app: Router = Router::new()
//!     .route("/cart", post(add))
//!     .route("/sign-in", post(sign_in))
//!     .route("/sign-out", post(sign_out))
//!     .layer(sessions.layer());
//! # drop(app);
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! # The parts
//!
//! | you want to | take |
//! |---|---|
//! | read and change a visitor's session in a handler | [`Session`], as an argument |
//! | name an attribute and its type, and say how two changes of it merge | [`Slot`] |
//! | open, list and end sessions, also without HTTP | [`SessionManager`] |
//! | choose where they are kept | [`EmbeddedStore`], [`MemoryStore`], or a server that many machines share: [how to choose](manual::choosing_a_store) |
//! | let an operator choose | [`store::StoreUrl`] |
//! | set name, domain and lifetime of the cookie | [`CookieOptions`] |
//! | keep polling from extending a session | [`PassiveLayer`] |
//! | hear of logins, expiries and forged ids | [`Event`], [`Listener`] |
//! | encrypt values before they reach the store | [`Slot::sealed`], [`Sealer`] |
//! | use sessions in another tower service than axum's | [`SessionHandle`] |
//! | do without an async runtime | [`Wait`] |
//! | test your application | [`testing`], [`ManualClock`] |
//!
//! The [manual] says what holds when requests race, what each default is and why, and which attack
//! is answered by what. The examples in the repository run by themselves, one for each part.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `axum` | yes | [`Session`] as an extractor; `tower` with it |
//! | `embedded` | yes | [`EmbeddedStore`], in files of this machine |
//! | `redis` | | [`store::RedisStore`], for many machines: Redis, Valkey or a Cluster of either |
//! | `tower` | with `axum` | the layer, the cookie, [`SessionHandle`] |
//! | `metrics` | | [counters and a histogram](manual::operating) through the `metrics` facade |
//! | `postgres` | | [`store::PostgresStore`], for many machines with one database |
//! | `test-util` | | [`testing`] and [`store::FaultyStore`] for the tests of applications |
//! | `conformance` | | [`store::conformance`]: the tests that every store must pass |
//!
//! Without any of them there remain manager, sessions and the memory store, for use without HTTP.

mod changes;
mod clock;
mod codec;
mod config;
#[cfg(feature = "tower")]
mod cookie;
mod engine;
mod error;
mod event;
mod expiry;
mod id;
#[cfg(feature = "tower")]
mod layer;
mod manager;
pub mod manual;
#[cfg(feature = "metrics")]
mod metrics;
mod record;
mod session;
mod slot;
mod snapshot;
pub mod store;
mod sweeper;
#[cfg(feature = "test-util")]
pub mod testing;
mod wait;
#[cfg(feature = "tower")]
mod web;

pub use self::clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use self::codec::{Place, Sealer};
pub use self::config::{AtLimit, ConfigError};
#[cfg(feature = "tower")]
pub use self::cookie::{CookieOptions, CookieOptionsError, Presented, SameSite, SessionCookie};
pub use self::engine::{Swept, Undo};
pub use self::error::{SessionError, StoreError, ValueError};
pub use self::event::{Event, Listener, ListenerError, Suspicion};
pub use self::id::{EntropyError, InvalidLocator, Key, Locator, Namespace, SessionId};
#[cfg(feature = "axum")]
pub use self::layer::{FailedLoad, SessionRejection};
#[cfg(feature = "tower")]
pub use self::layer::{
    Passive, PassiveLayer, PassiveService, SessionFuture, SessionHandle, SessionLayer, SessionService,
};
pub use self::manager::{SessionManager, SessionManagerBuilder};
pub use self::record::{Activity, RawValue, Record, RecordError, ValueFormat};
pub use self::session::{Session, TryUpdateError};
pub use self::slot::{MergeFn, OnConflict, Slot};
pub use self::snapshot::{SessionInfo, Snapshot};
#[cfg(feature = "embedded")]
pub use self::store::EmbeddedStore;
pub use self::store::{MemoryStore, Store};
pub use self::wait::Wait;
#[cfg(feature = "tower")]
pub use self::web::{ErrorResponse, IdSource, RollBack};

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
