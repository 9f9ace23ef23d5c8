//! Time as the library sees it: one injected clock, whole milliseconds.

use std::fmt;
use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point that never comes: the deadline of a session without one.
    pub const NEVER: Self = Self(u64::MAX);

    /// The point this many milliseconds after 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to here, zero if that lies behind.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// Saturates at [`Timestamp::NEVER`].
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl From<Timestamp> for SystemTime {
    /// [`Timestamp::NEVER`] has no `SystemTime`; it becomes the farthest whole second below it.
    fn from(timestamp: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(timestamp.0.min(i64::MAX as u64))
    }
}

/// Whole milliseconds of a duration, saturating: `Duration::MAX` stands for "no limit".
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Where the time comes from. A manager has one, and nothing in the library asks any other.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now. May stand still or jump; a jump backwards never lengthens a session's
    /// lifetime, since deadlines are absolute.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine, to the scheduler's tick (1 to 10 ms on Linux), which is far finer than
/// any timeout and five times cheaper than the precise one.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[cfg(target_os = "linux")]
    fn now(&self) -> Timestamp {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
        let millis = time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000);
        Timestamp(u64::try_from(millis).unwrap_or(0))
    }

    #[cfg(not(target_os = "linux"))]
    fn now(&self) -> Timestamp {
        Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis))
    }
}

/// The clock of a manager, corrected by that of its store's server.
#[derive(Debug)]
pub(crate) struct CorrectedClock {
    clock: Arc<dyn Clock>,
    /// How far the server is ahead, in milliseconds.
    ahead: AtomicI64,
}

impl CorrectedClock {
    pub(crate) fn new(clock: Arc<dyn Clock>, server_time: Timestamp) -> Self {
        let corrected = Self { clock, ahead: AtomicI64::new(0) };
        corrected.correct(server_time);
        corrected
    }

    /// Takes down how far the server is ahead now.
    pub(crate) fn correct(&self, server_time: Timestamp) {
        let ahead = server_time.0.wrapping_sub(self.clock.now().0).cast_signed();
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

impl Clock for CorrectedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now().0.saturating_add_signed(self.ahead.load(Ordering::Relaxed)))
    }
}

/// A clock that stands still until it is moved: for tests.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use coatroom::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().since(before), Duration::from_secs(60));
/// ```
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that starts at 2030-01-01 00:00 UTC.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU64::new(1_893_456_000_000))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Puts the clock anywhere, backwards too.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrected_clock_shows_the_servers_time_until_it_is_corrected_again() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        for (local, server) in [(0, 5), (5, 0)] {
            let clock = Arc::new(ManualClock::new());
            let noon = clock.now();
            clock.set(noon + minutes(local));
            let corrected = CorrectedClock::new(clock.clone(), noon + minutes(server));
            clock.advance(minutes(1));
            assert_eq!(corrected.now(), noon + minutes(server + 1));
            corrected.correct(noon + minutes(30));
            assert_eq!(corrected.now(), noon + minutes(30));
        }
    }
}
