//! The store that keeps everything in the memory of the process.

mod budget;
mod eviction;
mod principals;
mod sweep;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use self::budget::Budget;
use self::principals::Principals;
use super::shards::{self, Shard, Shards, Slices};
use super::{Claim, Commit, Creation, Departed, Departure, Page, Store, StoreFuture};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};

/// Keeps records in the memory of the process, and no longer than it runs: for tests and for sites
/// whose sessions may be thrown away.
///
/// Every answer is at hand, so nothing ever waits. It is bounded in bytes: what does not fit goes,
/// first the expired, then sessions that were never presented back (bots), then those that were
/// accessed the longest time ago, each told to the caller as [`Departed`]. Clones are handles of the
/// same store.
///
/// # Example
///
/// ```
/// use coatroom::store::{MemoryStore, Store};
/// use coatroom::{Clock, Namespace, StoreError, SystemClock};
///
/// # pollster::block_on(async {
/// let store = MemoryStore::builder().max_bytes(64 << 20).build();
/// assert_eq!(store.count(Namespace::new("shop"), SystemClock.now()).await?, 0);
/// # Ok::<_, StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

/// Locks are taken in one order, shard then principals, and no closure awaits.
struct Inner {
    shards: Shards<Record>,
    principals: Principals,
    budget: Budget,
    /// Where the next sweep begins.
    swept: AtomicUsize,
    /// Where the next search for what may go begins.
    hand: AtomicUsize,
}

impl MemoryStore {
    /// A store of the default size, 1 GiB.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store to be sized.
    #[must_use]
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder { max_bytes: 1 << 30 }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("bytes", &self.0.budget.used())
            .field("max_bytes", &self.0.budget.limit())
            .finish_non_exhaustive()
    }
}

/// Sizes a [`MemoryStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct MemoryStoreBuilder {
    max_bytes: usize,
}

impl MemoryStoreBuilder {
    /// How many bytes of memory the records may take, with all that keeping them costs. Default:
    /// 1 GiB, some five million small sessions.
    ///
    /// A record that alone is larger is refused with [`StoreError::Full`]. The epochs of principals
    /// whose sessions were ended all at once are not counted and never go.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Makes the store.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        MemoryStore(Arc::new(Inner {
            shards: Shards::new(),
            principals: Principals::new(),
            budget: Budget::new(self.max_bytes),
            swept: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
        }))
    }
}

impl Store for MemoryStore {
    fn load(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        StoreFuture::ready(self.0.load(key, now))
    }

    fn create(&self, record: Record, now: Timestamp) -> StoreFuture<Creation> {
        self.0.create(record, now).into()
    }

    fn commit(&self, expected: u64, record: Record, now: Timestamp) -> StoreFuture<Commit> {
        self.0.commit(expected, record, now).into()
    }

    fn touch(&self, key: &Key, activity: Activity) -> StoreFuture<()> {
        self.0.shards.with(&key.locator, |shard| {
            if let Some(record) = shard.live(key, activity.last_accessed) {
                record.touch(activity);
            }
        });
        StoreFuture::ready(())
    }

    fn remove(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        StoreFuture::ready(self.0.take(key, |record| shards::is_live(record, now)))
    }

    fn page(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> StoreFuture<Page> {
        StoreFuture::ready(self.0.page(namespace, after, limit.max(1), now))
    }

    fn count(&self, namespace: Namespace, now: Timestamp) -> StoreFuture<u64> {
        let in_shard = |shard: &mut Shard<Record>| shard.all_live(namespace, now).count() as u64;
        StoreFuture::ready((0..Shards::<Record>::COUNT).map(|index| self.0.shards.nth(index, in_shard)).sum())
    }

    fn of_principal(
        &self,
        namespace: Namespace,
        principal: &str,
        now: Timestamp,
    ) -> StoreFuture<Vec<Record>> {
        let locators = self.0.principals.locators(namespace, principal);
        let found = locators.into_iter().filter_map(|locator| self.0.load(&Key { namespace, locator }, now));
        // Between the list and the load, a record may have come to belong to somebody else.
        StoreFuture::ready(found.filter(|record| record.principal() == Some(principal)).collect())
    }

    fn epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        StoreFuture::ready(self.0.principals.epoch(namespace, principal))
    }

