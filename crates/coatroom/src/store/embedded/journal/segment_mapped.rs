//! A segment mapped into memory: the only `unsafe` of the library.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use memmap2::{MmapMut, MmapOptions};

/// A whole segment as memory. Writing to it is writing to the page cache of the kernel: it outlives
/// the process, also one that is killed.
pub(super) struct MappedFile(MmapMut);

impl MappedFile {
    /// Maps the first `len` bytes of `file`, all of which the caller has just allocated with
    /// `fallocate`.
    pub(super) fn new(file: &File, len: usize) -> io::Result<Self> {
        // SAFETY: memory of a file is sound to hold as a slice while nobody else changes the file
        // and the file keeps its length and its blocks. Line by line:
        // - Nobody else writes it: the directory is locked by this process for as long as the store
        //   is open (`directory.rs`), and within the process a segment is owned by the journal,
        //   which hands out the file itself for `fdatasync` alone.
        // - Nobody shortens it: it is created with mode 0600 in a directory with mode 0700, and the
        //   journal deletes a segment only after it has dropped its mapping.
        // - Every block is allocated: the caller ran `fallocate` over the whole length, on a file
        //   system that writes in place (`Segment::can_map`), so a full disk cannot raise SIGBUS.
        // - What remains is a disk that fails to read back a page, or a user of the same account
        //   who truncates the file: both end the process by SIGBUS rather than corrupt anything.
        let mapped = unsafe { MmapOptions::new().len(len).map_mut(file)? };
        // The pages are not faulted in ahead: that would make all of them dirty, and a small site
        // write 64 MiB of zeros. Two segments take turns, so they are warm from then on.
        Ok(Self(mapped))
    }

    /// The segment's bytes.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
