//! The store and the manager, as the command line wants them.

use std::path::Path;
use std::sync::Arc;

use coatroom::store::{Durability, EmbeddedStore, OpenError};
use coatroom::{ConfigError, CookieOptions, MemoryStore, SessionManager, Store, StoreError};

use crate::cli::{Demo, DurabilityChoice, StoreChoice};

/// A store that can be closed at the end.
#[derive(Debug)]
pub(super) enum Opened {
    Embedded(Arc<EmbeddedStore>),
    Memory(Arc<MemoryStore>),
}

impl Opened {
    /// Opens the store that was chosen.
    pub(super) fn new(options: &Demo) -> Result<Self, OpenError> {
        match &options.store {
            StoreChoice::Memory => Ok(Self::Memory(Arc::new(MemoryStore::new()))),
            StoreChoice::Embedded(directory) => {
                let store = embedded(directory, options.durability.unwrap_or_default())?;
                Ok(Self::Embedded(Arc::new(store)))
            }
        }
    }

    /// The store itself.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Embedded(store) => store.clone(),
            Self::Memory(store) => store.clone(),
        }
    }

    /// Brings everything to the disk and lets go of the directory, even where a request that was
    /// cut off still holds the store. Blocks.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Embedded(store) => store.close(),
            Self::Memory(_) => Ok(()),
        }
    }
}

fn embedded(directory: &Path, durability: DurabilityChoice) -> Result<EmbeddedStore, OpenError> {
    let durability = match durability {
        DurabilityChoice::Interval => Durability::default(),
        DurabilityChoice::EveryCommit => Durability::EveryCommit,
    };
    EmbeddedStore::builder(directory).durability(durability).open()
}

/// A manager with the cookie of a plain-HTTP demo on this machine.
pub(super) fn sessions(store: Arc<dyn Store>, options: &Demo) -> Result<SessionManager, ConfigError> {
    SessionManager::builder_shared(store)
        .namespace("demo")
        .cookie(CookieOptions::new().name("coatroom-demo").insecure_plain_http_for_localhost())
        .idle_timeout(options.idle_timeout)
        .lifetime(options.lifetime)
        .build()
}
