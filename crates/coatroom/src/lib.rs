//! Server-side web sessions that lose nothing.

mod clock;
mod error;
mod expiry;
mod id;
mod record;
pub mod store;

pub use self::clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use self::error::{SessionError, StoreError, ValueError};
pub use self::id::{EntropyError, InvalidLocator, Key, Locator, Namespace, SessionId};
pub use self::record::{Activity, RawValue, Record, RecordError, ValueFormat};
pub use self::store::Store;
