//! The library's futures without an async runtime.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

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
        let mut future = pin!(self);
        // Mostly the answer is at hand, and nothing has to be set up to wait for it.
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => pollster::block_on(future),
        }
    }
}

impl<F: Future> Wait for F {}
