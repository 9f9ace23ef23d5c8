use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::clock::Timestamp;

/// What the clock of a store's server shows, as of its latest reading, carried on by the monotonic
/// clock of this machine, which nobody sets.
#[derive(Debug, Default)]
pub(in crate::store) struct ServerClock(Mutex<Option<Reading>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    shown: Timestamp,
    at: Instant,
}

impl ServerClock {
    /// Takes down what the server's clock showed at some moment after `asked` and before now: the
    /// middle is assumed.
    pub(in crate::store) fn read(&self, shown: Timestamp, asked: Instant) {
        let at = asked + asked.elapsed() / 2;
        *self.0.lock() = Some(Reading { shown, at });
    }

    /// The server's time now; `None` until its clock was read once.
    pub(in crate::store) fn time(&self) -> Option<Timestamp> {
        self.0.lock().map(|reading| reading.shown + reading.at.elapsed())
    }
}

/// How often stores read the clock of their server.
pub(in crate::store) const READ_EVERY: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_clock_goes_on_after_it_was_read() {
        let clock = ServerClock::default();
        assert_eq!(clock.time(), None);
        let noon = Timestamp::from_millis(1_893_499_200_000);
        let Some(asked) = Instant::now().checked_sub(Duration::from_secs(2)) else { return };
        clock.read(noon, asked);
        assert!(clock.time().unwrap() >= noon + Duration::from_millis(999));
    }
}
