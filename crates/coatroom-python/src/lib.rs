//! `coatroom._native`: the library, for the Python package around it.
//!
//! Everything here is a thin shell: it turns Python values into the library's and back, lets other
//! threads run wherever the engine may wait, and refuses to work in a forked child. The rules are
//! the library's.

mod clock;
mod errors;
mod events;
mod info;
mod keys;
mod manager;
mod plain;
mod process;
mod random;
mod sealing;
mod session;
mod store;

use pyo3::prelude::*;

#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<clock::ManualClock>()?;
    module.add_class::<info::SessionInfo>()?;
    module.add_class::<info::Snapshot>()?;
    module.add_class::<keys::KeyRing>()?;
    module.add_class::<manager::SessionManager>()?;
    module.add_class::<session::Session>()?;
    module.add_class::<session::Undo>()?;
    module.add_class::<store::Store>()?;
    module.add_function(wrap_pyfunction!(plain::plain_value, module)?)?;
    module.add_function(wrap_pyfunction!(random::random_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(sealing::seal, module)?)?;
    module.add_function(wrap_pyfunction!(sealing::open, module)?)?;
    module.add_function(wrap_pyfunction!(store::shown_url, module)?)?;
    errors::register(module)
}
