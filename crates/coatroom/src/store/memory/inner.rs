//! The workings of the memory store.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;

use super::budget::Budget;
use super::principals::Principals;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};
use crate::store::shards::{self, Shard, Shards, Slices};
use crate::store::{Commit, Creation, Departed, Departure, Page, StoreFuture};

/// Locks are taken in one order, shard then principals, and no closure awaits.
pub(super) struct Inner {
    pub(super) shards: Shards<Record>,
    pub(super) principals: Principals,
    pub(super) budget: Budget,
    /// Where the next sweep begins.
    pub(super) swept: AtomicUsize,
    /// Where the next search for what may go begins.
    pub(super) hand: AtomicUsize,
}

impl Inner {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            shards: Shards::new(),
            principals: Principals::new(),
            budget: Budget::new(max_bytes),
            swept: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn load(&self, key: &Key, now: Timestamp) -> Option<Record> {
        self.shards.with(&key.locator, |shard| shard.live(key, now).cloned())
    }

    pub(super) fn touch(&self, key: &Key, activity: Activity) {
        self.shards.with(&key.locator, |shard| {
            if let Some(record) = shard.live(key, activity.last_accessed) {
                record.touch(activity);
            }
        });
    }

    pub(super) fn create(&self, record: Record, now: Timestamp) -> Result<Creation, StoreError> {
        self.budget.admit(&record)?;
        // A record that was reported once and is put back must not carry the mark.
        let record = if record.shared_activity().is_claimed() { record.unshared() } else { record };
        let key = *record.key();
        let put = |shard: &mut Shard<Record>| match shard.live(&key, now) {
            Some(_) => Err(record),
            None => Ok(self.put(shard, record, now)),
        };
        let Ok(dead) = self.shards.with(&key.locator, put) else { return Ok(Creation::Exists) };
        let mut departed = self.make_room(&key, now);
        departed.extend(dead.and_then(expired));
        Ok(Creation::Created(departed))
    }

    /// Puts a record where no live one is, and returns the dead one that lay there.
    fn put(&self, shard: &mut Shard<Record>, record: Record, now: Timestamp) -> Option<Record> {
        self.budget.take(&record);
        self.principals.add(&record);
        shard.keep(record, now).inspect(|dead| self.forget(dead))
    }

    pub(super) fn commit(&self, expected: u64, record: Record, now: Timestamp) -> StoreFuture<Commit> {
        if let Err(full) = self.budget.admit(&record) {
            return StoreFuture::failed(full);
        }
        let key = *record.key();
        let replaced = self.shards.with(&key.locator, |shard| {
            let kept = shard.get_mut(&key).ok_or(Commit::Gone)?;
            let kept_until = kept.expires_at();
            if !shards::is_live_until(kept, kept_until, now) {
                return Err(Commit::Gone);
            }
            if kept.revision() != expected {
                return Err(Commit::Conflict(kept.clone()));
            }
            record.touch(kept.activity());
            self.principals.replace(kept, &record);
            let grown = self.budget.exchange(kept, &record);
            let due = record.expires_at();
            let is_earlier = due != kept_until && Slices::is_earlier(due, kept_until);
            let old = std::mem::replace(kept, record);
            if is_earlier {
                shard.file(&key, due, now);
            }
            Ok((old, grown))
        });
        // The old record is dropped here, outside the lock.
        match replaced {
            Ok((_old, true)) => StoreFuture::ready(Commit::Landed(self.make_room(&key, now))),
            Ok((_old, false)) => StoreFuture::ready(Commit::Landed(Vec::new())),
            Err(refused) => StoreFuture::ready(refused),
        }
    }

    pub(super) fn count(&self, namespace: Namespace, now: Timestamp) -> u64 {
        let in_shard = |shard: &mut Shard<Record>| shard.all_live(namespace, now).count() as u64;
        (0..Shards::<Record>::COUNT).map(|index| self.shards.nth(index, in_shard)).sum()
    }

    pub(super) fn namespaces(&self) -> Vec<Namespace> {
        let mut found = BTreeSet::new();
        for index in 0..Shards::<Record>::COUNT {
            self.shards.nth(index, |shard| found.extend(shard.iter().map(|record| record.key().namespace)));
        }
        found.into_iter().collect()
    }

    pub(super) fn of_principal(&self, namespace: Namespace, principal: &str, now: Timestamp) -> Vec<Record> {
        let locators = self.principals.locators(namespace, principal);
        let found = locators.into_iter().filter_map(|locator| self.load(&Key { namespace, locator }, now));
        // Between the list and the load, a record may have come to belong to somebody else.
        found.filter(|record| record.principal() == Some(principal)).collect()
    }

    /// Takes out what lies under `key` if it is wanted.
    pub(super) fn take(&self, key: &Key, is_wanted: impl FnOnce(&Record) -> bool) -> Option<Record> {
        self.shards.with(&key.locator, |shard| {
            shard.get(key).filter(|record| is_wanted(record))?;
            let record = shard.remove(key)?;
            self.forget(&record);
            Some(record)
        })
    }

    /// Takes a record that left its shard off the books. Under the lock of the shard, so that the
    /// books follow each key in the order of what happened to it.
    fn forget(&self, record: &Record) {
        self.budget.give_back(record);
        self.principals.remove(record);
    }

    pub(super) fn page(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> Page {
        let first = after.map_or(0, |after| Shards::<Record>::index_of(&after));
        let mut records = Vec::new();
        for index in first..Shards::<Record>::COUNT {
            let start = records.len();
            self.shards.nth(index, |shard| {
                let behind = |record: &&Record| after.is_none_or(|after| record.key().locator > after);
                records.extend(shard.all_live(namespace, now).filter(behind).cloned());
            });
            records[start..].sort_unstable_by_key(|record| record.key().locator);
            if records.len() > limit {
                records.truncate(limit);
                let next = records.last().map(|record| record.key().locator);
                return Page { records, next };
            }
        }
        Page { records, next: None }
    }
}

impl Shard<Record> {
    #[inline]
    pub(super) fn live(&self, key: &Key, now: Timestamp) -> Option<&Record> {
        self.get(key).filter(|record| shards::is_live(record, now))
    }

    /// Keeps a record and files its deadline; returns what lay under its key.
    pub(super) fn keep(&mut self, record: Record, now: Timestamp) -> Option<Record> {
        let (key, expires_at) = (*record.key(), record.expires_at());
        let before = self.insert(record);
        // After it is in the table, since filing may drop the filings of what is not.
        self.file(&key, expires_at, now);
        before
    }

    fn all_live(&self, namespace: Namespace, now: Timestamp) -> impl Iterator<Item = &Record> {
        self.iter().filter(move |record| record.key().namespace == namespace && shards::is_live(record, now))
    }

    fn file(&mut self, key: &Key, expires_at: Timestamp, now: Timestamp) {
        self.slices.file(key.namespace, shards::hash(&key.locator), expires_at, now);
        if self.slices.wants_tidying() {
            self.tidy();
        }
    }
}

/// The departure of a dead record, unless its expiry is being reported already.
pub(super) fn expired(record: Record) -> Option<Departed> {
    record.shared_activity().claim().then_some(Departed { record, reason: Departure::Expired })
}
