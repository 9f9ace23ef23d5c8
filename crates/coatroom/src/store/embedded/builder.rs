use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::EmbeddedStore;
use super::core::Core;
use super::error::OpenError;

/// How an [`EmbeddedStore`] is to be opened.
#[derive(Clone, Debug)]
pub struct EmbeddedStoreBuilder {
    pub(super) path: PathBuf,
    pub(super) durability: Durability,
    pub(super) hot_bytes: usize,
    pub(super) max_journal_bytes: u64,
    pub(super) map: bool,
}

impl EmbeddedStoreBuilder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            durability: Durability::default(),
            hot_bytes: 256 * 1024 * 1024,
            max_journal_bytes: 128 * 1024 * 1024,
            map: true,
        }
    }

    /// What a power cut may cost. Default: `Durability::Interval` of one second. An interval is at
    /// least 10 ms.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Memory for records in use, in bytes. Default: 256 MiB. What changed since the last checkpoint
    /// stays in memory beyond it, bounded by `max_journal_bytes`.
    #[must_use]
    pub fn hot_bytes(mut self, bytes: usize) -> Self {
        self.hot_bytes = bytes;
        self
    }

    /// Disk for the journal, in bytes. Default: 128 MiB; at least 256 KiB. A quarter is taken at
    /// once. When it is full, commits wait up to five seconds for a checkpoint and then fail with
    /// [`StoreError::Full`](crate::StoreError::Full); so this also bounds how much a checkpoint carries over at a time. No
    /// record may exceed about a tenth of it.
    #[must_use]
    pub fn max_journal_bytes(mut self, bytes: u64) -> Self {
        self.max_journal_bytes = bytes.max(256 * 1024);
        self
    }

    /// Writes the journal by system calls, even where it could be mapped into memory: slower, and
    /// safe from a disk that fails underneath a mapping, which would end the process by `SIGBUS`.
    #[must_use]
    pub fn without_mapping(mut self) -> Self {
        self.map = false;
        self
    }

    /// Opens the store, and makes its directory if there is none. What an earlier run had
    /// acknowledged is there, however it ended.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which names the path and the remedy.
    pub fn open(self) -> Result<EmbeddedStore, OpenError> {
        let core = Arc::new(Core::open(&self)?);
        EmbeddedStore::start(core).map_err(|error| OpenError::io(&self.path, error))
    }
}

/// What a power cut may cost. A process that is killed costs nothing with either.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Durability {
    /// Commits are acknowledged once the kernel has them, and are on disk after about this long, so
    /// that a power cut costs the commits of that time. The default, with one second.
    Interval(Duration),
    /// Commits are acknowledged once they are on disk; those that wait at the same time share one
    /// `fdatasync`. A power cut costs nothing but touches.
    EveryCommit,
}

impl Default for Durability {
    fn default() -> Self {
        Self::Interval(Duration::from_secs(1))
    }
}
