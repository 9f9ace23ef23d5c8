//! When a session ends, and what extends it.
//!
//! # Three limits
//!
//! A session is dead from the first of these on, whether it was swept or not, and all are kept by the
//! server; the cookie's own dates decide nothing (OWASP ASVS 7.3.1, 7.3.2; NIST SP 800-63B-4
//! section 5.2).
//!
//! | limit | default | counts from | is extended by |
//! |---|---|---|---|
//! | [idle timeout](crate::SessionManagerBuilder::idle_timeout) | 20 min | the last access | any request that loads the session |
//! | [lifetime](crate::SessionManagerBuilder::lifetime) | 12 h | creation | a login, which begins it anew; nothing else |
//! | [unconfirmed timeout](crate::SessionManagerBuilder::unconfirmed_timeout) | 10 min | creation | ends to matter once the id was brought back |
//!
//! The third is for robots and clients without cookies, which leave a session behind with each
//! request. One made by [`create`](crate::SessionManager::create) or a key is not subject to it.
//!
//! A session may have limits of its own: [`set_idle_timeout`](crate::Session::set_idle_timeout),
//! [`set_lifetime`](crate::Session::set_lifetime). "Remember me" is both and a cookie that outlives the
//! browser:
//!
//! ```
//! # use coatroom::{Session, SessionError};
//! use std::time::Duration;
//!
//! const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
//!
//! fn remember(session: &Session) -> Result<(), SessionError> {
//!     session.set_idle_timeout(MONTH)?;
//!     session.set_lifetime(MONTH)?;
//!     session.set_persistent(true)
//! }
//! ```
//!
//! # Activity
//!
//! A request that takes its session is activity, reading alone too; one whose handler takes none is
//! not. Polling would keep a session alive for ever: put a [`PassiveLayer`](crate::PassiveLayer) around
//! such routes. Whatever holds a session longer than a request, such as a websocket, says itself that its
//! user is there: [`Session::touch`](crate::Session::touch).
//!
//! The last access is written at most once in a *touch interval*, a twentieth of the idle timeout and a
//! minute at most, and never raises the revision. So a session may end up to that much early, and never
//! late.
//!
//! # The clock
//!
//! All time comes from the manager's [`Clock`](crate::Clock), in whole milliseconds since 1970. Deadlines
//! are points in time: a clock that is set back lengthens no lifetime, one that is set forward ends
//! sessions. Machines that share a store on a server follow the clock of that server
//! ([`follow_store_clock`](crate::SessionManagerBuilder::follow_store_clock)), so they agree on every
//! deadline however far their own clocks are apart.
//!
//! # Sweeping
//!
//! A thread of the manager looks once a second for what has expired, takes it out in small steps, hands
//! each with its data to the [listener](crate::Listener) as [`Event::Expired`](crate::Event::Expired),
//! and deletes it then. A listener that fails, or a process that dies, has it delivered again after a
//! minute: at least once, and twice only then. Expiry is heard of some 30 seconds late at most.
