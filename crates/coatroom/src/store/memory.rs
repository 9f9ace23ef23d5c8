//! The store that keeps everything in the memory of the process.

mod at_hand;
mod budget;
mod eviction;
mod inner;
mod principals;
mod sweep;

use std::fmt;
use std::sync::Arc;

use self::inner::Inner;
use super::{Claim, Commit, Creation, Page, Store, StoreFuture, shards};
use crate::clock::Timestamp;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};

/// Keeps records in the memory of the process, and no longer than it runs: for tests and for sites
/// whose sessions may be thrown away.
///
/// Every answer is at hand, so nothing ever waits. It is bounded in bytes: what does not fit goes,
/// first the expired, then sessions that were never presented back (bots), then those that were
/// accessed the longest time ago, each told to the caller as
/// [`Departed`](crate::store::Departed). Clones are handles of the same store.
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

impl MemoryStore {
    /// A store of the default size, 1 GiB.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store to be sized.
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
    /// A record that alone is larger is refused with [`StoreError::Full`](crate::StoreError::Full). The epochs of principals
    /// whose sessions were ended all at once are not counted and never go.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Makes the store.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        MemoryStore(Arc::new(Inner::new(self.max_bytes)))
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
        self.0.commit(expected, record, now)
    }

    fn load_at_hand(&self, key: &Key, now: Timestamp) -> Option<Record> {
        self.0.load_at_hand(key, now)
    }

    fn commit_at_hand(&self, expected: u64, record: &Record, now: Timestamp) -> bool {
        self.0.commit_at_hand(expected, record, now)
    }

    fn create_at_hand(&self, record: &Record, now: Timestamp) -> bool {
        self.0.create_at_hand(record, now)
    }

    fn touch(&self, key: &Key, activity: Activity) -> StoreFuture<()> {
        self.0.touch(key, activity);
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
        StoreFuture::ready(self.0.count(namespace, now))
    }

    fn namespaces(&self) -> StoreFuture<Vec<Namespace>> {
        StoreFuture::ready(self.0.namespaces())
    }

    fn of_principal(
        &self,
        namespace: Namespace,
        principal: &str,
        now: Timestamp,
    ) -> StoreFuture<Vec<Record>> {
        StoreFuture::ready(self.0.of_principal(namespace, principal, now))
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

#[cfg(test)]
mod tests;
