//! One session, as a request or a job holds it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coatroom::{OnConflict, RawValue, SessionError, ValueError, ValueFormat, Wait};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::clock::{limit, seconds, seconds_or_never};
use crate::errors::of_session;
use crate::keys::KeyRing;
use crate::process::Owner;

/// A session. Changes are deferred until save, unless their name says otherwise.
#[pyclass(module = "coatroom._native", frozen)]
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) inner: coatroom::Session,
    owner: Owner,
    /// What the function of an edit raised, until whoever made it run is told.
    raised: Raised,
}

type Raised = Arc<Mutex<Option<PyErr>>>;

/// What takes a save or an end back.
#[pyclass(module = "coatroom._native", frozen)]
#[derive(Debug)]
pub(crate) struct Undo(pub(crate) coatroom::Undo);

/// The format of what only its writer understands.
const OPAQUE: ValueFormat = ValueFormat(2);

type Raw<'py> = (u8, Bound<'py, PyBytes>);

#[pymethods]
impl Session {
    #[getter]
    fn exists(&self) -> bool {
        self.inner.exists()
    }

    #[getter]
    fn locator(&self) -> Option<String> {
        self.inner.locator().map(|locator| locator.to_string())
    }

    #[getter]
    fn revision(&self) -> Option<u64> {
        self.inner.revision()
    }

    #[getter]
    fn principal(&self) -> Option<String> {
        self.inner.principal()
    }

    #[getter]
    fn client_label(&self) -> Option<String> {
        self.inner.client_label()
    }

    #[getter]
    fn created(&self) -> Option<f64> {
        self.inner.created().map(seconds)
    }

    #[getter]
    fn authenticated(&self) -> Option<f64> {
        self.inner.authenticated().map(seconds)
    }

    #[getter]
    fn last_accessed(&self) -> Option<f64> {
        self.inner.last_accessed().map(seconds)
    }

    #[getter]
    fn idle_deadline(&self) -> Option<f64> {
        self.inner.idle_deadline().and_then(seconds_or_never)
    }

    #[getter]
    fn deadline(&self) -> Option<f64> {
        self.inner.deadline().and_then(seconds_or_never)
    }

    /// In seconds; None for a session that never idles out.
    #[getter]
    fn idle_timeout(&self) -> Option<f64> {
        // Longer than any clock counts.
        const ENDLESS: u64 = 1 << 40;
        let timeout = self.inner.idle_timeout();
        (timeout.as_secs() < ENDLESS).then_some(timeout.as_secs_f64())
    }

    fn names(&self) -> Vec<String> {
        self.inner.names()
    }

    fn contains(&self, name: &str) -> bool {
        self.inner.contains(name)
    }

    fn get_raw<'py>(&self, py: Python<'py>, name: &str) -> Option<Raw<'py>> {
        let (format, bytes) = self.inner.get_raw(name)?;
        Some((format.0, PyBytes::new(py, &bytes)))
    }

    #[pyo3(signature = (name, format, value, on_conflict = "later-wins"))]
    fn set_raw(&self, name: &str, format: u8, value: &[u8], on_conflict: &str) -> PyResult<()> {
        self.owner.check()?;
        let value = RawValue { format: ValueFormat(format), bytes: value };
        let rule = parse_rule(on_conflict)?;
        self.inner.set_raw(name, Some(value), rule).map_err(|error| of_session(&error))
    }

    #[pyo3(signature = (name, on_conflict = "later-wins"))]
    fn remove(&self, name: &str, on_conflict: &str) -> PyResult<()> {
        self.owner.check()?;
        let rule = parse_rule(on_conflict)?;
        self.inner.set_raw(name, None, rule).map_err(|error| of_session(&error))
    }

    fn clear(&self) -> PyResult<()> {
        self.owner.check()?;
        self.inner.clear().map_err(|error| of_session(&error))
    }

    /// The body of an attribute that was authenticated for this namespace, session and name; None where
    /// there is none, or none of this site.
    fn read<'py>(
        &self,
        py: Python<'py>,
        keys: &KeyRing,
        namespace: &str,
        name: &str,
    ) -> Option<Bound<'py, PyBytes>> {
        let (_, data) = self.inner.get_raw(name)?;
        let locator = self.locator()?;
        let body = keys.untagged(&context(namespace, &locator, name), &data)?;
        Some(PyBytes::new(py, body))
    }

    /// Commits attributes as authentic bodies, None for what goes: `changes` meet what others changed
    /// with a conflict, `later_wins` do not. What takes the commit back.
    fn write(
        &self,
        py: Python<'_>,
        keys: &KeyRing,
        namespace: &str,
        changes: &Bound<'_, PyDict>,
        later_wins: &Bound<'_, PyDict>,
    ) -> PyResult<Option<Undo>> {
        self.owner.check()?;
        self.defer_all(keys, namespace, changes, OnConflict::Reject)?;
        self.defer_all(keys, namespace, later_wins, OnConflict::LaterWins)?;
        self.save_undoable(py)
    }

    /// Changes an attribute by a function of (format, bytes) or None, run again on a newer value. What it
    /// raises is raised by whatever runs it: this, or the save.
    fn edit_raw(&self, py: Python<'_>, name: &str, edit: Py<PyAny>) -> PyResult<()> {
        let (raised, attribute) = (self.raised.clone(), name.to_owned());
        let edit = move |raw: Option<RawValue<'_>>| {
            run_edit(&edit, raw).map_err(|error| {
                let reason = error.to_string();
                *lock(&raised) = Some(error);
                ValueError::Encode { name: attribute.clone(), reason }
            })
        };
        self.engine(py, |session| session.edit_raw(name, edit))
    }

    fn login(&self, principal: &str) -> PyResult<()> {
        self.defer(|session| session.login(principal))
    }

    fn renew(&self) -> PyResult<()> {
        self.defer(coatroom::Session::renew)
    }

    fn set_client_label(&self, label: &str) -> PyResult<()> {
        self.defer(|session| session.set_client_label(label))
    }

    fn set_idle_timeout(&self, timeout: Option<f64>) -> PyResult<()> {
        let timeout = limit("the idle timeout", timeout)?;
        self.defer(|session| session.set_idle_timeout(timeout))
    }

    fn set_lifetime(&self, lifetime: Option<f64>) -> PyResult<()> {
        let lifetime = limit("the lifetime", lifetime)?;
        self.defer(|session| session.set_lifetime(lifetime))
    }

    /// Counts as an access now. Lets go of the interpreter only where something is to be written.
    pub(crate) fn touch(&self, py: Python<'_>) -> PyResult<()> {
        self.owner.check()?;
        if self.inner.is_touch_due() {
            py.detach(|| self.inner.touch().wait());
        }
        Ok(())
    }

    /// Drops everything deferred.
    fn discard(&self) {
        self.inner.discard();
    }

    fn save(&self, py: Python<'_>) -> PyResult<()> {
        self.engine(py, |session| session.save().wait())
    }

    fn save_undoable(&self, py: Python<'_>) -> PyResult<Option<Undo>> {
        self.owner.check()?;
        // What needs no waiting is done without letting go of the interpreter, which costs more than
        // the work where another thread waits for it.
        if let Some(undo) = self.inner.save_undoable_at_hand() {
            return Ok(Some(Undo(undo)));
        }
        Ok(self.engine(py, |session| session.save_undoable().wait())?.map(Undo))
    }

    fn logout(&self, py: Python<'_>) -> PyResult<()> {
        self.engine(py, |session| session.logout().wait())
    }

    fn end_undoable(&self, py: Python<'_>) -> PyResult<Option<Undo>> {
        Ok(self.engine(py, |session| session.end_undoable().wait())?.map(Undo))
    }

    fn __repr__(&self) -> String {
        let locator = self.locator().unwrap_or_else(|| "not stored".to_owned());
        format!("<coatroom.Session {locator}>")
    }
}

