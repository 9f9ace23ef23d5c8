//! Stores that were opened by their URL.

#[cfg(feature = "embedded")]
use std::path::Path;
use std::sync::Arc;

use super::StoreUrl;
use crate::error::StoreError;
#[cfg(any(feature = "postgres", feature = "redis"))]
use crate::store::ConnectError;
#[cfg(feature = "postgres")]
use crate::store::PostgresStore;
#[cfg(feature = "redis")]
use crate::store::RedisStore;
#[cfg(feature = "embedded")]
use crate::store::{Durability, EmbeddedStore, OpenError};
use crate::store::{Examination, MemoryStore, Store};

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
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Kind::Postgres(Arc::new(PostgresStore::open(url)?)),
            #[cfg(feature = "redis")]
            Self::Redis(url) => Kind::Redis(Arc::new(RedisStore::open(url)?)),
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
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => {
                Ok(OpenStore(Kind::Postgres(Arc::new(PostgresStore::connect(url).await?))))
            }
            #[cfg(feature = "redis")]
            Self::Redis(url) => Ok(OpenStore(Kind::Redis(Arc::new(RedisStore::connect(url).await?)))),
            _ => self.open(),
        }
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
    /// One on a server.
    #[cfg(any(feature = "postgres", feature = "redis"))]
    #[error(transparent)]
    Server(#[from] ConnectError),
}

/// A store that was opened by its URL. Clones are the same store.
#[derive(Clone, Debug)]
pub struct OpenStore(Kind);

#[derive(Clone, Debug)]
enum Kind {
    #[cfg(feature = "embedded")]
    Embedded(Arc<EmbeddedStore>),
    Memory(Arc<MemoryStore>),
    #[cfg(feature = "postgres")]
    Postgres(Arc<PostgresStore>),
    #[cfg(feature = "redis")]
    Redis(Arc<RedisStore>),
}

impl OpenStore {
    /// The store, for [`SessionManager::builder_shared`](crate::SessionManager::builder_shared).
    #[must_use]
    pub fn shared(&self) -> Arc<dyn Store> {
        match &self.0 {
            #[cfg(feature = "embedded")]
            Kind::Embedded(store) => store.clone(),
            Kind::Memory(store) => store.clone(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => store.clone(),
            #[cfg(feature = "redis")]
            Kind::Redis(store) => store.clone(),
        }
    }

    /// Brings everything to the disk and lets go of it, or of the server, even where somebody still
    /// holds the store, whose calls then fail. An embedded store blocks; a second call does nothing. On
    /// a memory store it does nothing.
    ///
    /// # Errors
    ///
    /// Those of [`EmbeddedStore::close`].
    pub fn close(&self) -> Result<(), StoreError> {
        match &self.0 {
            #[cfg(feature = "embedded")]
            Kind::Embedded(store) => store.close(),
            Kind::Memory(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => {
                store.close();
                Ok(())
            }
            #[cfg(feature = "redis")]
            Kind::Redis(store) => {
                store.close();
                Ok(())
            }
        }
    }

    /// What an operator should know of the store. Counts nothing: [`Store::count`] does.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    pub async fn examine(&self) -> Result<Examination, StoreError> {
        match &self.0 {
            #[cfg(feature = "embedded")]
            Kind::Embedded(store) => store.examine(),
            Kind::Memory(_) => Ok(Examination::of_memory()),
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => store.examine().await,
            #[cfg(feature = "redis")]
            Kind::Redis(store) => store.examine().await,
        }
    }
}
