//! The library's errors as Python exceptions, one class for each thing a caller does about it.

use coatroom::{ConfigError, SessionError, StoreError, ValueError};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(coatroom, Error, PyException, "Whatever went wrong in Coatroom.");
create_exception!(coatroom, ConfigurationError, Error, "A setting that cannot hold.");
create_exception!(coatroom, ForkedError, Error, "The store was opened before this process was forked.");
create_exception!(coatroom, StoreError_, Error, "The store could not do what it was asked.");
create_exception!(coatroom, StoreUnavailable, StoreError_, "Nothing was done; it may work later.");
create_exception!(coatroom, StoreFull, StoreError_, "There is no room left.");
create_exception!(coatroom, StoreCorrupt, StoreError_, "What the store holds is damaged.");
create_exception!(coatroom, OutcomeUnknown, StoreError_, "It was done or not; the answer was lost.");
create_exception!(coatroom, SessionError_, Error, "The session could not do what it was asked.");
create_exception!(coatroom, Conflict, SessionError_, "Another request changed the same attribute.");
create_exception!(coatroom, Gone, SessionError_, "The session was ended meanwhile, and stays dead.");
create_exception!(coatroom, LimitExceeded, SessionError_, "A value, name or session is too large.");
create_exception!(coatroom, PrincipalEnded, SessionError_, "All sessions of the principal were ended.");
create_exception!(coatroom, Superseded, SessionError_, "A login replaced the session id meanwhile.");
create_exception!(coatroom, TooManySessions, SessionError_, "The principal is at its cap.");

/// Adds the classes to the module, under the names that users see.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    for (name, class) in [
        ("Error", py.get_type::<Error>()),
        ("ConfigurationError", py.get_type::<ConfigurationError>()),
        ("ForkedError", py.get_type::<ForkedError>()),
        ("StoreError", py.get_type::<StoreError_>()),
        ("StoreUnavailable", py.get_type::<StoreUnavailable>()),
        ("StoreFull", py.get_type::<StoreFull>()),
        ("StoreCorrupt", py.get_type::<StoreCorrupt>()),
        ("OutcomeUnknown", py.get_type::<OutcomeUnknown>()),
        ("SessionError", py.get_type::<SessionError_>()),
        ("Conflict", py.get_type::<Conflict>()),
        ("Gone", py.get_type::<Gone>()),
        ("LimitExceeded", py.get_type::<LimitExceeded>()),
        ("PrincipalEnded", py.get_type::<PrincipalEnded>()),
        ("Superseded", py.get_type::<Superseded>()),
        ("TooManySessions", py.get_type::<TooManySessions>()),
    ] {
        class.setattr("__name__", name)?;
        class.setattr("__qualname__", name)?;
        module.add(name, class)?;
    }
    Ok(())
}

/// A store's error.
pub(crate) fn of_store(error: &StoreError) -> PyErr {
    let text = with_sources(error);
    match error {
        StoreError::Corrupt { .. } => StoreCorrupt::new_err(text),
        StoreError::Full { .. } => StoreFull::new_err(text),
        StoreError::OutcomeUnknown { .. } => OutcomeUnknown::new_err(text),
        _ => StoreUnavailable::new_err(text),
    }
}

/// A session's error.
pub(crate) fn of_session(error: &SessionError) -> PyErr {
    let text = with_sources(error);
    match error {
        SessionError::Store(error) => of_store(error),
        SessionError::Entropy(_) => StoreUnavailable::new_err(text),
        SessionError::Conflict { name } => conflict(text, Some(name)),
        SessionError::Contended { .. } => conflict(text, None),
        SessionError::Gone => Gone::new_err(text),
        SessionError::PrincipalEnded => PrincipalEnded::new_err(text),
        SessionError::Superseded => Superseded::new_err(text),
        SessionError::TooManySessions { .. } => TooManySessions::new_err(text),
        SessionError::NamesTooLong { .. }
        | SessionError::RecordTooLarge { .. }
        | SessionError::TooManyAttributes { .. }
        | SessionError::InvalidText { .. }
        | SessionError::Value(ValueError::TooLarge { .. } | ValueError::InvalidName { .. }) => {
            LimitExceeded::new_err(text)
        }
        _ => SessionError_::new_err(text),
    }
}

/// A setting's error.
pub(crate) fn of_config(error: &ConfigError) -> PyErr {
    ConfigurationError::new_err(error.to_string())
}

/// A conflict knows which attribute it is about, where it is about one.
fn conflict(text: String, name: Option<&String>) -> PyErr {
    let error = Conflict::new_err(text);
    let named = Python::attach(|py| error.value(py).setattr("name", name));
    named.err().unwrap_or(error)
}

/// What failed and why, in one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let reason = error.to_string();
        if !text.ends_with(&reason) {
            text = format!("{text}: {reason}");
        }
        source = error.source();
    }
    text
}
