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
use super::hot::Hot;
use super::journal::{Access, Entry, Journal, Kind, Layout, Traces};
use super::keeper::{Trouble, Waiters};
use super::principals::Principals;
use super::shard::Lookup;
use super::{Durability, EmbeddedStoreBuilder};
use crate::id::Key;
use crate::record::{Activity, Record};

impl Core {
    pub(super) fn open(options: &EmbeddedStoreBuilder) -> Result<Self, OpenError> {
        let path: &Path = &options.path;
        let files_failed = |error| OpenError::files(path, error);
        let directory = Directory::hold(path)?;
        let (db, marked) = open_files(path, &directory)?;
        let empty = db.range(keys::ALL_RECORDS.0, keys::ALL_RECORDS.1).map(|mut all| all.next().is_none());
        let hot = Hot::new(options.hot_bytes, empty.map_err(files_failed)?);
        let (principals, mut touched) = (Principals::default(), BTreeMap::new());
        let (spare_wanted, checkpoint_wanted) = (Arc::<Bell>::default(), Arc::<Bell>::default());
        let layout = layout(options, &directory);
        let journal = Journal::open(
            layout,
            marked.unwrap_or(0),
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
            closing: Bell::default(),
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

/// The files, and the checkpoint that they are marked with; `None` where they are new.
fn open_files(path: &Path, directory: &Directory) -> Result<(Db, Option<u64>), OpenError> {
    let traces = Traces::of(&directory.journal()).map_err(|error| OpenError::io(path, error))?;
    if traces.begun && !directory.files().exists() {
        return Err(OpenError::missing(
            path,
            "its directory \"files\" is missing, though the journal is there",
        ));
    }
    let files_failed = |error| OpenError::files(path, error);
    let db = Db::open(&directory.files()).map_err(files_failed)?;
    let mark = db.get(keys::CHECKPOINT).map_err(files_failed)?;
    let marked = mark.map(|mark| keys::number(&mark)).transpose().map_err(files_failed)?;
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
    Ok((db, marked))
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
            touched.remove(&key);
            replay_put(hot, principals, entry)?;
        }
        Kind::Touch => replay_touch(hot, touched, key, Activity::from_bits(entry.number)),
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
            let principal = std::str::from_utf8(entry.payload).map_err(invalid)?;
            principals.restore_epoch(key.namespace, principal, entry.number);
        }
    }
    Ok(())
}

fn replay_put(hot: &Hot, principals: &Principals, entry: &Entry<'_>) -> io::Result<()> {
    let key = entry.key;
    let record = Record::decode(key, Activity::from_bits(entry.number), entry.payload).map_err(invalid)?;
    hot.with(&key.locator, |shard| {
        let before = known(shard.find(&key));
        // A power cut may have taken the entry by which it was filed, and left this one.
        let is_news = entry.kind == Kind::PutFiled || before.is_none();
        principals.changed(key, before.as_ref().and_then(Record::principal), record.principal());
        if let Some(slice) = keys::slice_of(record.expires_at()).filter(|_| is_news) {
            shard.file(key, slice);
        }
        shard.put(record);
    });
    Ok(())
}

fn replay_touch(hot: &Hot, touched: &mut BTreeMap<Key, Activity>, key: Key, activity: Activity) {
    match hot.with(&key.locator, |shard| shard.find(&key)) {
        // What the journal puts is marked as changed already.
        Lookup::Record(record) => record.touch(activity),
        Lookup::Absent => {}
        Lookup::Cold => {
            touched.entry(key).and_modify(|known| *known = known.merge(activity)).or_insert(activity);
        }
    }
}

fn known(lookup: Lookup) -> Option<Record> {
    match lookup {
        Lookup::Record(record) => Some(record),
        Lookup::Absent | Lookup::Cold => None,
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