    fn bump_epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        StoreFuture::ready(self.0.principals.bump_epoch(namespace, principal))
    }

    fn claim_expired(
        &self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Claim> {
        StoreFuture::ready(self.0.claim_expired(namespace, now, lease_until, limit.max(1)))
    }

    fn settle(&self, claimed: Vec<Record>) -> StoreFuture<()> {
        for record in &claimed {
            self.0.take(record.key(), |kept| kept.revision() == record.revision());
        }
        StoreFuture::ready(())
    }

    fn check(&self) -> StoreFuture<()> {
        StoreFuture::ready(())
    }

    fn flush(&self) -> StoreFuture<()> {
        StoreFuture::ready(())
    }
}

impl Inner {
    fn load(&self, key: &Key, now: Timestamp) -> Option<Record> {
        self.shards.with(&key.locator, |shard| shard.live(key, now).cloned())
    }

    fn create(&self, record: Record, now: Timestamp) -> Result<Creation, StoreError> {
        self.budget.admit(&record)?;
        // A record that was reported once and is put back must not carry the mark.
        let record = if record.shared_activity().is_claimed() { record.unshared() } else { record };
        let key = *record.key();
        let put = |shard: &mut Shard<Record>| match shard.live(&key, now) {
            Some(_) => Err(record),
            None => Ok(self.put(shard, record)),
        };
        let Ok(dead) = self.shards.with(&key.locator, put) else { return Ok(Creation::Exists) };
        let mut departed = self.make_room(&key, now);
        departed.extend(dead.and_then(expired));
        Ok(Creation::Created(departed))
    }

    /// Puts a record where no live one is, and returns the dead one that lay there.
    fn put(&self, shard: &mut Shard<Record>, record: Record) -> Option<Record> {
        let (key, expires_at) = (*record.key(), record.expires_at());
        self.budget.take(&record);
        self.principals.add(&record);
        let dead = shard.insert(record);
        // After it is in the table, since filing may drop the filings of what is not.
        shard.file(&key, expires_at);
        dead.inspect(|dead| self.forget(dead))
    }

    fn commit(&self, expected: u64, record: Record, now: Timestamp) -> Result<Commit, StoreError> {
        self.budget.admit(&record)?;
        let key = *record.key();
        let replaced = self.shards.with(&key.locator, |shard| {
            let kept = shard.get_mut(&key).filter(|kept| shards::is_live(kept, now)).ok_or(Commit::Gone)?;
            if kept.revision() != expected {
                return Err(Commit::Conflict(kept.clone()));
            }
            record.touch(kept.activity());
            self.principals.replace(kept, &record);
            let grown = self.budget.exchange(kept, &record);
            let due = record.expires_at();
            let is_earlier = Slices::is_earlier(due, kept.expires_at());
            let old = std::mem::replace(kept, record);
            if is_earlier {
                shard.file(&key, due);
            }
            Ok((old, grown))
        });
        // The old record is dropped here, outside the lock.
        Ok(match replaced {
            Ok((_old, true)) => Commit::Landed(self.make_room(&key, now)),
            Ok((_old, false)) => Commit::Landed(Vec::new()),
            Err(refused) => refused,
        })
    }

    /// Takes out what lies under `key` if it is wanted.
    fn take(&self, key: &Key, is_wanted: impl FnOnce(&Record) -> bool) -> Option<Record> {
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

    fn page(&self, namespace: Namespace, after: Option<Locator>, limit: usize, now: Timestamp) -> Page {
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
    fn live(&self, key: &Key, now: Timestamp) -> Option<&Record> {
        self.get(key).filter(|record| shards::is_live(record, now))
    }

    fn all_live(&self, namespace: Namespace, now: Timestamp) -> impl Iterator<Item = &Record> {
        self.iter().filter(move |record| record.key().namespace == namespace && shards::is_live(record, now))
    }

    fn file(&mut self, key: &Key, expires_at: Timestamp) {
        self.slices.file(key.namespace, shards::hash(&key.locator), expires_at);
        if self.slices.wants_tidying() {
            self.tidy();
        }
    }
}

/// The departure of a dead record, unless its expiry is being reported already.
fn expired(record: Record) -> Option<Departed> {
    record.shared_activity().claim().then_some(Departed { record, reason: Departure::Expired })
}

#[cfg(test)]
mod tests;
