//! Opening a store: what the journal holds from an earlier run is put back into the hot tier.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use super::bell::Bell;
use super::core::Core;
use super::db::{Batch, Db, DbError, keys};
use super::directory::Directory;
use super::error::OpenError;
use super::hot::{Hot, Lookup};
use super::journal::{Access, Entry, Journal, Kind, Layout, Traces};
use super::keeper::{Trouble, Waiters};
use super::principals::Principals;
use super::{Durability, EmbeddedStoreBuilder};
use crate::id::Key;
use crate::record::{Activity, Record};

impl Core {
    pub(super) fn open(options: &EmbeddedStoreBuilder) -> Result<Self, OpenError> {
        let path: &Path = &options.path;
        let files_failed = |error| OpenError::files(path, error);
        let directory = Directory::hold(path)?;
        let traces = Traces::of(&directory.journal()).map_err(|error| OpenError::io(path, error))?;
        if traces.begun && !directory.files().exists() {
            return Err(OpenError::missing(
                path,
                "its directory \"files\" is missing, though the journal is there",
            ));
        }
        let db = Db::open(&directory.files()).map_err(files_failed)?;
        let marked =
            db.get(keys::CHECKPOINT).and_then(|mark| mark.map(|mark| keys::number(&mark)).transpose());
        let marked = marked.map_err(files_failed)?;
        if marked.is_some() && !traces.segments {
            return Err(OpenError::missing(path, "the segments in its directory \"journal\" are missing"));
        }
        // The mark is synced before anything is kept, and a segment is used again once it says so.
        if marked.is_none() && !traces.whole {
            return Err(OpenError::missing(
                path,
                "its directory \"files\" has lost everything that was written there",
            ));
        }
        let after = marked.unwrap_or(0);
        let empty = db.range(keys::ALL_RECORDS.0, keys::ALL_RECORDS.1).map(|mut all| all.next().is_none());
        let hot = Hot::new(options.hot_bytes, empty.map_err(files_failed)?);
        let (principals, mut touched) = (Principals::default(), BTreeMap::new());
        let (spare_wanted, checkpoint_wanted) = (Arc::<Bell>::default(), Arc::<Bell>::default());
        let layout = layout(options, &directory);
        let journal = Journal::open(
            layout,
            after,
            Arc::clone(&spare_wanted),
            Arc::clone(&checkpoint_wanted),
            &mut |entry| replay(&hot, &principals, &mut touched, entry),
        )
        .map_err(|error| OpenError::io(path, error))?;
        let core = Self {
            path: options.path.clone(),
            durability: options.durability,
            max_journal_bytes: options.max_journal_bytes,
            hot,
            journal,
            db,
            principals,
            sweeps: super::sweep::Sweeps::default(),
            readers: super::readers::Readers::default(),
            waiters: Waiters::new(spare_wanted),
            checkpoint_wanted,
            checkpointing: Mutex::default(),
            trouble: Trouble::default(),
            closed: AtomicBool::new(false),
            directory,
        };
        core.replay_touches(touched).map_err(files_failed)?;
        if marked.is_none() {
            core.mark_opened().map_err(files_failed)?;
        }
        Ok(core)
    }

    /// From now on the files and the journal belong together, and neither may be missing.
    fn mark_opened(&self) -> Result<(), DbError> {
        let mut batch = Batch::default();
        batch.put(keys::CHECKPOINT, &0_u64.to_le_bytes());
        self.db.write(batch)?;
        self.db.sync()
    }

    /// Touches of records that only the files have, in the order of keys.
    fn replay_touches(&self, touched: BTreeMap<Key, Activity>) -> Result<(), DbError> {
        for (key, activity) in touched {
            if let Some(record) = self.in_files(&key)? {
                record.touch(activity);
                self.hot.with(&key.locator, |shard| shard.put(record));
            }
        }
        Ok(())
    }
}

/// The journal has eight segments: two take turns, the others are for when a checkpoint lags.
fn layout(options: &EmbeddedStoreBuilder, directory: &Directory) -> Layout {
    const SMALLEST: u64 = 64 * 1024;
    const LARGEST: u64 = 64 * 1024 * 1024;
    let segment_bytes = (options.max_journal_bytes / 8).clamp(SMALLEST, LARGEST) / 4096 * 4096;
    let max_segments = (options.max_journal_bytes / segment_bytes).max(2);
    Layout {
        directory: directory.journal(),
        segment_bytes: segment_bytes as usize,
        max_segments: usize::try_from(max_segments).unwrap_or(usize::MAX),
        access: match options.durability {
            Durability::EveryCommit => Access::WriteForSync,
            Durability::Interval(_) if options.map => Access::MapIfPossible,
            Durability::Interval(_) => Access::Write,
        },
    }
}

fn replay(
    hot: &Hot,
    principals: &Principals,
    touched: &mut BTreeMap<Key, Activity>,
    entry: &Entry<'_>,
) -> io::Result<()> {
    let key = entry.key;
    match entry.kind {
        Kind::Put | Kind::PutFiled => {
            let record = Record::decode(key, Activity::from_bits(entry.number), entry.payload)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            touched.remove(&key);
            hot.with(&key.locator, |shard| {
                let before = known(shard.find(&key));
                // A power cut may have taken the entry by which it was filed, and left this one.
                let is_news = entry.kind == Kind::PutFiled || before.is_none();
                let before = before.as_ref().and_then(Record::principal);
                principals.changed(key, before, record.principal());
                let slice = keys::slice_of(record.expires_at()).filter(|_| is_news);
                if let Some(slice) = slice {
                    shard.file(key, slice);
                }
                shard.put(record);
            });
        }
        Kind::Touch => {
            let activity = Activity::from_bits(entry.number);
            match hot.with(&key.locator, |shard| shard.find(&key)) {
                // What the journal puts is marked as changed already.
                Lookup::Record(record) => record.touch(activity),
                Lookup::Absent => {}
                Lookup::Cold => {
                    touched.entry(key).and_modify(|known| *known = known.merge(activity)).or_insert(activity);
                }
            }
        }
        Kind::Remove => {
            touched.remove(&key);
            hot.with(&key.locator, |shard| {
                if let Some(record) = known(shard.find(&key)) {
                    principals.changed(key, record.principal(), None);
                }
                shard.remove(&key);
            });
        }
        Kind::Epoch => {
            let principal = std::str::from_utf8(entry.payload)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            principals.restore_epoch(key.namespace, principal, entry.number);
        }
    }
    Ok(())
}

fn known(lookup: Lookup) -> Option<Record> {
    match lookup {
        Lookup::Record(record) => Some(record),
        Lookup::Absent | Lookup::Cold => None,
    }
}
