//! Opening stores, by URL.

use std::path::Path;
use std::sync::Arc;

use coatroom::store::{Durability, EmbeddedStore};
use coatroom::{MemoryStore, StoreError};
use pyo3::prelude::*;

use crate::errors::{ConfigurationError, StoreUnavailable, of_store, with_sources};
use crate::process::Owner;

/// A store of sessions, for the process that opened it.
#[pyclass(module = "coatroom._native", frozen)]
#[derive(Debug)]
pub(crate) struct Store {
    kind: Kind,
    #[pyo3(get)]
    url: String,
    pub(crate) owner: Owner,
}

#[derive(Clone, Debug)]
enum Kind {
    Embedded(Arc<EmbeddedStore>),
    Memory(Arc<MemoryStore>),
}

#[pymethods]
impl Store {
    /// Opens a store.
    #[new]
    fn new(py: Python<'_>, url: String) -> PyResult<Self> {
        let kind = py.detach(|| Kind::open(&url))?;
        Ok(Self { kind, url, owner: Owner::current() })
    }

    /// Brings everything to the disk and lets go of the directory.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.owner.check()?;
        py.detach(|| self.kind.close()).map_err(|error| of_store(&error))
    }

    fn __repr__(&self) -> String {
        format!("<coatroom.Store {}>", self.url)
    }
}

impl Store {
    pub(crate) fn shared(&self) -> PyResult<Arc<dyn coatroom::Store>> {
        self.owner.check()?;
        Ok(match &self.kind {
            Kind::Embedded(store) => store.clone(),
            Kind::Memory(store) => store.clone(),
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.owner.keep_in_child(&self.kind);
    }
}

impl Kind {
    fn open(url: &str) -> PyResult<Self> {
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory(Arc::new(MemoryStore::new()))),
            Some(("embedded", place)) if !place.is_empty() => {
                let (directory, durability) = durability(place)?;
                let store = EmbeddedStore::builder(Path::new(directory)).durability(durability).open();
                let store = store.map_err(|error| StoreUnavailable::new_err(with_sources(&error)))?;
                Ok(Self::Embedded(Arc::new(store)))
            }
            _ => Err(ConfigurationError::new_err(
                "a store is embedded:DIRECTORY, embedded:DIRECTORY?durability=every-commit, or memory:",
            )),
        }
    }

    fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Embedded(store) => store.close(),
            Self::Memory(_) => Ok(()),
        }
    }
}

/// The directory of an embedded store's URL, and how durable it asks commits to be.
fn durability(place: &str) -> PyResult<(&str, Durability)> {
    match place.split_once("?durability=") {
        None => Ok((place, Durability::default())),
        Some((directory, "interval")) => Ok((directory, Durability::default())),
        Some((directory, "every-commit")) => Ok((directory, Durability::EveryCommit)),
        Some(_) => Err(ConfigurationError::new_err("durability is interval or every-commit")),
    }
}
