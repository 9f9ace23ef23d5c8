//! The journal: what was acknowledged since the last checkpoint, in the order of its commits.
//!
//! A ring of preallocated segments. Every use of a segment has an epoch of its own, one higher than
//! the last. An entry is appended under the lock of its record's shard, so that the journal's order
//! is the order of commits for each key. A full segment is sealed; once a checkpoint has carried
//! over what it says, it is used again.

mod entry;
#[cfg(test)]
mod faults;
mod recovery;
mod segment;
mod segment_mapped;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use self::entry::END;
pub(super) use self::entry::{Entry, Kind};
pub(super) use self::recovery::Traces;
pub(super) use self::segment::Access;
use self::segment::{FIRST, Segment};
use super::bell::Bell;

/// Sizes and places.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) directory: PathBuf,
    pub(super) segment_bytes: usize,
    /// At least 2.
    pub(super) max_segments: usize,
    pub(super) access: Access,
}

/// Bytes appended since the store was opened: what `fdatasync` has covered is told by one.
pub(super) type Position = u64;

/// Why an entry was not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Every segment waits for its checkpoint, or the disk has no room for another one.
    NoRoom,
    /// It exceeds what a segment takes.
    TooLarge { size: usize, limit: usize },
    /// The disk failed. The journal takes nothing any more, since nobody knows what the disk has.
    Failed(Arc<io::Error>),
}

pub(super) struct Journal {
    layout: Layout,
    state: Mutex<State>,
    /// Rung when no spare segment is left.
    spare_wanted: Arc<Bell>,
    /// Rung when a segment was sealed because it is full.
    checkpoint_wanted: Arc<Bell>,
    #[cfg(test)]
    pub(super) faults: faults::Faults,
}

struct State {
    active: Segment,
    epoch: u64,
    at: usize,
    sealed: Vec<Sealed>,
    /// The one used last comes first: its pages are warm.
    free: Vec<Segment>,
    position: Position,
    failed: Option<Arc<io::Error>>,
    next_file: u32,
    /// Up to where the active segment's memory was written since it was begun or last synced: the
    /// kernel lets more be written to these pages without a word.
    warm: usize,
    syncing: bool,
}

struct Sealed {
    epoch: u64,
    path: PathBuf,
    /// `None` when it comes from an earlier run; it is opened once it is free.
    segment: Option<Segment>,
    synced: bool,
}

impl Journal {
    /// Appends an entry: it is in the kernel when this returns, so that it outlives the process.
    pub(super) fn append(&self, entry: &Entry<'_>) -> Result<Position, Refusal> {
        let mut state = self.state.lock();
        if let Some(failure) = &state.failed {
            return Err(Refusal::Failed(Arc::clone(failure)));
        }
        if !state.fits(entry) {
            let limit = self.max_payload();
            if entry.payload.len() > limit {
                return Err(Refusal::TooLarge { size: entry.payload.len(), limit });
            }
            self.rotate(&mut state)?;
            self.checkpoint_wanted.ring();
            if !state.fits(entry) {
                return Err(Refusal::NoRoom);
            }
        }
        #[cfg(test)]
        self.faults.on_write().map_err(|error| state.fail(error))?;
        state.write(entry).map_err(|error| state.fail(error))?;
        Ok(state.position)
    }

    /// Appends an entry if that needs no waiting: no other thread is at it, no other segment is
    /// needed, and the entry goes into memory that was written to before. Otherwise does nothing.
    pub(super) fn append_at_hand(&self, entry: &Entry<'_>) -> bool {
        let Some(mut state) = self.state.try_lock() else { return false };
        let is_warm = state.at + entry.room() + END <= state.warm && !state.syncing;
        is_warm && state.failed.is_none() && state.fits(entry) && state.write(entry).is_ok()
    }

    /// The largest payload an entry can have.
    pub(super) fn max_payload(&self) -> usize {
        self.layout.segment_bytes - reserve(self.layout.segment_bytes) - FIRST - END - entry::HEAD - 8
    }

    /// Seals what was appended so far, and returns the epoch through which everything is sealed.
    /// What the sealed segments say can be carried over from now on.
    pub(super) fn seal(&self) -> u64 {
        let mut state = self.state.lock();
        if state.at > FIRST && state.failed.is_none() {
            // Without a spare segment the active one stays; there are sealed ones to free then.
            let _ = self.rotate(&mut state);
        }
        state.sealed.iter().map(|sealed| sealed.epoch).max().unwrap_or(0)
    }

    /// Takes segments of this and earlier epochs back into use: a checkpoint has carried them over,
    /// and it is on disk.
    pub(super) fn recycle(&self, through: u64) {
        let mut surplus = Vec::new();
        let mut state = self.state.lock();
        let (done, kept) = std::mem::take(&mut state.sealed).into_iter().partition(|s| s.epoch <= through);
        state.sealed = kept;
        let done: Vec<Sealed> = done;
        for mut sealed in done {
            match sealed.segment.take() {
                Some(segment) if state.free.len() < SPARES => state.free.push(segment),
                segment => surplus.push((segment, sealed.path)),
            }
        }
        if state.free.is_empty() {
            self.spare_wanted.ring();
        }
        // Giving blocks back to the disk takes its time, and commits need the lock.
        drop(state);
        for (segment, path) in surplus {
            drop(segment);
            // Left behind, it is taken over or removed at the next start.
            let _ = std::fs::remove_file(&path);
        }
    }

