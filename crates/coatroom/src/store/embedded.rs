//! The embedded store: one machine, no other service, nothing acknowledged is lost.
//!
//! A commit changes the hot tier and appends to the journal, which is in the kernel before the
//! answer leaves. A checkpoint carries what changed over into the files, every second or when a
//! segment of the journal is full. A read that the hot tier cannot answer goes to the files, on a
//! thread of the store's own.
//!
//! ```text
//! work ─► hot            one lock per shard: judge, append, change
//!      └► journal ─► segment
//! checkpoint ─► journal, hot, db      every second
//! keeper ─► journal                   a spare segment; fsync for who waits
//! readers ─► db                       cold reads, listings, sweeps
//! ```

mod at_hand;
mod background;
mod bell;
mod builder;
mod checkpoint;
mod core;
mod db;
mod directory;
mod error;
mod examine;
#[cfg(test)]
mod hook;
mod hot;
mod journal;
mod keeper;
mod listing;
mod principals;
mod readers;
mod renew;
mod shard;
mod start;
mod sweep;
#[cfg(test)]
mod tests;
mod work;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

pub use self::builder::{Durability, EmbeddedStoreBuilder};
use self::core::Core;
pub use self::error::OpenError;
use self::readers::Readers;
use super::{Claim, Commit, Creation, Page, Store, StoreFuture};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};

/// Keeps records in a directory of this machine, and those in use in memory too.
///
/// What was acknowledged survives the end of the process, `kill -9` included; what a power cut may
/// cost is said by [`Durability`]. One process at a time holds the directory.
///
/// It has a few threads of its own and needs no async runtime. Dropping it, or
/// [`close`](EmbeddedStore::close), brings everything to the disk and ends them, which can take some
/// tenths of a second.
///
/// # Example
///
/// ```
/// use coatroom::store::EmbeddedStore;
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("sessions");
/// let store = EmbeddedStore::open(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EmbeddedStore {
    core: Arc<Core>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    checkpoints: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedStore {
    /// Opens the store in this directory with default options.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which names the path and the remedy.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::builder(path).open()
    }

    /// Options for a store in this directory.
    pub fn builder(path: impl Into<PathBuf>) -> EmbeddedStoreBuilder {
        EmbeddedStoreBuilder::new(path.into())
    }

    /// Brings everything to the disk, ends the store's threads and lets go of the directory. From
    /// then on every call fails. Blocks; a second call does nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the files could not be written. What was acknowledged is in
    /// the journal then, and is there when the store is opened again.
    pub fn close(&self) -> Result<(), StoreError> {
        let Some(checkpoints) = self.checkpoints.lock().take() else { return Ok(()) };
        self.core.closed.store(true, Ordering::Release);
        self.core.checkpoint_wanted.ring();
        self.core.closing.ring();
        let _ = checkpoints.join();
        self.core.readers.stop();
        self.core.waiters.stop();
        for thread in self.threads.lock().drain(..) {
            let _ = thread.join();
        }
        let synced = self.core.journal.close();
        if synced.is_err() {
            self.core.directory.mark_unsynced();
        }
        self.core.db.close();
        self.core.directory.release();
        self.closed(synced)
    }

    /// What closing came to, by whether the last sync of the journal failed.
    fn closed(&self, synced: Result<(), Arc<io::Error>>) -> Result<(), StoreError> {
        let path = self.core.path.display();
        match (self.core.trouble.checkpoint.lock().take(), synced) {
            (None, Ok(())) => Ok(()),
            (Some(trouble), Ok(())) => {
                let what = format!(
                    "closing the store in {path} left its last changes in the journal: {trouble}; they are carried over when it is opened again"
                );
                Err(StoreError::unavailable(what))
            }
            (_, Err(error)) => {
                Err(StoreError::unavailable_because(format!("syncing the journal in {path} failed"), error))
            }
        }
    }

    fn start(core: Arc<Core>) -> io::Result<Self> {
        let store = Self { core, threads: Mutex::default(), checkpoints: Mutex::default() };
        for number in 0..Readers::THREADS {
            store.spawn(&format!("coatroom-read-{number}"), |core| core.readers.run())?;
        }
        store.spawn("coatroom-keeper", |core| core.keep())?;
        let interval = match store.core.durability {
            Durability::Interval(interval) => interval.max(Duration::from_millis(10)),
            Durability::EveryCommit => Duration::from_secs(1),
        };
        let core = Arc::clone(&store.core);
        let thread = std::thread::Builder::new().name("coatroom-checkpoint".into());
        *store.checkpoints.lock() = Some(thread.spawn(move || core.checkpoints(interval))?);
        Ok(store)
    }

    fn spawn(&self, name: &str, life: impl FnOnce(&Core) + Send + 'static) -> io::Result<()> {
        let core = Arc::clone(&self.core);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || life(&core))?;
        self.threads.lock().push(thread);
        Ok(())
    }

    /// Answers from a thread that may wait for the files.
    fn offload<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Core) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<T> {
        if self.core.closed.load(Ordering::Acquire) {
            return StoreFuture::failed(self.core.closed());
        }
        let core = Arc::clone(&self.core);
        StoreFuture::boxed(async move { core.offload(job).await })
    }
}

