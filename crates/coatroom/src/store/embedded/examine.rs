//! What an operator should know of an embedded store.

use std::fs;
use std::io;
use std::path::Path;

use super::{Durability, EmbeddedStore};
use crate::error::StoreError;
use crate::store::Examination;

impl EmbeddedStore {
    /// What an operator should know of the store.
    ///
    /// # Errors
    ///
    /// When its directory cannot be read.
    pub fn examine(&self) -> Result<Examination, StoreError> {
        let path = &self.core.path;
        let failed = |error| {
            StoreError::unavailable_because(
                format!("examining the directory {} failed", path.display()),
                error,
            )
        };
        let bytes = bytes_below(path).map_err(failed)?;
        let free = bytes_free(path).map_err(failed)?;
        let mut found =
            Examination::of("embedded store, format 1").fact("directory", path.display().to_string());
        found.bytes = Some(bytes);
        found = found.fact(
            "durability",
            match self.core.durability {
                Durability::Interval(interval) => {
                    format!("a power cut costs at most {interval:?}, kill -9 nothing")
                }
                Durability::EveryCommit => "neither a power cut nor kill -9 costs a commit".to_owned(),
            },
        );
        if let Some(failure) = self.core.journal.failure() {
            found = found.endangered(format!(
                "the journal could not be written ({failure}): nothing more is acknowledged; open the store again on a sound disk",
            ));
        }
        if let Some(trouble) = self.core.trouble.why() {
            found = found.endangered(format!(
                "changes stay in the journal until it is full: {trouble}; look after the disk",
            ));
        }
        let journal = self.core.max_journal_bytes;
        if free < journal {
            found = found.endangered(format!(
                "the disk has {free} bytes left, less than the journal may take ({journal}): commits will fail; free some space",
            ));
        }
        Ok(found)
    }
}

fn bytes_free(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Of all files below a directory, as far as they take room.
fn bytes_below(path: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut sum = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let data = match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            data => data?,
        };
        sum += if data.is_dir() { bytes_below(&entry.path())? } else { data.blocks() * 512 };
    }
    Ok(sum)
}
