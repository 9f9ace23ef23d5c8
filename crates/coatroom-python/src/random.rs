//! Random bytes of the operating system.

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// As `os.urandom`, without letting go of the interpreter, which costs a request far more than the
/// bytes do.
#[pyfunction]
pub(crate) fn random_bytes(py: Python<'_>, count: usize) -> PyResult<Bound<'_, PyBytes>> {
    PyBytes::new_with(py, count, |bytes| {
        getrandom::fill(bytes).map_err(|error| PyOSError::new_err(error.to_string()))
    })
}
