//! Stores by URL, for programs whose operators choose one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

#[cfg(feature = "embedded")]
use super::{Durability, EmbeddedStore, OpenError};
use super::{MemoryStore, Store};
use crate::error::StoreError;

/// What the URL of a store says.
///
/// | URL | store |
/// |---|---|
/// | `embedded:DIRECTORY` | [`EmbeddedStore`] in that directory, all else by default |
/// | `embedded:DIRECTORY?durability=every-commit` | the same with [`Durability::EveryCommit`]; `interval` is the default |
/// | `memory:` | [`MemoryStore`], all by default |
///
/// ```
/// use coatroom::store::StoreUrl;
///
/// let store = "memory:".parse::<StoreUrl>()?.open()?;
/// let sessions = coatroom::SessionManager::builder_shared(store.shared()).build()?;
/// # let _ = sessions;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreUrl {
    /// `embedded:`
    #[cfg(feature = "embedded")]
    Embedded {
        /// Where the files lie.
        directory: PathBuf,
        /// What a power cut may cost.
        durability: Durability,
    },
    /// `memory:`
    Memory,
}

/// A URL names no store. Says which forms there are.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct StoreUrlError(&'static str);

const FORMS: StoreUrlError = StoreUrlError(
    "a store is embedded:DIRECTORY, such as embedded:./coatroom-data, embedded:DIRECTORY?durability=every-commit, or memory:",
);
const DURABILITIES: StoreUrlError = StoreUrlError(
    "the durability of a store is interval or every-commit, as in embedded:DIRECTORY?durability=every-commit",
);

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(url: &str) -> Result<Self, StoreUrlError> {
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("embedded", place)) => embedded(place),
            _ => Err(FORMS),
        }
    }
}

fn embedded(place: &str) -> Result<StoreUrl, StoreUrlError> {
    let (directory, durability) = match place.split_once("?durability=") {
        None => (place, Durability::default()),
        Some((directory, "interval")) => (directory, Durability::default()),
        Some((directory, "every-commit")) => (directory, Durability::EveryCommit),
        Some(_) => return Err(DURABILITIES),
    };
    if directory.is_empty() {
        return Err(FORMS);
    }
    Ok(StoreUrl::Embedded { directory: directory.into(), durability })
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded { directory, durability } => {
                write!(f, "embedded:{}", directory.display())?;
                if *durability == Durability::EveryCommit {
                    f.write_str("?durability=every-commit")
                } else {
                    Ok(())
                }
            }
            Self::Memory => f.write_str("memory:"),
        }
    }
}

impl StoreUrl {
    /// Opens the store, blocking: for threads without an async runtime. A store on a server runs its
    /// connections on a thread of its own.
    ///
    /// # Errors
    ///
    /// Those of opening a store of the kind, which name the remedy.
    pub fn open(&self) -> Result<OpenStore, OpenStoreError> {
        Ok(OpenStore(match self {
            #[cfg(feature = "embedded")]
            Self::Embedded { directory, durability } => embedded_store(directory, *durability)?,
            Self::Memory => Kind::Memory(Arc::new(MemoryStore::new())),
        }))
    }

    /// Opens the store in an async runtime. A store on a server lives in it: it must last as long as
    /// the store is used. An embedded store blocks for a moment while its files are read.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancellation
    ///
    /// Dropping the future opens nothing.
    pub async fn connect(&self) -> Result<OpenStore, OpenStoreError> {
        self.open()
    }
}

#[cfg(feature = "embedded")]
fn embedded_store(directory: &Path, durability: Durability) -> Result<Kind, OpenError> {
    let store = EmbeddedStore::builder(directory).durability(durability).open()?;
    Ok(Kind::Embedded(Arc::new(store)))
}

/// A store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// An embedded one.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Embedded(#[from] OpenError),
}

/// A store that was opened by its URL. Clones are the same store.
#[derive(Clone, Debug)]
pub struct OpenStore(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Embedded(Arc<EmbeddedStore>),
    Memory(Arc<MemoryStore>),
}

impl OpenStore {
    /// The store, for [`SessionManager::builder_shared`](crate::SessionManager::builder_shared).
    #[must_use]
    pub fn shared(&self) -> Arc<dyn Store> {
        match &self.0 {
            Kind::Embedded(store) => store.clone(),
            Kind::Memory(store) => store.clone(),
        }
    }

    /// Brings everything to the disk and lets go of it, even where somebody still holds the store,
    /// whose calls then fail. Blocks; a second call does nothing. On a memory store it does nothing.
    ///
    /// # Errors
    ///
    /// Those of [`EmbeddedStore::close`].
    pub fn close(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Embedded(store) => store.close(),
            Kind::Memory(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> StoreUrl {
        url.parse().unwrap()
    }

    #[test]
    fn a_url_names_a_kind_and_perhaps_a_directory() {
        let directory = PathBuf::from("/tmp/a:b");
        let durability = Durability::default();
        assert_eq!(parsed("memory:"), StoreUrl::Memory);
        assert_eq!(parsed("embedded:/tmp/a:b"), StoreUrl::Embedded { directory, durability });
    }

    #[test]
    fn a_url_may_ask_for_durability() {
        let directory = PathBuf::from("data");
        let durability = Durability::EveryCommit;
        assert_eq!(parsed("embedded:data?durability=interval"), parsed("embedded:data"));
        assert_eq!(
            parsed("embedded:data?durability=every-commit"),
            StoreUrl::Embedded { directory, durability }
        );
        assert!(
            "embedded:data?durability=never"
                .parse::<StoreUrl>()
                .unwrap_err()
                .to_string()
                .contains("every-commit")
        );
    }

    #[test]
    fn other_texts_are_told_the_forms() {
        for text in
            ["", "memory", "memory:x", "embedded:", "embedded:?durability=interval", "http://x", "./data"]
        {
            let error = text.parse::<StoreUrl>().unwrap_err().to_string();
            assert!(error.contains("embedded:DIRECTORY"), "{text}");
        }
    }

    #[test]
    fn a_url_is_written_as_it_is_read() {
        for url in ["memory:", "embedded:data", "embedded:data?durability=every-commit"] {
            assert_eq!(parsed(url).to_string(), url);
        }
    }
}