impl Session {
    pub(crate) fn new(inner: coatroom::Session, owner: Owner) -> Self {
        Self { inner, owner, raised: Raised::default() }
    }

    fn defer(&self, change: impl FnOnce(&coatroom::Session) -> Result<(), SessionError>) -> PyResult<()> {
        self.owner.check()?;
        change(&self.inner).map_err(|error| of_session(&error))
    }

    fn defer_all(
        &self,
        keys: &KeyRing,
        namespace: &str,
        changes: &Bound<'_, PyDict>,
        rule: OnConflict,
    ) -> PyResult<()> {
        let locator = self.locator().unwrap_or_default();
        for (name, body) in changes {
            let name = name.cast::<PyString>()?.to_cow()?;
            let body: Option<&Bound<'_, PyBytes>> = if body.is_none() { None } else { Some(body.cast()?) };
            let data = body.map(|body| keys.tagged(&context(namespace, &locator, &name), body.as_bytes()));
            if data.is_none() && !self.inner.contains(&name) {
                continue;
            }
            let value = data.as_deref().map(|bytes| RawValue { format: OPAQUE, bytes });
            self.inner.set_raw(&name, value, rule).map_err(|error| of_session(&error))?;
        }
        Ok(())
    }

    fn engine<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&coatroom::Session) -> Result<T, SessionError> + Send,
    ) -> PyResult<T> {
        self.owner.check()?;
        py.detach(|| work(&self.inner)).map_err(|error| self.raised(&error))
    }

    /// What the function of an edit raised where that made the engine fail, else the engine's error.
    pub(crate) fn raised(&self, error: &SessionError) -> PyErr {
        lock(&self.raised).take().unwrap_or_else(|| of_session(error))
    }
}

fn lock(raised: &Raised) -> MutexGuard<'_, Option<PyErr>> {
    raised.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Session {
    fn drop(&mut self) {
        self.owner.keep_in_child(&self.inner);
    }
}

/// What an authentic attribute is bound to.
fn context<'a>(namespace: &'a str, locator: &'a str, name: &'a str) -> [&'a [u8]; 5] {
    [namespace.as_bytes(), b"|", locator.as_bytes(), b"|", name.as_bytes()]
}

/// Runs a Python edit: it takes and returns (format, bytes), or None for absence.
fn run_edit(edit: &Py<PyAny>, raw: Option<RawValue<'_>>) -> PyResult<Option<(ValueFormat, Vec<u8>)>> {
    Python::attach(|py| {
        let raw = raw.map(|raw| (raw.format.0, PyBytes::new(py, raw.bytes)));
        let edited: Option<(u8, Vec<u8>)> = edit.call1(py, (raw,))?.extract(py)?;
        Ok(edited.map(|(format, bytes)| (ValueFormat(format), bytes)))
    })
}

/// How a change meets another's, by name.
pub(crate) fn parse_rule(name: &str) -> PyResult<OnConflict> {
    match name {
        "later-wins" => Ok(OnConflict::LaterWins),
        "reject" => Ok(OnConflict::Reject),
        _ => Err(PyValueError::new_err("on_conflict is 'later-wins' or 'reject'")),
    }
}
