//! When the entries of a shard fall due: lazy time slices.
//!
//! An entry is filed once, under the slice of its deadline, as the eight bytes of its hash. A touch
//! leaves it there. When the slice has passed, who asks looks each entry up: dead ones are claimed,
//! living ones filed again, absent ones forgotten. So an entry always lies in the slice of its
//! deadline or in an earlier one.
//!
//! A far deadline is filed up to an eighth of the way early, in a slice it shares with many, so that
//! slices are full however long sessions live. It comes nearer each time it is filed again, in few
//! steps: five for a day.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::id::{Key, Locator, Namespace};

/// Length of a slice: a dead record is found at most this late.
const SLICE_MILLIS: u64 = 4096;

const FIRST_LOCATOR: Locator = Locator::from_bytes([0; 16]);

/// What is filed in one shard.
#[derive(Default)]
pub(in crate::store) struct Slices {
    filed: BTreeMap<(Namespace, u32), Vec<u64>>,
    /// What was claimed and not settled yet. Apart from the rest, and to the millisecond, because a
    /// lease must not end early and an old filing of the same record must not end it.
    leases: BTreeSet<(Namespace, Timestamp, Locator, u64)>,
    length: usize,
    tidy_at: usize,
}

/// What has fallen due.
#[derive(Default)]
pub(in crate::store) struct Due {
    /// Hashes of entries whose slice has passed.
    pub(in crate::store) hashes: Vec<u64>,
    /// Entries whose lease has ended, each with the revision that was leased.
    pub(in crate::store) leases: Vec<(Locator, u64)>,
}

impl Due {
    pub(in crate::store) fn len(&self) -> usize {
        self.hashes.len() + self.leases.len()
    }
}

impl Slices {
    /// Fewer filings than this are not worth tidying.
    const TIDY_FROM: usize = 1024;

    pub(super) fn new() -> Self {
        Self { tidy_at: Self::TIDY_FROM, ..Self::default() }
    }

    /// Whether what was filed for `filed` would be looked at too late for `expires_at`.
    pub(in crate::store) fn is_earlier(expires_at: Timestamp, filed: Timestamp) -> bool {
        slice(expires_at) < slice(filed)
    }

    /// Files an entry; one that never expires is not filed.
    pub(in crate::store) fn file(
        &mut self,
        namespace: Namespace,
        hash: u64,
        expires_at: Timestamp,
        now: Timestamp,
    ) {
        if expires_at < Timestamp::NEVER {
            self.filed.entry((namespace, shared_slice(expires_at, now))).or_default().push(hash);
            self.length += 1;
        }
    }

    /// Notes that an entry was claimed.
    pub(in crate::store) fn lease(&mut self, key: &Key, revision: u64, until: Timestamp) {
        self.leases.insert((key.namespace, until, key.locator, revision));
    }

    pub(in crate::store) fn has_due(&self, namespace: Namespace, now: Timestamp) -> bool {
        self.filed.range((namespace, 0)..(namespace, slice(now))).next().is_some()
            || self.first_lease(namespace, now).is_some()
    }

    /// Takes out up to `limit` entries of the namespace that are due at `now`.
    pub(in crate::store) fn take_due(&mut self, namespace: Namespace, now: Timestamp, limit: usize) -> Due {
        let mut due = Due::default();
        while due.leases.len() < limit {
            let Some(lease) = self.first_lease(namespace, now) else { break };
            self.leases.remove(&lease);
            due.leases.push((lease.2, lease.3));
        }
        while due.len() < limit && self.take_filed(namespace, now, limit - due.len(), &mut due.hashes) {}
        due
    }

    /// Takes from the first slice that is due; whether there was one.
    fn take_filed(&mut self, namespace: Namespace, now: Timestamp, limit: usize, due: &mut Vec<u64>) -> bool {
        let Some((&at, list)) = self.filed.range_mut((namespace, 0)..(namespace, slice(now))).next() else {
            return false;
        };
        // An entry that was filed twice meets itself here, since both filings move to the slice of
        // the one deadline. Sorting again what is left of a sorted list costs one pass.
        let filed = list.len();
        list.sort_unstable();
        list.dedup();
        let rest = list.len().saturating_sub(limit);
        self.length -= filed - rest;
        due.extend(list.drain(rest..));
        if rest == 0 {
            self.filed.remove(&at);
        }
        true
    }

    fn first_lease(
        &self,
        namespace: Namespace,
        now: Timestamp,
    ) -> Option<(Namespace, Timestamp, Locator, u64)> {
        let lease = *self.leases.range((namespace, Timestamp::default(), FIRST_LOCATOR, 0)..).next()?;
        (lease.0 == namespace && lease.1 <= now).then_some(lease)
    }

    /// The number of filings.
    #[cfg(test)]
    pub(in crate::store) fn len(&self) -> usize {
        self.length
    }

    /// Whether so much was filed that a part of it may be of entries long gone.
    pub(in crate::store) fn wants_tidying(&self) -> bool {
        self.length >= self.tidy_at
    }

