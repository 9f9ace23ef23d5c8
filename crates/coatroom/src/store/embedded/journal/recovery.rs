//! Opening the journal: whatever an earlier run left is read back, in order.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::entry::{Entry, is_torn};
use super::segment::{self, FIRST, Segment};
use super::{Journal, Layout, Sealed, State};
use crate::store::embedded::bell::Bell;

impl Journal {
    /// Opens the journal and hands every entry behind the checkpoint `after` to `replay`, in the
    /// order in which they were appended.
    ///
    /// A segment ends at its first entry that is not whole: the one that was being written when the
    /// process was killed, which nobody was told had been kept.
    pub(in crate::store::embedded) fn open(
        layout: Layout,
        after: u64,
        spare_wanted: Arc<Bell>,
        checkpoint_wanted: Arc<Bell>,
        replay: &mut dyn FnMut(&Entry<'_>) -> io::Result<()>,
    ) -> io::Result<Self> {
        let files = Files::list(&layout.directory)?;
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
        Ok(Self { layout, state: Mutex::new(state), spare_wanted, checkpoint_wanted })
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
        tracing::warn!(segment = %path.display(), at, "the journal ends in an entry that is not whole; it is cut there");
    }
    // It was in the kernel; now it is on the disk, as whoever asks for a flush may expect.
    std::fs::File::open(path)?.sync_data()
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
}
