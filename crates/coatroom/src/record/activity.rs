use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Timestamp;

/// What changes about a session without a commit: when it was last accessed, and whether it was
/// ever presented back.
///
/// Eight bytes beside the record's own, so that a touch rewrites nothing and raises no revision.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Activity {
    /// The last access, to within the touch interval.
    pub last_accessed: Timestamp,
    /// Whether a client ever brought the session's id back.
    pub confirmed: bool,
}

impl Activity {
    const CONFIRMED: u64 = 1 << 63;

    /// Both in one number: bit 63 is `confirmed`, the bits below are milliseconds.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        let millis = self.last_accessed.as_millis() & !(Self::CONFIRMED | SharedActivity::CLAIMED);
        millis | if self.confirmed { Self::CONFIRMED } else { 0 }
    }

    /// The inverse of [`Activity::to_bits`].
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let millis = bits & !(Self::CONFIRMED | SharedActivity::CLAIMED);
        Self { last_accessed: Timestamp::from_millis(millis), confirmed: bits & Self::CONFIRMED != 0 }
    }

    /// The later access of the two, confirmed if either is.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            last_accessed: self.last_accessed.max(other.last_accessed),
            confirmed: self.confirmed || other.confirmed,
        }
    }
}

/// An activity that all clones of a record share, and the mark of a sweep that claimed it.
#[derive(Debug)]
pub(crate) struct SharedActivity(AtomicU64);

impl SharedActivity {
    /// Set once the expiry of the record is being reported, so that it is not reported twice.
    const CLAIMED: u64 = 1 << 62;

    pub(crate) fn new(activity: Activity) -> Self {
        Self(AtomicU64::new(activity.to_bits()))
    }

    pub(crate) fn load(&self) -> Activity {
        Activity::from_bits(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn advance(&self, activity: Activity) {
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |bits| {
            let merged = Activity::from_bits(bits).merge(activity).to_bits() | bits & Self::CLAIMED;
            (merged != bits).then_some(merged)
        });
    }

    /// Marks the record as claimed; whether it was not so before.
    pub(crate) fn claim(&self) -> bool {
        self.0.fetch_or(Self::CLAIMED, Ordering::AcqRel) & Self::CLAIMED == 0
    }

    /// Whether a sweep has claimed the record: it is dead then, whatever the time.
    pub(crate) fn is_claimed(&self) -> bool {
        self.0.load(Ordering::Acquire) & Self::CLAIMED != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Activity {
        Activity { last_accessed: Timestamp::from_millis(millis), confirmed: false }
    }

    #[test]
    fn a_record_is_claimed_once_and_no_access_takes_that_back() {
        let activity = SharedActivity::new(at(1));
        assert!(!activity.is_claimed());
        assert!(activity.claim());
        activity.advance(Activity { confirmed: true, ..at(2) });
        assert!(activity.is_claimed() && !activity.claim());
        assert_eq!(activity.load(), Activity { confirmed: true, ..at(2) });
    }

    #[test]
    fn no_time_is_taken_for_a_mark() {
        for millis in [1 << 62, 1 << 63, u64::MAX] {
            assert!(!SharedActivity::new(at(millis)).is_claimed());
            assert!(!Activity::from_bits(at(millis).to_bits()).confirmed);
        }
    }
}
