//! After a failed sync: what was not brought to the disk is written again, into fresh files.
//!
//! Linux reports a failed write-back once and takes the pages for clean from then on, whatever the
//! disk has of them. A second sync of the same file succeeds over the loss, and reading the file
//! shows what only memory has. So nothing of it can be relied on until it lies in other blocks,
//! synced without an error. A marker in the directory tells the next process, which finds the same
//! pages in memory; a power cut takes marker and pages alike.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const MARKER: &str = "unsynced";

/// A sync below `directory` has failed.
pub(super) fn mark(directory: &Path) {
    if let Err(error) = File::create(directory.join(MARKER)) {
        tracing::error!(path = %directory.display(), %error, "noting that a sync failed has failed too; restore the directory from a backup if the machine stays up and the store is opened again");
    }
}

/// Writes again what an earlier run could not sync, if there is such a thing.
pub(super) fn renew_if_marked(directory: &Path) -> io::Result<()> {
    if !directory.join(MARKER).exists() {
        return Ok(());
    }
    tracing::warn!(path = %directory.display(), "a sync has failed in an earlier run; what it was to cover is written again");
    for part in ["journal", "files"] {
        let part = directory.join(part);
        if part.exists() {
            renew(&part)?;
        }
    }
    fs::remove_file(directory.join(MARKER))
}

/// Writes the files below `directory` again. Tables are left alone: fjall names one only after it
/// was synced without an error.
pub(super) fn renew(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        if kind.is_dir() && path.file_name() != Some(OsStr::new(TABLES)) {
            renew(&path)?;
        } else if path.extension() == Some(OsStr::new(FRESH)) {
            fs::remove_file(&path)?;
        } else if kind.is_file() {
            renew_file(&path)?;
        }
    }
    File::open(directory)?.sync_all()
}

/// The bytes on the disk of the largest file that [`renew`] writes again: as much room as it needs, since
/// each is put in the place of the one before.
pub(super) fn largest(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() && entry.file_name() != TABLES => largest(&entry.path()),
        Ok(found) if found.is_file() => on_disk(&found),
        _ => 0,
    });
    sizes.max().unwrap_or(0)
}

/// fjall allocates some in advance.
#[cfg(unix)]
fn on_disk(found: &fs::Metadata) -> u64 {
    found.len().min(std::os::unix::fs::MetadataExt::blocks(found) * 512)
}

#[cfg(not(unix))]
fn on_disk(found: &fs::Metadata) -> u64 {
    found.len()
}

const TABLES: &str = "tables";
const FRESH: &str = "fresh";

/// By reading and writing: a copy within the file system may share the blocks that are in doubt.
fn renew_file(path: &Path) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(FRESH);
    let fresh = PathBuf::from(name);
    let written = write_again(path, &fresh).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        // On a disk that is full it would only take room.
        let _ = fs::remove_file(&fresh);
    }
    written
}

fn write_again(path: &Path, fresh: &Path) -> io::Result<()> {
    let bytes = fs::read(path)?;
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut file = File::create(fresh)?;
    file.set_permissions(fs::metadata(path)?.permissions())?;
    file.write_all(&bytes[..end])?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}
