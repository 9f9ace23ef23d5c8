//! Why an embedded store cannot be opened.

use std::io;
use std::path::{Path, PathBuf};

use super::db::DbError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An embedded store could not be opened. No record in its directory was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// What the directory holds is damaged.
    #[error(
        "opening the session store in {path} failed: {what}; restore the directory from a backup, or move it away to start empty"
    )]
    Corrupted {
        /// The directory.
        path: PathBuf,
        /// The damage.
        what: String,
        /// Why.
        #[source]
        source: Option<Source>,
    },
    /// The disk is full.
    #[error(
        "opening the session store in {path} failed: the disk is full; free some space (the journal takes max_journal_bytes at most)"
    )]
    Full {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Another process, or another store of this one, has the directory open.
    #[error(
        "opening the session store in {path} failed: another process has it open, or another store of this one; use another directory, stop the other process, or close the other store"
    )]
    Held {
        /// The directory.
        path: PathBuf,
    },
    /// The system refused for another reason.
    #[error("opening the session store in {path} failed: {source}; see to that, or use another directory")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A newer version of the library wrote it.
    #[error(
        "opening the session store in {path} failed: it has format {found}, and this version knows up to {known}; use the newer version that wrote it"
    )]
    NewerFormat {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The path is something other than a directory.
    #[error("opening the session store in {path} failed: it is not a directory; name a directory")]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// The directory may not be written.
    #[error(
        "opening the session store in {path} failed: it cannot be written; give this user the right to write there, or use another directory"
    )]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Unwritable { path, source }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path, source },
            io::ErrorKind::NotADirectory => Self::NotADirectory { path },
            io::ErrorKind::InvalidData => Self::Corrupted { path, what: source.to_string(), source: None },
            _ => Self::Io { path, source },
        }
    }

    /// A part of the directory is not there.
    pub(super) fn missing(path: &Path, what: &str) -> Self {
        Self::Corrupted { path: path.to_owned(), what: what.to_owned(), source: None }
    }

    pub(super) fn files(path: &Path, error: DbError) -> Self {
        match error {
            DbError::Fjall(fjall::Error::Io(source)) => Self::io(path, source),
            error => Self::Corrupted {
                path: path.to_owned(),
                what: error.to_string(),
                source: Some(Box::new(error)),
            },
        }
    }
}
