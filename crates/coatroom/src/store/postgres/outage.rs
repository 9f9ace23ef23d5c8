//! What is known of a server that cannot be reached, so that no call has to find it out anew.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::connect::Refusal;

/// Between two attempts while they fail. Each costs a server that is starting a process, so they must
/// not come as often as calls do.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(super) struct Outage(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    refusal: Refusal,
    until: Instant,
}

impl Outage {
    /// Why there is no connection to be had; `None` for who is to try. That is everybody while there
    /// is no outage, and one in each pause while there is.
    pub(super) fn refusal(&self, now: Instant) -> Option<Refusal> {
        let mut known = self.0.lock();
        let known = known.as_mut()?;
        if now < known.until {
            return Some(known.refusal.clone());
        }
        known.until = now + PAUSE;
        None
    }

    /// What became of an attempt.
    pub(super) fn tried(&self, refusal: Option<&Refusal>, now: Instant) {
        let lasts = refusal.filter(|refusal| !refusal.is_for_want_of_places());
        *self.0.lock() = lasts.map(|refusal| Known { refusal: refusal.clone(), until: now + PAUSE });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_an_outage_one_call_in_each_pause_tries_again() {
        let (outage, start) = (Outage::default(), Instant::now());
        assert!(outage.refusal(start).is_none() && outage.refusal(start).is_none());
        outage.tried(Some(&Refusal::TimedOut), start);
        assert!(outage.refusal(start).is_some());
        assert!(outage.refusal(start + PAUSE).is_none());
        assert!(outage.refusal(start + PAUSE).is_some(), "another one is at it");
        assert!(outage.refusal(start + 2 * PAUSE).is_none(), "it may never hear");
        outage.tried(None, start + PAUSE);
        assert!(outage.refusal(start + PAUSE).is_none());
    }
}