    /// Drops the filings of entries that are gone. It is wanted again when there are twice as many
    /// as are left, so each filing pays for a few lookups at most.
    pub(in crate::store) fn tidy(&mut self, mut is_there: impl FnMut(Namespace, u64) -> bool) {
        self.filed.retain(|&(namespace, _), list| {
            list.sort_unstable();
            list.dedup();
            list.retain(|&hash| is_there(namespace, hash));
            list.shrink_to_fit();
            !list.is_empty()
        });
        self.length = self.filed.values().map(Vec::len).sum();
        self.tidy_at = (2 * self.length).max(Self::TIDY_FROM);
    }
}

/// The slice of a point in time. The last one begins in the year 2527 and never falls due.
fn slice(at: Timestamp) -> u32 {
    u32::try_from(at.as_millis() / SLICE_MILLIS).unwrap_or(u32::MAX)
}

/// The slice to file under: the further off, the more slices are taken for one. Each power of two of
/// the way to the deadline has 8 to 16 of them.
fn shared_slice(expires_at: Timestamp, now: Timestamp) -> u32 {
    let last = slice(expires_at);
    let shared = (last.saturating_sub(slice(now)) / 8).max(1).ilog2();
    last >> shared << shared
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn namespace() -> Namespace {
        Namespace::new("test")
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000 * seconds)
    }

    #[test]
    fn an_entry_falls_due_soon_after_its_deadline_and_not_before() {
        let mut slices = Slices::new();
        slices.file(namespace(), 7, at(100), at(60));
        assert!(!slices.has_due(namespace(), at(100)));
        assert!(slices.has_due(namespace(), at(105)));
        assert!(!slices.has_due(Namespace::new("other"), at(105)));
        assert_eq!(slices.take_due(namespace(), at(105), 10).hashes, [7]);
        assert!(!slices.has_due(namespace(), at(999)));
    }

    #[test]
    fn no_more_is_taken_than_asked_for() {
        let mut slices = Slices::new();
        (0..10).for_each(|hash| slices.file(namespace(), hash, at(10 * hash), at(0)));
        for number in 0..6 {
            let locator = Locator::from_bytes([number; 16]);
            slices.lease(&Key { namespace: namespace(), locator }, 1, at(20));
        }
        let taken: Vec<_> = std::iter::repeat_with(|| slices.take_due(namespace(), at(999), 4).len())
            .take_while(|&taken| taken > 0)
            .collect();
        assert_eq!(taken, [4, 4, 4, 4]);
        assert_eq!(slices.length, 0);
    }

    #[test]
    fn a_lease_is_due_when_it_ends_and_to_its_namespace() {
        let mut slices = Slices::new();
        slices.lease(&Key { namespace: namespace(), locator: FIRST_LOCATOR }, 1, at(20));
        assert!(!slices.has_due(namespace(), Timestamp::from_millis(19_999)));
        assert!(!slices.has_due(Namespace::new("other"), at(20)));
        assert!(slices.has_due(namespace(), at(20)));
        assert_eq!(slices.take_due(namespace(), at(20), 9).leases, [(FIRST_LOCATOR, 1)]);
        assert!(!slices.has_due(namespace(), at(20)));
    }

    #[test]
    fn an_entry_filed_twice_in_one_slice_is_one() {
        let mut slices = Slices::new();
        [7, 8, 7].into_iter().for_each(|hash| slices.file(namespace(), hash, at(100), at(60)));
        assert_eq!(slices.take_due(namespace(), at(200), 10).hashes, [7, 8]);
        assert_eq!(slices.length, 0);
    }

    #[test]
    fn what_never_expires_is_not_filed() {
        let mut slices = Slices::new();
        slices.file(namespace(), 7, Timestamp::NEVER, at(0));
        assert_eq!(slices.length, 0);
    }

    #[test]
    fn tidying_drops_what_is_gone() {
        let mut slices = Slices::new();
        (0..2_000).for_each(|hash| slices.file(namespace(), hash, at(hash), at(0)));
        assert!(slices.wants_tidying());
        slices.tidy(|_, hash| hash % 2 == 0);
        assert_eq!((slices.length, slices.wants_tidying()), (1_000, false));
        assert_eq!(slices.take_due(namespace(), at(3), 10).hashes.len(), 0);
        assert_eq!(slices.take_due(namespace(), at(99_999), 9_999).len(), 1_000);
    }

    #[test]
    fn tidying_is_wanted_again_once_there_are_twice_as_many() {
        let mut slices = Slices::new();
        let file = |slices: &mut Slices, from, to| {
            (from..to).for_each(|hash| slices.file(namespace(), hash, at(hash), at(0)));
        };
        file(&mut slices, 0, 2_000);
        slices.tidy(|_, _| true);
        file(&mut slices, 2_000, 3_999);
        assert!(!slices.wants_tidying());
        file(&mut slices, 3_999, 4_000);
        assert!(slices.wants_tidying());
    }

    #[test]
    fn far_deadlines_share_slices_and_are_never_filed_late() {
        let mut slices = Slices::new();
        let start = at(1_893_456_000);
        let day = 86_400;
        for second in 0..day {
            slices.file(namespace(), second, start + Duration::from_secs(second), start);
        }
        assert!(slices.filed.len() < 200);
        let in_time = |&(_, at): &(Namespace, u32), list: &[u64]| {
            list.iter().all(|&second| {
                let (first, last) = (slice(start), slice(start + Duration::from_secs(second)));
                at <= last && at >= last - (last - first) / 8
            })
        };
        assert!(slices.filed.iter().all(|(at, list)| in_time(at, list)));
    }
}
