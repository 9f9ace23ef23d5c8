use super::{LATENESS, Sample, Seen};
use crate::clock::Timestamp;
use crate::record::Record;

/// A record as the model holds it.
#[derive(Debug)]
pub(super) struct Held {
    /// Nobody else has it, so only the model moves its activity.
    pub(super) record: Record,
    pub(super) lease: Lease,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lease {
    None,
    Until(Timestamp),
    /// The store was reopened; it may have forgotten the lease.
    Perhaps(Timestamp),
}

impl Held {
    pub(super) fn new(sample: &Sample) -> Self {
        Self { record: sample.record(), lease: Lease::None }
    }

    pub(super) fn seen(&self) -> Seen {
        Seen::from(&self.record)
    }

    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.record.is_live(now)
    }

    /// As a commit does, which merges the activities.
    pub(super) fn replace(&mut self, sample: &Sample) {
        let new = sample.record();
        new.touch(self.record.activity());
        self.record = new;
    }

    pub(super) fn doubt_lease(&mut self) {
        if let Lease::Until(until) = self.lease {
            self.lease = Lease::Perhaps(until);
        }
    }

    pub(super) fn may_be_claimed(&self, now: Timestamp) -> bool {
        !self.is_live(now) && !matches!(self.lease, Lease::Until(until) if now < until)
    }

    pub(super) fn must_be_claimed(&self, now: Timestamp) -> bool {
        let free = match self.lease {
            Lease::None => true,
            Lease::Until(until) | Lease::Perhaps(until) => until + LATENESS <= now,
        };
        free && self.record.expires_at() + LATENESS <= now
    }
}
