//! Opening the journal: whatever an earlier run left is read back, in order.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::entry::{Entry, HEAD, is_torn, whole_head};
use super::segment::{self, FIRST, Segment};
use super::{Journal, Layout, Sealed, State};
use crate::store::embedded::bell::Bell;

/// What there is of a journal before it is opened.
pub(in crate::store::embedded) struct Traces {
    /// Any segment; a store that was open once has two at least.
    pub(in crate::store::embedded) segments: bool,
    /// One that was written to.
    pub(in crate::store::embedded) begun: bool,
    /// Whether all that were ever begun are there.
    pub(in crate::store::embedded) whole: bool,
}

impl Traces {
    pub(in crate::store::embedded) fn of(directory: &Path) -> io::Result<Self> {
        let files = Files::list(directory)?;
        let begun = !files.by_epoch.is_empty();
        let whole = files.by_epoch.iter().zip(1..).all(|((epoch, _), nth)| *epoch == nth);
        Ok(Self { segments: begun || !files.never_begun.is_empty(), begun, whole })
    }
}

impl Journal {
    /// Opens the journal and hands every entry behind the checkpoint `after` to `replay`, in the
    /// order in which they were appended.
    ///
    /// A segment ends at its first entry that is not whole: the one that was being written when the
    /// process was killed, which nobody was told had been kept.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::InvalidData`] where segments are damaged in a way that
    /// neither a killed process nor a power cut leaves behind.
    pub(in crate::store::embedded) fn open(
        layout: Layout,
        after: u64,
        spare_wanted: Arc<Bell>,
        checkpoint_wanted: Arc<Bell>,
        replay: &mut dyn FnMut(&Entry<'_>) -> io::Result<()>,
    ) -> io::Result<Self> {
        let files = Files::list(&layout.directory)?;
        files.check(&layout.directory, after)?;
        let mut last = after;
        let (mut sealed, mut old) = (Vec::new(), Vec::new());
        for (epoch, path) in files.by_epoch {
            last = last.max(epoch);
            if epoch > after {
                read(&path, epoch, replay)?;
                sealed.push(Sealed { epoch, path, segment: None, synced: true });
            } else {
                old.push(path);
            }
        }
        old.extend(files.never_begun);
        let mut next_file = files.highest;
        let mut take = || match old.pop() {
            Some(path) => path,
            None => {
                next_file += 1;
                path_of(&layout.directory, next_file)
            }
        };
        // Two at least, so that one can be sealed while the other is written.
        let mut active = Segment::allocate(take(), layout.segment_bytes, layout.access)?;
        active.begin(last + 1)?;
        let spare = Segment::allocate(take(), layout.segment_bytes, layout.access)?;
        old.iter().try_for_each(std::fs::remove_file)?;
        std::fs::File::open(&layout.directory)?.sync_all()?;
        let state = State {
            active,
            epoch: last + 1,
            at: FIRST,
            sealed,
            free: vec![spare],
            position: 0,
            failed: None,
            next_file,
            warm: 0,
            syncing: false,
        };
        Ok(Self {
            layout,
            state: Mutex::new(state),
            spare_wanted,
            checkpoint_wanted,
            #[cfg(test)]
            faults: super::faults::Faults::default(),
        })
    }
}

fn read(path: &Path, epoch: u64, replay: &mut dyn FnMut(&Entry<'_>) -> io::Result<()>) -> io::Result<()> {
    let bytes = std::fs::read(path)?;
    let mut at = FIRST;
    while let Some(entry) = Entry::read(&bytes, epoch, at) {
        replay(&entry)?;
        at += entry.room();
    }
    if is_torn(&bytes, at) {
        report_cut(path, &bytes, epoch, at);
    }
    // It was in the kernel; now it is on the disk, as whoever asks for a flush may expect.
    std::fs::File::open(path)?.sync_data()
}

/// A killed process leaves one entry that is not whole, the last. Behind a page that a power cut took
/// there may be more; they came after the last sync, and following only some of a visitor's changes
/// would mix what never was.
fn report_cut(path: &Path, bytes: &[u8], epoch: u64, at: usize) {
    let behind = (at..bytes.len()).step_by(8).filter(|at| Entry::read(bytes, epoch, *at).is_some()).count();
    let segment = path.display();
    match behind {
        0 => {
            tracing::warn!(%segment, at, "the journal ends in an entry that is not whole; it is cut there");
        }
        _ => tracing::error!(
            %segment,
            at,
            behind,
            "the journal is cut at an entry that is not whole, and whole ones behind it are lost; after a power \
             cut those are what was not synced yet, otherwise the disk is failing: restore a backup"
        ),
    }
}

pub(super) fn path_of(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("segment-{number:06}"))
}

struct Files {
    by_epoch: Vec<(u64, PathBuf)>,
    never_begun: Vec<PathBuf>,
    highest: u32,
}

impl Files {
    fn list(directory: &Path) -> io::Result<Self> {
        let mut files = Self { by_epoch: Vec::new(), never_begun: Vec::new(), highest: 0 };
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            let number =
                path.file_name().and_then(|name| name.to_str()?.strip_prefix("segment-")?.parse().ok());
            let Some(number) = number else { continue };
            files.highest = files.highest.max(number);
            match segment::epoch_of(&path)? {
                Some(epoch) => files.by_epoch.push((epoch, path)),
                None => files.never_begun.push(path),
            }
        }
        files.by_epoch.sort();
        Ok(files)
    }

    /// Whether segments behind the checkpoint are missing, by what is left of the others.
    fn check(&self, directory: &Path, after: u64) -> io::Result<()> {
        let last = self.by_epoch.last().map_or(after, |(epoch, _)| after.max(*epoch));
        let is_there = |epoch| self.by_epoch.binary_search_by_key(&epoch, |(epoch, _)| *epoch).is_ok();
        let missing: Vec<u64> = (after + 1..=last + 1).filter(|epoch| !is_there(*epoch)).collect();
        for path in &self.never_begun {
            let start = segment::start_of(path, FIRST + HEAD)?;
            // A header and the first entry share a sector, so nothing but damage takes the one alone.
            if missing.iter().any(|epoch| whole_head(&start, *epoch, FIRST).is_some()) {
                let what = format!("the header of {} is damaged", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        // One is begun before a checkpoint comes to its end.
        let newest_is_missing = after > 0 && last == after;
        if newest_is_missing || missing.iter().any(|epoch| *epoch < last) {
            tracing::error!(
                directory = %directory.display(),
                "a segment of the journal is missing, and what was in it is lost; after a power cut that is what was \
                 not synced yet, otherwise files were removed: restore a backup"
            );
        }
        Ok(())
    }
}
