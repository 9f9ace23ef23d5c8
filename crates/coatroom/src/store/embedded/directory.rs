//! The directory of a store: one process at a time, one format, one owner.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::error::OpenError;
use super::renew;

/// The newest format known here.
const FORMAT: u32 = 1;
const FORMAT_LINE: &str = "coatroom embedded store, format ";

/// A directory that this process holds until [`Directory::release`].
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    lock: Mutex<Option<File>>,
}

impl Directory {
    /// Takes the directory, and makes it if it is not there.
    pub(super) fn hold(path: &Path) -> Result<Self, OpenError> {
        let io = |error| OpenError::io(path, error);
        if path.exists() && !path.is_dir() {
            return Err(OpenError::NotADirectory { path: path.to_owned() });
        }
        make(path).and_then(|()| sync_parent(path)).map_err(io)?;
        let lock = open_lock(&path.join("lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Held { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let directory = Self { path: path.to_owned(), lock: Mutex::new(Some(lock)) };
        directory.check_format()?;
        make(&directory.journal()).and_then(|()| File::open(path)?.sync_all()).map_err(io)?;
        renew::renew_if_marked(path).map_err(io)?;
        Ok(directory)
    }

    /// Where the segments of the journal lie.
    pub(super) fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// Where fjall keeps its files.
    pub(super) fn files(&self) -> PathBuf {
        self.path.join("files")
    }

    /// Whether there is room for a megabyte, for real, and for the files to be written again.
    pub(super) fn takes_writes(&self) -> bool {
        if room(&self.path).is_some_and(|room| room < renew::largest(&self.files()) + PROBE as u64) {
            return false;
        }
        let probe = self.path.join("probe");
        let written = File::create(&probe)
            .and_then(|mut file| file.write_all(&vec![1; PROBE]).and_then(|()| file.sync_all()));
        let _ = fs::remove_file(&probe);
        written.is_ok()
    }

    /// A sync has failed here.
    pub(super) fn mark_unsynced(&self) {
        renew::mark(&self.path);
    }

    /// Lets another process have it.
    pub(super) fn release(&self) {
        drop(self.lock.lock().take());
    }

    fn check_format(&self) -> Result<(), OpenError> {
        let corrupted = |what: &str| OpenError::Corrupted {
            path: self.path.clone(),
            what: what.to_owned(),
            source: None,
        };
        match fs::read_to_string(self.path.join("format")) {
            Ok(text) => {
                let number = text.strip_prefix(FORMAT_LINE).and_then(|rest| rest.trim_end().parse().ok());
                match number {
                    None => Err(corrupted("the file \"format\" is not readable")),
                    Some(found) if found > FORMAT => {
                        Err(OpenError::NewerFormat { path: self.path.clone(), found, known: FORMAT })
                    }
                    Some(FORMAT) => Ok(()),
                    Some(_) => Err(corrupted("the file \"format\" names none")),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.journal().exists() || self.files().exists() {
                    return Err(corrupted("the file \"format\" is missing"));
                }
                self.write_format().map_err(|error| OpenError::io(&self.path, error))
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(corrupted("the file \"format\" is not readable"))
            }
            Err(error) => Err(OpenError::io(&self.path, error)),
        }
    }

    /// The first thing that is written, and written whole or not at all.
    fn write_format(&self) -> io::Result<()> {
        let new = self.path.join("format.new");
        let mut file = File::create(&new)?;
        writeln!(file, "{FORMAT_LINE}{FORMAT}")?;
        file.sync_all()?;
        fs::rename(new, self.path.join("format"))?;
        File::open(&self.path)?.sync_all()
    }
}

/// A directory for its owner alone: sessions are nobody else's business.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

const PROBE: usize = 1 << 20;

/// Bytes that are free for this user, by what the file system says; a quota may allow fewer.
#[cfg(target_os = "linux")]
fn room(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    let blocks = if rustix::process::geteuid().is_root() { found.f_bfree } else { found.f_bavail };
    Some(blocks.saturating_mul(found.f_frsize))
}

#[cfg(not(target_os = "linux"))]
fn room(_: &Path) -> Option<u64> {
    None
}

/// So that a directory that was just made is still there after a power cut.
fn sync_parent(path: &Path) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    // Where only the store's own directory may be opened, whoever made the one above answers for it.
    path.parent().and_then(|parent| File::open(parent).ok()).map_or(Ok(()), |parent| parent.sync_all())
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
