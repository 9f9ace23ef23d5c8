//! A disk that fails, or is slow, when a test says so, right where the journal asks it for something.

use std::io;

use parking_lot::Mutex;
use rustix::io::Errno;

use crate::store::embedded::hook::Hook;

#[derive(Debug, Default)]
pub(in crate::store::embedded) struct Faults {
    set: Mutex<Set>,
    /// Where a sync brings a file to the disk.
    pub(in crate::store::embedded) syncing: Hook,
}

#[derive(Debug, Default)]
struct Set {
    write: Option<Errno>,
    sync: Option<Errno>,
}

impl Faults {
    /// Every write fails so from now on.
    pub(in crate::store::embedded) fn fail_writes(&self, errno: Errno) {
        self.set.lock().write = Some(errno);
    }

    /// The next sync fails so, and those after it succeed: that is what Linux does with an error
    /// that it has reported once.
    pub(in crate::store::embedded) fn fail_one_sync(&self, errno: Errno) {
        self.set.lock().sync = Some(errno);
    }

    pub(super) fn on_write(&self) -> io::Result<()> {
        self.set.lock().write.map_or(Ok(()), |errno| Err(errno.into()))
    }

    pub(super) fn on_sync(&self) -> io::Result<()> {
        self.syncing.come_by();
        self.set.lock().sync.take().map_or(Ok(()), |errno| Err(errno.into()))
    }
}
