//! The library's futures without an async runtime.

use std::future::Future;

/// Waits for a future on the calling thread: the synchronous face of everything async here.
///
/// In-process stores have their answers at hand, so nothing is waited for; others work on threads
/// of their own and need no runtime of the caller. Inside an async runtime use `.await`: waiting
/// blocks the thread.
///
/// # Example
///
/// ```
/// use coatroom::{MemoryStore, SessionManager, Wait};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = SessionManager::builder(MemoryStore::new()).build()?;
/// assert_eq!(sessions.count().wait()?, 0);
/// # Ok(())
/// # }
/// ```
pub trait Wait: Future + Sized {
    /// Blocks until the future is ready.
    fn wait(self) -> Self::Output {
        pollster::block_on(self)
    }
}

impl<F: Future> Wait for F {}
