//! Taking out what has expired, a little at a time.

use std::sync::atomic::Ordering;

use super::inner::Inner;
use crate::clock::Timestamp;
use crate::id::{Key, Namespace};
use crate::record::Record;
use crate::store::Claim;
use crate::store::shards::{self, Shard, Shards};

/// Entries to look at under one lock: some 50 us, the longest that a request may have to wait.
const AT_ONCE: usize = 128;

impl Inner {
    /// Each call begins one shard further, so that none has to wait for the others to be done.
    pub(super) fn claim_expired(
        &self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Claim {
        let first = self.swept.fetch_add(1, Ordering::Relaxed) % Shards::<Record>::COUNT;
        let mut claim = Claim::default();
        let mut left = limit;
        for index in first..first + Shards::<Record>::COUNT {
            self.shards.nth(index, |shard| {
                left -= shard.claim(namespace, now, lease_until, left.min(AT_ONCE), &mut claim.records);
                claim.more |= shard.slices.has_due(namespace, now);
            });
            if left == 0 && claim.more {
                break;
            }
        }
        claim
    }
}

impl Shard<Record> {
    /// Looks at up to `limit` due entries, whether they turn out to be dead or not, and returns how
    /// many there were. The dead ones are added to `claimed`.
    fn claim(
        &mut self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
        claimed: &mut Vec<Record>,
    ) -> usize {
        let due = self.slices.take_due(namespace, now, limit);
        let first = claimed.len();
        for &(locator, revision) in &due.leases {
            // One created anew under the key since was filed on its own, and if it is claimed by
            // now, has a lease of its own.
            let kept = self.get(&Key { namespace, locator });
            claimed.extend(kept.filter(|record| record.revision() == revision).cloned());
        }
        for &hash in &due.hashes {
            self.claim_filed(namespace, hash, now, claimed);
        }
        for record in &claimed[first..] {
            self.slices.lease(record.key(), record.revision(), lease_until);
        }
        due.len()
    }

    /// Claims what is dead of the entries filed under a hash, and files again what lives. What is
    /// claimed already has its lease.
    fn claim_filed(&mut self, namespace: Namespace, hash: u64, now: Timestamp, claimed: &mut Vec<Record>) {
        let mut alive = Vec::new();
        for record in self.filed(namespace, hash) {
            if shards::is_live(record, now) {
                alive.push(record.expires_at());
            } else if record.shared_activity().claim() {
                claimed.push(record.clone());
            }
        }
        for expires_at in alive {
            self.slices.file(namespace, hash, expires_at, now);
        }
    }

    /// Drops the filings of records that left.
    pub(super) fn tidy(&mut self) {
        let mut slices = std::mem::take(&mut self.slices);
        slices.tidy(|namespace, hash| self.filed(namespace, hash).next().is_some());
        self.slices = slices;
    }
}
