//! Server-side web sessions that lose nothing.

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

pub use self::clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use self::codec::{Place, Sealer};
pub use self::config::{AtLimit, ConfigError};
#[cfg(feature = "tower")]
pub use self::cookie::{CookieOptions, CookieOptionsError, Presented, SameSite, SessionCookie};
pub use self::engine::Swept;
pub use self::error::{SessionError, StoreError, ValueError};
pub use self::event::{Event, Listener, ListenerError, Suspicion};
pub use self::id::{EntropyError, InvalidLocator, Key, Locator, Namespace, SessionId};
#[cfg(feature = "axum")]
pub use self::layer::SessionRejection;
#[cfg(feature = "tower")]
pub use self::layer::{
    ErrorResponse, IdSource, Passive, PassiveLayer, SessionFuture, SessionHandle, SessionLayer,
    SessionService,
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