    /// Makes a spare segment if there is none and the limit allows one more.
    pub(super) fn prepare_spare(&self) -> io::Result<()> {
        let path = {
            let mut state = self.state.lock();
            if !state.free.is_empty() || 1 + state.sealed.len() >= self.layout.max_segments {
                return Ok(());
            }
            state.next_path(&self.layout)
        };
        let segment = Segment::allocate(path, self.layout.segment_bytes, self.layout.access)?;
        File::open(&self.layout.directory)?.sync_all()?;
        self.state.lock().free.push(segment);
        Ok(())
    }

    /// Whether there is a spare segment, so that whoever waits for room may try again.
    pub(super) fn has_room(&self) -> bool {
        let state = self.state.lock();
        !state.free.is_empty() || state.failed.is_some()
    }

    /// Whether half of the segments wait for their checkpoint.
    pub(super) fn is_pressed(&self) -> bool {
        2 * self.state.lock().sealed.len() >= self.layout.max_segments
    }

    /// Brings what was appended so far to the disk; returns up to where. For one thread at a time.
    pub(super) fn sync(&self) -> Result<Position, Arc<io::Error>> {
        let (files, target, epoch) = {
            let mut state = self.state.lock();
            if let Some(failure) = &state.failed {
                return Err(Arc::clone(failure));
            }
            state.syncing = true;
            (state.unsynced(), state.position, state.epoch)
        };
        let synced = files.iter().try_for_each(|file| self.bring_to_disk(file));
        let mut state = self.state.lock();
        (state.syncing, state.warm) = (false, 0);
        // After a failed fsync the kernel may have dropped the pages, and a second one would
        // succeed over the loss: there is no second one.
        synced.map_err(|error| state.remember(error))?;
        state.sealed.iter_mut().filter(|sealed| sealed.epoch < epoch).for_each(|sealed| sealed.synced = true);
        Ok(target)
    }

    /// Brings everything to the disk and takes nothing any more.
    pub(super) fn close(&self) -> Result<(), Arc<io::Error>> {
        let synced = self.sync();
        self.state.lock().remember(io::Error::other("the store was closed"));
        synced.map(drop)
    }

    /// Bytes appended so far.
    pub(super) fn position(&self) -> Position {
        self.state.lock().position
    }

    /// The failure after which nothing is taken any more.
    pub(super) fn failure(&self) -> Option<Arc<io::Error>> {
        self.state.lock().failed.clone()
    }

    /// Whether segments are mapped into memory.
    pub(super) fn is_mapped(&self) -> bool {
        self.state.lock().active.is_mapped()
    }

    fn bring_to_disk(&self, file: &File) -> io::Result<()> {
        #[cfg(test)]
        self.faults.on_sync()?;
        file.sync_data()
    }

    fn rotate(&self, state: &mut State) -> Result<(), Refusal> {
        let mut next = state.free.pop().ok_or(Refusal::NoRoom)?;
        next.begin(state.epoch + 1).map_err(|error| state.fail(error))?;
        let full = std::mem::replace(&mut state.active, next);
        let path = full.path.clone();
        state.sealed.push(Sealed { epoch: state.epoch, path, segment: Some(full), synced: false });
        state.epoch += 1;
        (state.at, state.warm) = (FIRST, 0);
        if state.free.is_empty() {
            self.spare_wanted.ring();
        }
        Ok(())
    }
}

/// The least that a page of memory has.
const PAGE: usize = 4096;

/// Free segments that are kept rather than given back to the disk.
const SPARES: usize = 3;

/// What is kept back in the last segment for ending sessions.
fn reserve(segment_bytes: usize) -> usize {
    segment_bytes / 16
}

impl State {
    fn fits(&self, entry: &Entry<'_>) -> bool {
        let kept_back =
            if entry.kind.is_urgent() || !self.free.is_empty() { 0 } else { reserve(self.active.len()) };
        self.at + entry.room() + END + kept_back <= self.active.len()
    }

    /// Writes an entry that fits.
    fn write(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        self.active.write(self.at, self.epoch, entry)?;
        if self.active.is_mapped() {
            self.warm = self.warm.max((self.at + entry.room() + END).next_multiple_of(PAGE));
        }
        self.at += entry.room();
        self.position += entry.room() as u64;
        Ok(())
    }

    fn unsynced(&self) -> Vec<Arc<File>> {
        let sealed = self.sealed.iter().filter(|sealed| !sealed.synced).filter_map(|s| s.segment.as_ref());
        sealed.chain([&self.active]).map(Segment::file).collect()
    }

    fn fail(&mut self, error: io::Error) -> Refusal {
        Refusal::Failed(self.remember(error))
    }

    fn remember(&mut self, error: io::Error) -> Arc<io::Error> {
        Arc::clone(self.failed.get_or_insert(Arc::new(error)))
    }

    fn next_path(&mut self, layout: &Layout) -> PathBuf {
        self.next_file += 1;
        recovery::path_of(&layout.directory, self.next_file)
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("layout", &self.layout).finish_non_exhaustive()
    }
}
