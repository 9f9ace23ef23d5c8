//! Events, told to a Python callable.

use coatroom::{Event, Listener, ListenerError, Suspicion};
use pyo3::prelude::*;

use crate::info::Snapshot;

/// A callable(kind, locator, principal, snapshot). Raising on "expired" has it told again.
pub(crate) struct PythonListener(pub(crate) Py<PyAny>);

impl Listener for PythonListener {
    fn hear(&self, event: &Event<'_>) -> Result<(), ListenerError> {
        Python::attach(|py| self.call(py, event).map_err(ListenerError::from))
    }
}

impl PythonListener {
    fn call(&self, py: Python<'_>, event: &Event<'_>) -> PyResult<()> {
        let (kind, locator, principal, snapshot) = match event {
            Event::Confirmed { locator } => ("confirmed", Some(*locator), None, None),
            Event::Created { locator } => ("created", Some(*locator), None, None),
            Event::Ended { locator, principal } => ("ended", Some(*locator), *principal, None),
            Event::Renewed { locator, principal } => ("renewed", Some(*locator), *principal, None),
            Event::Suspicious { reason, locator } => (suspicion(*reason), *locator, None, None),
            Event::Evicted(snapshot) => ("evicted", None, None, Some(*snapshot)),
            Event::Expired(snapshot) => ("expired", None, None, Some(*snapshot)),
            _ => return Ok(()),
        };
        let info = snapshot.map(coatroom::Snapshot::info);
        let locator = locator.or(info.as_ref().map(|info| info.locator)).map(|locator| locator.to_string());
        let principal = principal.or(info.as_ref().and_then(|info| info.principal.as_deref()));
        let snapshot = snapshot.map(|snapshot| Snapshot::new(py, snapshot)).transpose()?;
        self.0.call1(py, (kind, locator, principal, snapshot)).map(drop)
    }
}

fn suspicion(reason: Suspicion) -> &'static str {
    match reason {
        Suspicion::Duplicate => "suspicious: duplicate",
        Suspicion::Malformed => "suspicious: malformed",
        Suspicion::WrongSecret => "suspicious: wrong secret",
        _ => "suspicious",
    }
}
