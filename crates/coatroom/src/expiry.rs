//! When a session ends: pure functions of limits, activity and time.

use crate::clock::Timestamp;
use crate::record::Activity;

/// The limits a record carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) created: Timestamp,
    pub(crate) deadline: Timestamp,
    /// `u64::MAX` for none.
    pub(crate) idle_millis: u64,
    pub(crate) unconfirmed_millis: Option<u64>,
}

/// The nearest of lifetime, idle timeout and, for a session that was never presented back, the
/// unconfirmed timeout.
#[inline]
pub(crate) fn expires_at(limits: &Limits, activity: Activity) -> Timestamp {
    let after =
        |from: Timestamp, millis: u64| Timestamp::from_millis(from.as_millis().saturating_add(millis));
    let nearest = limits.deadline.min(after(activity.last_accessed, limits.idle_millis));
    match limits.unconfirmed_millis {
        Some(timeout) if !activity.confirmed => nearest.min(after(limits.created, timeout)),
        _ => nearest,
    }
}

/// How old the last access must be before a touch is worth writing: a twentieth of the idle
/// timeout, at most a minute. A session may end that much early, and never late.
///
/// In milliseconds, since every load asks.
pub(crate) fn touch_interval(idle_millis: u64) -> u64 {
    (idle_millis / 20).min(60_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn limits() -> Limits {
        Limits {
            created: Timestamp::from_millis(0),
            deadline: Timestamp::from_millis(0) + 60 * MINUTE,
            idle_millis: 20 * 60_000,
            unconfirmed_millis: Some(10 * 60_000),
        }
    }

    fn seen(at: Duration, confirmed: bool) -> Activity {
        Activity { last_accessed: Timestamp::from_millis(0) + at, confirmed }
    }

    #[test]
    fn the_nearest_limit_ends_a_session() {
        let end = |at, confirmed| expires_at(&limits(), seen(at, confirmed)).since(Timestamp::from_millis(0));
        assert_eq!(end(5 * MINUTE, false), 10 * MINUTE);
        assert_eq!(end(5 * MINUTE, true), 25 * MINUTE);
        assert_eq!(end(50 * MINUTE, true), 60 * MINUTE);
    }

    #[test]
    fn a_session_without_limits_never_ends() {
        let limits = Limits {
            deadline: Timestamp::NEVER,
            idle_millis: u64::MAX,
            unconfirmed_millis: None,
            ..limits()
        };
        assert_eq!(expires_at(&limits, seen(MINUTE, true)), Timestamp::NEVER);
    }

    #[test]
    fn touches_are_a_twentieth_apart_and_at_most_a_minute() {
        assert_eq!(touch_interval(10 * 60_000), 30_000);
        assert_eq!(touch_interval(600 * 60_000), 60_000);
        assert_eq!(touch_interval(u64::MAX), 60_000);
    }
}
