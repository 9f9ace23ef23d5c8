//! What a manager can be told, with its defaults, checked once.

use std::time::Duration;

use crate::id::Namespace;
use crate::slot::OnConflict;

/// The limits and rules of a manager, set through its builder.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) namespace: Namespace,
    pub(crate) idle_timeout: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) unconfirmed_timeout: Option<Duration>,
    pub(crate) on_conflict: OnConflict,
    pub(crate) cap: Option<Cap>,
    pub(crate) max_attributes: usize,
    pub(crate) max_value_bytes: usize,
    pub(crate) max_record_bytes: usize,
}

/// How many sessions a principal may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    pub(crate) limit: usize,
    pub(crate) at_limit: AtLimit,
}

/// What a login does when the principal has as many sessions as it may (OWASP ASVS 7.1.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AtLimit {
    /// The principal's oldest logins end. Of more logins at one moment than the cap allows, those
    /// beyond it fail with [`SessionError::TooManySessions`](crate::SessionError::TooManySessions).
    EndOldest,
    /// The login fails with [`SessionError::TooManySessions`](crate::SessionError::TooManySessions).
    Refuse,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            namespace: Namespace::new(""),
            idle_timeout: Duration::from_secs(20 * 60),
            lifetime: Duration::from_secs(12 * 3_600),
            unconfirmed_timeout: Some(Duration::from_secs(10 * 60)),
            on_conflict: OnConflict::LaterWins,
            cap: None,
            max_attributes: 1_024,
            max_value_bytes: 256 * 1_024,
            max_record_bytes: 1_024 * 1_024,
        }
    }
}

/// A setting that cannot hold.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The cookie options contradict each other or a rule of the browsers.
    #[cfg(feature = "tower")]
    #[error(transparent)]
    Cookie(#[from] crate::cookie::CookieOptionsError),
    /// The header of the header source is not a header name, or that of a header with another meaning.
    #[error("{name:?} cannot carry session ids; use a header of its own, such as \"x-session\"")]
    InvalidHeader {
        /// What was given.
        name: String,
    },
    /// A number lies outside its range.
    #[error("{setting} is {value}, outside its range of {range}")]
    OutOfRange {
        /// Which setting.
        setting: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        range: &'static str,
    },
    /// The sweeper's thread cannot be started.
    #[error("starting the sweeper's thread failed: {reason}; free some threads, or sweep by hand")]
    Sweeper {
        /// What the operating system says.
        reason: String,
    },
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        check_timeout("idle_timeout", Some(self.idle_timeout), SHORTEST_TIMEOUT)?;
        check_timeout("lifetime", Some(self.lifetime), SHORTEST_TIMEOUT)?;
        check_timeout("unconfirmed_timeout", self.unconfirmed_timeout, SHORTEST_TIMEOUT)?;
        let in_range = |setting, value: usize, low: usize, high: usize, range| {
            let out = || ConfigError::OutOfRange { setting, value: value.to_string(), range };
            (low..=high).contains(&value).then_some(()).ok_or_else(out)
        };
        in_range(
            "max_sessions_per_principal",
            self.cap.map_or(1, |cap| cap.limit),
            1,
            usize::MAX,
            "1 and more",
        )?;
        in_range("max_attributes", self.max_attributes, 1, 65_535, "1 to 65,535")?;
        in_range("max_value_bytes", self.max_value_bytes, 64, 64 << 20, "64 bytes to 64 MiB")?;
        in_range("max_record_bytes", self.max_record_bytes, 1_024, 256 << 20, "1 KiB to 256 MiB")
    }
}

/// The shortest of some durations, and how it is written.
pub(crate) type Shortest = (Duration, &'static str);

const SHORTEST_TIMEOUT: Shortest = (Duration::from_secs(1), "1 s and more");

/// A shorter interval would have the sweeper do nothing but look.
pub(crate) const SHORTEST_SWEEP: Shortest = (Duration::from_millis(1), "1 ms and more");

pub(crate) fn check_timeout(
    setting: &'static str,
    timeout: Option<Duration>,
    (shortest, range): Shortest,
) -> Result<(), ConfigError> {
    match timeout.filter(|timeout| *timeout < shortest) {
        Some(timeout) => Err(ConfigError::OutOfRange { setting, value: format!("{timeout:?}"), range }),
        None => Ok(()),
    }
}
