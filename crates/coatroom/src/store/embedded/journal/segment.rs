//! One file of the journal, allocated in full before it is used.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::{END, Entry, HEAD};
use super::segment_mapped::MappedFile;

/// Where the first entry of a segment stands, behind magic, version, checksum and epoch.
pub(super) const FIRST: usize = 64;

const MAGIC: &[u8; 8] = b"coatjrnl";
const VERSION: u32 = 1;

/// How segments are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store::embedded) enum Access {
    /// Mapped where the file system allows it.
    MapIfPossible,
    /// By system calls, everywhere.
    Write,
    /// By system calls, into blocks that were written before: a sync of each commit then carries
    /// the data alone. Blocks that are only allocated cost a transaction of the file system with
    /// their first sync, and mapped pages a fault after each.
    WriteForSync,
}

pub(super) struct Segment {
    pub(super) path: PathBuf,
    file: Arc<File>,
    len: usize,
    mapped: Option<MappedFile>,
}

impl Segment {
    /// Makes the file, or takes an old one over, and allocates every block of it.
    pub(super) fn allocate(path: PathBuf, len: usize, access: Access) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        private(&mut options);
        let file = options.open(&path)?;
        if file.metadata()?.len() != len as u64 {
            file.set_len(0)?;
        }
        if let Err(error) = reserve(&file, len) {
            // Half a segment would only take room from a disk that has none.
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        if access == Access::WriteForSync {
            fill(&file, 0, len)?;
            file.sync_all()?;
        }
        let map = access == Access::MapIfPossible && can_map(&file);
        let mapped = if map { MappedFile::new(&file, len).ok() } else { None };
        Ok(Self { path, file: Arc::new(file), len, mapped })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_mapped(&self) -> bool {
        self.mapped.is_some()
    }

    /// For `fdatasync`, beside the writing.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Starts it anew: what lies in it from an earlier use counts no longer.
    pub(super) fn begin(&mut self, epoch: u64) -> io::Result<()> {
        let mut header = [0; FIRST + END];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&VERSION.to_le_bytes());
        header[16..24].copy_from_slice(&epoch.to_le_bytes());
        let checksum = crc32c::crc32c(&header[..FIRST]);
        header[12..16].copy_from_slice(&checksum.to_le_bytes());
        match &mut self.mapped {
            Some(mapped) => mapped.bytes()[..header.len()].copy_from_slice(&header),
            None => write_at(&self.file, &header, 0)?,
        }
        Ok(())
    }

    /// Writes an entry at `at`. The caller has checked that entry and end fit.
    pub(super) fn write(&mut self, at: usize, epoch: u64, entry: &Entry<'_>) -> io::Result<()> {
        let head = entry.head(epoch, at);
        match &mut self.mapped {
            Some(mapped) => {
                // The end first and the head last: whatever moment the process is killed at, an
                // entry that is not whole stands behind a length of zero or fails its checksum.
                let place = &mut mapped.bytes()[at..at + entry.room() + END];
                let (place, end) = place.split_at_mut(entry.room());
                end.fill(0);
                place[HEAD..HEAD + entry.payload.len()].copy_from_slice(entry.payload);
                place[..HEAD].copy_from_slice(&head);
                Ok(())
            }
            None => self.write_by_call(at, &head, entry),
        }
    }

    fn write_by_call(&self, at: usize, head: &[u8; HEAD], entry: &Entry<'_>) -> io::Result<()> {
        thread_local! {
            static BUFFER: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
        }
        BUFFER.with_borrow_mut(|buffer| {
            buffer.clear();
            buffer.extend_from_slice(head);
            buffer.extend_from_slice(entry.payload);
            buffer.resize(entry.room() + END, 0);
            write_at(&self.file, buffer, at)
        })
    }
}

/// The epoch in the header of a segment; `None` if it was never begun.
pub(super) fn epoch(bytes: &[u8]) -> Option<u64> {
    let mut header = *bytes.first_chunk::<FIRST>()?;
    let checksum = header[12..16].to_vec();
    header[12..16].fill(0);
    let sound = header.starts_with(MAGIC)
        && header[8..12] == VERSION.to_le_bytes()
        && checksum == crc32c::crc32c(&header).to_le_bytes();
    let epoch = header[16..].first_chunk::<8>()?;
    sound.then(|| u64::from_le_bytes(*epoch))
}

/// The epoch in the header of a file.
pub(super) fn epoch_of(path: &Path) -> io::Result<Option<u64>> {
    Ok(epoch(&start_of(path, FIRST)?))
}

/// The first bytes of a file, as many as there are up to `len`.
pub(super) fn start_of(path: &Path, len: usize) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut start = Vec::with_capacity(len);
    File::open(path)?.take(len as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// Takes every block from the disk now, so that writing cannot find it full.
#[cfg(target_os = "linux")]
fn reserve(file: &File, len: usize) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    match fallocate(file, FallocateFlags::empty(), 0, len as u64) {
        Err(rustix::io::Errno::OPNOTSUPP) => fill_rest(file, len),
        result => result.map_err(io::Error::from),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(file: &File, len: usize) -> io::Result<()> {
    fill_rest(file, len)
}

/// Where blocks cannot be reserved they are written. What lies there already stays.
fn fill_rest(file: &File, len: usize) -> io::Result<()> {
    fill(file, usize::try_from(file.metadata()?.len()).unwrap_or(len), len)
}

/// Page by page: Linux may keep what one call wrote in one piece as large as that, and then counts the
/// whole piece as written with each commit into it, though the disk takes far less.
fn fill(file: &File, mut at: usize, len: usize) -> io::Result<()> {
    const STEP: usize = 4096;
    let zeros = [0_u8; STEP];
    while at < len {
        let step = STEP.min(len - at);
        write_at(file, &zeros[..step], at)?;
        at += step;
    }
    Ok(())
}

/// Whether the file system writes a block where it was allocated. Copy-on-write ones promise
/// nothing: a write into memory that finds no room there would be SIGBUS.
#[cfg(target_os = "linux")]
fn can_map(file: &File) -> bool {
    const EXT: i128 = 0xEF53;
    const XFS: i128 = 0x5846_5342;
    const TMPFS: i128 = 0x0102_1994;
    rustix::fs::fstatfs(file).is_ok_and(|found| [EXT, XFS, TMPFS].contains(&i128::from(found.f_type)))
}

#[cfg(not(target_os = "linux"))]
fn can_map(_: &File) -> bool {
    false
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: usize) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at as u64)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: usize) -> io::Result<()> {
    use io::{Seek as _, Write as _};
    file.seek(io::SeekFrom::Start(at as u64))?;
    file.write_all(bytes)
}

/// A session's data is for its owner alone.
fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}
