//! Which process a store belongs to.

use pyo3::PyResult;

use crate::errors::ForkedError;

/// The process that opened something. Threads and file locks do not survive a fork, so a child must
/// open its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner(u32);

impl Owner {
    /// This process.
    pub(crate) fn current() -> Self {
        Self(std::process::id())
    }

    /// Fails in any other process.
    pub(crate) fn check(self) -> PyResult<()> {
        let Self(owner) = self;
        let current = std::process::id();
        if owner == current {
            return Ok(());
        }
        Err(ForkedError::new_err(format!(
            "using the session store failed: it was opened by process {owner} and this is its child {current}; \
             open it after the fork, once per process (a directory has one process at a time)"
        )))
    }

    /// Keeps something shared alive for ever in any other process: there the threads that it would
    /// wait for at its end do not exist.
    pub(crate) fn keep_in_child<T: Clone>(self, shared: &T) {
        if std::process::id() != self.0 {
            std::mem::forget(shared.clone());
        }
    }
}
