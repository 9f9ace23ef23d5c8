//! What can be done without waiting for another thread.

use super::inner::Inner;
use crate::clock::Timestamp;
use crate::id::Key;
use crate::record::Record;
use crate::store::shards::{Shard, Slices};

impl Inner {
    pub(super) fn load_at_hand(&self, key: &Key, now: Timestamp) -> Option<Record> {
        self.shards.try_with(&key.locator, |shard| shard.live(key, now).cloned())?
    }

    pub(super) fn commit_at_hand(&self, expected: u64, record: &Record, now: Timestamp) -> bool {
        let replace = |shard: &mut Shard<Record>| self.replace_at_hand(shard, expected, record, now);
        // The old record is dropped here, outside the lock.
        self.shards.try_with(&record.key().locator, replace).flatten().is_some()
    }

    pub(super) fn create_at_hand(&self, record: &Record, now: Timestamp) -> bool {
        let is_owned = record.principal().is_some() || record.shared_activity().is_claimed();
        if is_owned || !self.budget.reserve(record) {
            return false;
        }
        let put = |shard: &mut Shard<Record>| {
            let is_free = shard.get(record.key()).is_none();
            if is_free {
                shard.keep(record.clone(), now);
            }
            is_free
        };
        let is_kept = self.shards.try_with(&record.key().locator, put).unwrap_or(false);
        if !is_kept {
            self.budget.give_back(record);
        }
        is_kept
    }

    /// Puts the record in the place of the expected one and returns that, unless there is more to
    /// it: an index to be moved, or room to be made.
    fn replace_at_hand(
        &self,
        shard: &mut Shard<Record>,
        expected: u64,
        record: &Record,
        now: Timestamp,
    ) -> Option<Record> {
        let key = record.key();
        shard.live(key, now).filter(|kept| kept.revision() == expected)?;
        let kept = shard.get_mut(key)?;
        let kept_until = kept.expires_at();
        record.touch(kept.activity());
        let alike = kept.principal() == record.principal() && record.bytes().len() <= kept.bytes().len();
        if !alike || Slices::is_earlier(record.expires_at(), kept_until) {
            return None;
        }
        self.budget.exchange(kept, record);
        Some(std::mem::replace(kept, record.clone()))
    }
}
