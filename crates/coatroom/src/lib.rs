//! Server-side web sessions that lose nothing.

mod clock;
#[cfg(feature = "tower")]
mod cookie;
mod error;
mod expiry;
mod id;
mod record;
pub mod store;

pub use self::clock::{Clock, ManualClock, SystemClock, Timestamp};
#[cfg(feature = "tower")]
pub use self::cookie::{CookieOptions, CookieOptionsError, Presented, SameSite, SessionCookie};
pub use self::error::{SessionError, StoreError, ValueError};
pub use self::id::{EntropyError, InvalidLocator, Key, Locator, Namespace, SessionId};
pub use self::record::{Activity, RawValue, Record, RecordError, ValueFormat};
pub use self::store::Store;
