//! What lists and events say of sessions.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::clock::{seconds, seconds_or_never};

/// What may be shown of a session. Times are seconds since 1970.
#[pyclass(module = "coatroom._native", frozen, get_all)]
#[derive(Debug)]
pub(crate) struct SessionInfo {
    locator: String,
    principal: Option<String>,
    client_label: Option<String>,
    created: f64,
    authenticated: Option<f64>,
    last_accessed: f64,
    idle_deadline: Option<f64>,
    deadline: Option<f64>,
    confirmed: bool,
    attributes: usize,
    bytes: usize,
    revision: u64,
}

#[pymethods]
impl SessionInfo {
    fn __repr__(&self) -> String {
        format!("<coatroom.SessionInfo {} of {} attributes>", self.locator, self.attributes)
    }
}

impl From<coatroom::SessionInfo> for SessionInfo {
    fn from(info: coatroom::SessionInfo) -> Self {
        Self {
            locator: info.locator.to_string(),
            principal: info.principal,
            client_label: info.client_label,
            created: seconds(info.created),
            authenticated: info.authenticated.map(seconds),
            last_accessed: seconds(info.last_accessed),
            idle_deadline: seconds_or_never(info.idle_deadline),
            deadline: seconds_or_never(info.deadline),
            confirmed: info.confirmed,
            attributes: info.attributes,
            bytes: info.bytes,
            revision: info.revision,
        }
    }
}

/// A session as it was at one moment, with its data.
#[pyclass(module = "coatroom._native", frozen)]
#[derive(Debug)]
pub(crate) struct Snapshot {
    #[pyo3(get)]
    info: Py<SessionInfo>,
    #[pyo3(get)]
    attributes: Py<PyDict>,
}

impl Snapshot {
    /// Copies a snapshot: a dict of name to (format, bytes).
    pub(crate) fn new(py: Python<'_>, snapshot: &coatroom::Snapshot) -> PyResult<Self> {
        let attributes = PyDict::new(py);
        for (name, raw) in snapshot.record().attributes_iter() {
            attributes.set_item(name, (raw.format.0, PyBytes::new(py, raw.bytes)))?;
        }
        let info = Py::new(py, SessionInfo::from(snapshot.info()))?;
        Ok(Self { info, attributes: attributes.unbind() })
    }
}

#[pymethods]
impl Snapshot {
    fn __repr__(&self) -> String {
        format!("<coatroom.Snapshot {}>", self.info.get().locator)
    }
}
