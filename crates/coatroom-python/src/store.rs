//! Opening stores, by URL.

use std::sync::Arc;

use coatroom::store::{OpenStore, StoreUrl, StoreUrlError};
use pyo3::prelude::*;

use crate::errors::{ConfigurationError, StoreUnavailable, of_store, with_sources};
use crate::process::Owner;

/// A store of sessions, for the process that opened it.
#[pyclass(module = "coatroom._native", frozen)]
#[derive(Debug)]
pub(crate) struct Store {
    store: OpenStore,
    #[pyo3(get)]
    url: String,
    pub(crate) owner: Owner,
}

#[pymethods]
impl Store {
    /// Opens a store.
    #[new]
    fn new(py: Python<'_>, url: &str) -> PyResult<Self> {
        let parsed = parse(url)?;
        let store =
            py.detach(|| parsed.open()).map_err(|error| StoreUnavailable::new_err(with_sources(&error)))?;
        Ok(Self { store, url: parsed.to_string(), owner: Owner::current() })
    }

    /// Brings everything to the disk and lets go of the directory.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.owner.check()?;
        py.detach(|| self.store.close()).map_err(|error| of_store(&error))
    }

    fn __repr__(&self) -> String {
        format!("<coatroom.Store {}>", self.url)
    }
}

/// A store's URL as it may be shown: `***` in the place of a password.
#[pyfunction]
pub(crate) fn shown_url(url: &str) -> PyResult<String> {
    Ok(parse(url)?.to_string())
}

fn parse(url: &str) -> PyResult<StoreUrl> {
    url.parse().map_err(|error: StoreUrlError| ConfigurationError::new_err(error.to_string()))
}

impl Store {
    pub(crate) fn shared(&self) -> PyResult<Arc<dyn coatroom::Store>> {
        self.owner.check()?;
        Ok(self.store.shared())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.owner.keep_in_child(&self.store);
    }
}