impl Store for EmbeddedStore {
    fn load(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        self.core.work(*key, work::load(now))
    }

    fn create(&self, record: Record, now: Timestamp) -> StoreFuture<Creation> {
        self.core.work(*record.key(), work::create(record, now))
    }

    fn commit(&self, expected: u64, record: Record, now: Timestamp) -> StoreFuture<Commit> {
        self.core.work(*record.key(), work::commit(expected, record, now))
    }

    fn load_at_hand(&self, key: &Key, now: Timestamp) -> Option<Record> {
        self.core.load_at_hand(key, now)
    }

    fn commit_at_hand(&self, expected: u64, record: &Record, now: Timestamp) -> bool {
        self.core.commit_at_hand(expected, record, now)
    }

    fn create_at_hand(&self, record: &Record, _now: Timestamp) -> bool {
        self.core.create_at_hand(record)
    }

    fn touch(&self, key: &Key, activity: Activity) -> StoreFuture<()> {
        self.core.work(*key, work::touch(*key, activity))
    }

    fn remove(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        self.core.work(*key, work::remove(*key, now))
    }

    fn page(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> StoreFuture<Page> {
        self.offload(move |core| core.page(namespace, after, limit, now))
    }

    fn count(&self, namespace: Namespace, now: Timestamp) -> StoreFuture<u64> {
        self.offload(move |core| core.count(namespace, now))
    }

    fn namespaces(&self) -> StoreFuture<Vec<Namespace>> {
        self.offload(Core::namespaces)
    }

    fn of_principal(
        &self,
        namespace: Namespace,
        principal: &str,
        now: Timestamp,
    ) -> StoreFuture<Vec<Record>> {
        let principal: Box<str> = principal.into();
        self.offload(move |core| core.of_principal(namespace, &principal, now))
    }

    fn epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let principal: Box<str> = principal.into();
        self.offload(move |core| core.epoch(namespace, &principal))
    }

    fn bump_epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let core = Arc::clone(&self.core);
        let principal: Box<str> = principal.into();
        StoreFuture::boxed(async move {
            let (epoch, position) = core.offload(move |core| core.raise_epoch(namespace, &principal)).await?;
            core.synced(position).await.map(|()| epoch)
        })
    }

    fn claim_expired(
        &self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Claim> {
        self.offload(move |core| core.claim(namespace, now, lease_until, limit))
    }

    fn settle(&self, claimed: Vec<Record>) -> StoreFuture<()> {
        let core = Arc::clone(&self.core);
        StoreFuture::boxed(async move {
            let mut last = 0;
            for record in claimed {
                let (key, revision) = (*record.key(), record.revision());
                let ((), position) = core.drive(key, &mut work::settle(key, revision)).await?;
                core.sweeps.release(&key, revision);
                last = last.max(position);
            }
            core.synced(last).await
        })
    }

    /// Fails once the store was closed, and once the journal could not be written.
    fn check(&self) -> StoreFuture<()> {
        self.core.check().into()
    }

    fn flush(&self) -> StoreFuture<()> {
        let core = Arc::clone(&self.core);
        StoreFuture::boxed(async move {
            core.check()?;
            core.on_disk(core.journal.position()).await
        })
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "closing the embedded store failed");
        }
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("path", &self.core.path)
            .field("durability", &self.core.durability)
            .field("mapped", &self.core.journal.is_mapped())
            .finish_non_exhaustive()
    }
}
