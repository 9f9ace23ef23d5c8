//! The manager: opens, lists and ends sessions.

use coatroom::{AtLimit, Locator, Namespace, SessionId, StoreError, Wait};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::clock::{ManualClock, duration, limit, seconds};
use crate::errors::{StoreUnavailable, of_config, of_session, of_store};
use crate::events::PythonListener;
use crate::info::SessionInfo;
use crate::process::Owner;
use crate::session::{Session, Undo, parse_rule};
use crate::store::Store;

/// Opens, lists and ends the sessions of one application in one store.
#[pyclass(module = "coatroom._native", frozen)]
#[derive(Debug)]
pub(crate) struct SessionManager {
    inner: coatroom::SessionManager,
    owner: Owner,
}

#[pymethods]
impl SessionManager {
    #[new]
    #[pyo3(signature = (
        store, *, namespace = "", idle_timeout = Some(1_200.0), lifetime = Some(43_200.0),
        unconfirmed_timeout = Some(600.0), on_conflict = "later-wins",
        max_sessions_per_principal = None, at_limit = "end-oldest", max_attributes = 1_024,
        max_value_bytes = 262_144, max_record_bytes = 1_048_576, clock = None, on_event = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "these are the keywords of a Python call")]
    fn new(
        py: Python<'_>,
        store: &Store,
        namespace: &str,
        idle_timeout: Option<f64>,
        lifetime: Option<f64>,
        unconfirmed_timeout: Option<f64>,
        on_conflict: &str,
        max_sessions_per_principal: Option<usize>,
        at_limit: &str,
        max_attributes: usize,
        max_value_bytes: usize,
        max_record_bytes: usize,
        clock: Option<&ManualClock>,
        on_event: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let unconfirmed = unconfirmed_timeout.map(|seconds| duration("unconfirmed_timeout", seconds));
        let mut builder = coatroom::SessionManager::builder_shared(store.shared()?)
            .namespace_bytes(Namespace::new(namespace))
            .idle_timeout(limit("idle_timeout", idle_timeout)?)
            .lifetime(limit("lifetime", lifetime)?)
            .unconfirmed_timeout(unconfirmed.transpose()?)
            .on_conflict(parse_rule(on_conflict)?)
            .max_attributes(max_attributes)
            .max_value_bytes(max_value_bytes)
            .max_record_bytes(max_record_bytes)
            // A thread of Python's own sweeps: one that is not may wait for Python while Python ends.
            .sweep_every(None);
        let at_limit = parse_at_limit(at_limit)?;
        if let Some(limit) = max_sessions_per_principal {
            builder = builder.max_sessions_per_principal(limit, at_limit);
        }
        if let Some(clock) = clock {
            // Moved by hand, and not by the clock of a store's server.
            builder = builder.clock(clock.0.clone()).follow_store_clock(false);
        }
        if let Some(listener) = on_event {
            builder = builder.on_event(PythonListener(listener));
        }
        let inner = py.detach(|| builder.build()).map_err(|error| of_config(&error))?;
        Ok(Self { inner, owner: store.owner })
    }

    fn create(&self) -> PyResult<(String, Session)> {
        self.owner.check()?;
        let created = self.inner.create();
        let (id, inner) = created.map_err(|error| StoreUnavailable::new_err(error.to_string()))?;
        Ok((id.expose(), self.session(inner)))
    }

    fn open(&self, py: Python<'_>, id: &str) -> PyResult<Option<Session>> {
        let Some(id) = SessionId::parse(id.as_bytes()) else { return Ok(None) };
        let opened = self.engine(py, |manager| manager.open(&id).wait())?;
        Ok(opened.map(|inner| self.session(inner)))
    }

    fn open_locator(&self, py: Python<'_>, locator: &str) -> PyResult<Option<Session>> {
        let Some(locator) = parse_locator(locator) else { return Ok(None) };
        let opened = self.engine(py, |manager| manager.open_locator(&locator).wait())?;
        Ok(opened.map(|inner| self.session(inner)))
    }

    #[pyo3(signature = (key, *, passive = false))]
    fn keyed(&self, py: Python<'_>, key: &[u8], passive: bool) -> PyResult<Session> {
        if let Some(inner) = self.at_hand(key)? {
            let session = self.session(inner);
            if !passive {
                session.touch(py)?;
            }
            return Ok(session);
        }
        let opened = self.engine(py, |manager| {
            if passive { manager.keyed_passively(key).wait() } else { manager.keyed(key).wait() }
        });
        Ok(self.session(opened?))
    }

    fn create_keyed(&self, key: &[u8]) -> PyResult<Session> {
        self.owner.check()?;
        Ok(self.session(self.inner.create_keyed(key)))
    }

    fn commit(&self, py: Python<'_>, session: &Session) -> PyResult<Option<String>> {
        self.owner.check()?;
        let committed = py.detach(|| self.inner.commit(&session.inner).wait());
        Ok(committed.map_err(|error| session.raised(&error))?.map(|id| id.expose()))
    }

    fn undo(&self, py: Python<'_>, undo: &Undo) -> PyResult<()> {
        self.owner.check()?;
        py.detach(|| self.inner.undo(&undo.0).wait()).map_err(|error| of_session(&error))
    }

    fn end(&self, py: Python<'_>, locator: &str) -> PyResult<bool> {
        let Some(locator) = parse_locator(locator) else { return Ok(false) };
        self.engine(py, |manager| manager.end(&locator).wait())
    }

    fn end_all(&self, py: Python<'_>, principal: &str) -> PyResult<usize> {
        self.engine(py, |manager| manager.end_all(principal).wait())
    }

    fn end_others(&self, py: Python<'_>, principal: &str, keep: &str) -> PyResult<usize> {
        let Some(keep) = parse_locator(keep) else {
            return Err(PyValueError::new_err("ending all other sessions failed: keep is no locator"));
        };
        self.engine(py, |manager| manager.end_others(principal, &keep).wait())
    }

    fn of(&self, py: Python<'_>, principal: &str) -> PyResult<Vec<SessionInfo>> {
        let infos = self.engine(py, |manager| manager.of(principal).wait())?;
        Ok(infos.into_iter().map(SessionInfo::from).collect())
    }

    fn count(&self, py: Python<'_>) -> PyResult<u64> {
        self.engine(py, |manager| manager.count().wait())
    }

    #[pyo3(signature = (after = None, limit = 100))]
    fn list(
        &self,
        py: Python<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<(Vec<SessionInfo>, Option<String>)> {
        let after = match after.map(parse_locator) {
            Some(None) => return Err(PyValueError::new_err("listing failed: after is no locator")),
            after => after.flatten(),
        };
        let (infos, next) = self.engine(py, |manager| manager.list(after, limit).wait())?;
        Ok((infos.into_iter().map(SessionInfo::from).collect(), next.map(|locator| locator.to_string())))
    }

    /// One step of sweeping: (number of expired sessions settled, whether more may be due).
    fn sweep(&self, py: Python<'_>) -> PyResult<(usize, bool)> {
        let swept = self.engine(py, |manager| manager.sweep().wait())?;
        Ok((swept.expired, swept.more))
    }

    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.engine(py, |manager| manager.check().wait())
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.engine(py, |manager| manager.flush().wait())
    }

    fn now(&self) -> f64 {
        seconds(self.inner.now())
    }

    /// The locator of the keyed session of a key, whether there is one or not.
    fn locator_of(&self, key: &[u8]) -> String {
        Locator::keyed(self.inner.namespace(), key).to_string()
    }
}

impl SessionManager {
    fn session(&self, inner: coatroom::Session) -> Session {
        Session::new(inner, self.owner)
    }

    /// What needs no waiting is done without letting go of the interpreter, which costs more than the
    /// work where another thread waits for it.
    fn at_hand(&self, key: &[u8]) -> PyResult<Option<coatroom::Session>> {
        self.owner.check()?;
        Ok(self.inner.keyed_at_hand(key))
    }

    fn engine<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&coatroom::SessionManager) -> Result<T, StoreError> + Send,
    ) -> PyResult<T> {
        self.owner.check()?;
        py.detach(|| work(&self.inner)).map_err(|error| of_store(&error))
    }
}

impl Drop for SessionManager {
    fn drop(&mut self) {
        self.owner.keep_in_child(&self.inner);
    }
}

/// What a login does at the cap, by name.
fn parse_at_limit(name: &str) -> PyResult<AtLimit> {
    match name {
        "end-oldest" => Ok(AtLimit::EndOldest),
        "refuse" => Ok(AtLimit::Refuse),
        _ => Err(PyValueError::new_err("at_limit is 'end-oldest' or 'refuse'")),
    }
}

fn parse_locator(text: &str) -> Option<Locator> {
    text.parse().ok()
}
