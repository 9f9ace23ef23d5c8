//! The files behind the hot tier: an ordered map of bytes, kept by fjall.
//!
//! All of fjall that the store uses is here: batch, get, range, sync. One keyspace with one-byte
//! prefixes, since an idle keyspace can pin fjall's journals for good.

pub(super) mod keys;
mod torn;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use parking_lot::RwLock;

use super::background::giving_way;
use super::directory;
use super::renew::renew;

/// Bytes that the files hold.
pub(super) type Bytes = fjall::Slice;

pub(super) struct Db {
    path: PathBuf,
    /// `None` once closed, or after a failed attempt to open it again.
    open: RwLock<Option<Open>>,
    /// What could not be synced is not written again yet: reading goes on, nothing is taken.
    in_doubt: AtomicBool,
    /// Where a batch is about to be written.
    #[cfg(test)]
    pub(super) writing: super::hook::Hook,
    /// Where a value was read.
    #[cfg(test)]
    pub(super) read: super::hook::Hook,
}

struct Open {
    items: Keyspace,
    database: Database,
}

/// What failed in the files.
#[derive(Debug, thiserror::Error)]
pub(super) enum DbError {
    #[error("the files of the store are not open")]
    NotOpen,
    #[error("the files cannot keep up: their background work is behind or has stopped")]
    Behind,
    #[error("the files take nothing until what could not be synced is written again")]
    InDoubt,
    #[error("the files of the store failed: {0}")]
    Fjall(#[from] fjall::Error),
    #[error("the files of the store are damaged: {0}")]
    Damaged(String),
}

impl DbError {
    /// Whether a write was refused for want of room, which loses nothing that was written before.
    pub(super) fn is_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Fjall(fjall::Error::Io(error)) if [QuotaExceeded, StorageFull].contains(&error.kind()))
    }
}

impl Db {
    /// Opens the files, and makes them if there are none.
    pub(super) fn open(path: &Path) -> Result<Self, DbError> {
        if !path.exists() {
            Self::make(path)?;
        }
        let open = RwLock::new(Some(Open::new(path)?));
        Ok(Self {
            path: path.to_owned(),
            open,
            in_doubt: AtomicBool::new(false),
            #[cfg(test)]
            writing: super::hook::Hook::default(),
            #[cfg(test)]
            read: super::hook::Hook::default(),
        })
    }

    /// Elsewhere first: files that fjall was still making when the power went it cannot open.
    fn make(path: &Path) -> Result<(), DbError> {
        let new = path.with_extension("new");
        let begun = new.exists().then(|| std::fs::remove_dir_all(&new)).transpose();
        // fjall would make it by the umask, open to others where the store's directory is.
        begun.and_then(|_| directory::make(&new)).map_err(fjall::Error::Io)?;
        let made = Open::new(&new)?;
        made.database.persist(PersistMode::SyncAll)?;
        drop(made);
        let renamed = std::fs::rename(&new, path).and_then(|()| sync_directory_of(path));
        Ok(renamed.map_err(fjall::Error::Io)?)
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, DbError> {
        let value = self.open.read().as_ref().ok_or(DbError::NotOpen)?.items.get(key)?;
        #[cfg(test)]
        self.read.come_by();
        Ok(value)
    }

    /// Keys and values from `from` to before `to`, as of now, in order.
    pub(super) fn range(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> Result<impl Iterator<Item = Result<(Bytes, Bytes), DbError>> + use<>, DbError> {
        let open = self.open.read();
        let range = open.as_ref().ok_or(DbError::NotOpen)?.items.range(from..to);
        Ok(range.map(|guard| guard.into_inner().map_err(DbError::from)))
    }

    /// Writes a batch, all or nothing. It is readable at once and on disk after [`Db::sync`].
    pub(super) fn write(&self, batch: Batch) -> Result<(), DbError> {
        #[cfg(test)]
        self.writing.come_by();
        let open = self.open.read();
        let open = open.as_ref().ok_or(DbError::NotOpen)?;
        self.trust()?;
        open.wait_for_background()?;
        let mut write = open.database.batch();
        for (key, value) in batch.0 {
            match value {
                Some(value) => write.insert(&open.items, key, value),
                None => write.remove(&open.items, key),
            }
        }
        Ok(write.commit()?)
    }

    /// Hands what was written to the kernel, so that it outlives the process.
    pub(super) fn hand_over(&self) -> Result<(), DbError> {
        self.persist(PersistMode::Buffer)
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&self) -> Result<(), DbError> {
        self.persist(PersistMode::SyncAll)
    }

    fn persist(&self, mode: PersistMode) -> Result<(), DbError> {
        let open = self.open.read();
        let open = open.as_ref().ok_or(DbError::NotOpen)?;
        self.trust()?;
        Ok(open.database.persist(mode)?)
    }

    fn trust(&self) -> Result<(), DbError> {
        if self.in_doubt.load(Ordering::Acquire) { Err(DbError::InDoubt) } else { Ok(()) }
    }

    /// Opens the files again: after a failed write, fjall takes no other until then. What was
    /// written since the last sync may be gone; what is there is written again before, since a sync
    /// of the same files would succeed over what the failed one lost.
    pub(super) fn reopen(&self) -> Result<(), DbError> {
        let mut open = self.open.write();
        drop(open.take());
        let renewed = renew(&self.path);
        self.in_doubt.store(renewed.is_err(), Ordering::Release);
        *open = Some(Open::new(&self.path)?);
        Ok(renewed.map_err(fjall::Error::Io)?)
    }

    pub(super) fn close(&self) {
        drop(self.open.write().take());
    }
}

impl Open {
    fn new(path: &Path) -> Result<Self, DbError> {
        // fjall asserts a good deal of what it reads.
        let open = || {
            if path.exists() {
                torn::cut(path).map_err(fjall::Error::Io)?;
            }
            let database = Database::builder(path)
                .journal_compression(CompressionType::None)
                .manual_journal_persist(true)
                // Of two, one spins for as long as the other compacts.
                .worker_threads(1)
                .open()?;
            let items = database.keyspace("coatroom", KeyspaceCreateOptions::default)?;
            Ok(Self { items, database })
        };
        // It merges tables for seconds on end.
        let opened = std::panic::catch_unwind(|| giving_way(open));
        opened.unwrap_or_else(|_| Err(DbError::Damaged("they could not be read".to_owned())))
    }

    /// fjall would wait without end, also when its background threads have died of a full disk.
    fn wait_for_background(&self) -> Result<(), DbError> {
        const STEP: Duration = Duration::from_millis(20);
        const STEPS: u32 = 500;
        for _ in 0..STEPS {
            if self.items.sealed_memtable_count() < 3 && self.items.l0_table_count() < 28 {
                return Ok(());
            }
            std::thread::sleep(STEP);
        }
        Err(DbError::Behind)
    }
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| std::fs::File::open(parent)?.sync_all())
}

/// Changes that are written together.
#[derive(Default)]
pub(super) struct Batch(Vec<(Bytes, Option<Bytes>)>, usize);

impl Batch {
    /// From this size on, in bytes, a batch is worth writing; that takes half a millisecond.
    pub(super) const FULL: usize = 64 * 1024;

    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) {
        self.1 += key.len() + value.len();
        self.0.push((key.into(), Some(value.into())));
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        self.1 += key.len();
        self.0.push((key.into(), None));
    }

    pub(super) fn is_full(&self) -> bool {
        self.1 >= Self::FULL
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("path", &self.path).finish_non_exhaustive()
    }
}
