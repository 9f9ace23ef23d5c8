use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::StoreError;

/// How many calls may be under way at once, and how many more may wait for their turn.
#[derive(Debug)]
pub(in crate::store) struct Gate {
    turns: Semaphore,
    waiting: AtomicUsize,
    max_waiting: usize,
}

impl Gate {
    pub(in crate::store) fn new(max_under_way: usize, max_waiting: usize) -> Self {
        Self { turns: Semaphore::new(max_under_way), waiting: AtomicUsize::new(0), max_waiting }
    }

    /// A turn, which lasts until it is dropped, where nobody has to wait.
    pub(super) fn try_enter(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.try_acquire().ok()
    }

    /// Waits for a turn; fails at once where too many wait.
    pub(super) async fn enter(&self, what: &'static str) -> Result<SemaphorePermit<'_>, StoreError> {
        if let Some(turn) = self.try_enter() {
            return Ok(turn);
        }
        let _waiting = self.wait_in_line(what)?;
        let closed = |_| StoreError::unavailable(format!("{what} failed: the session store was closed"));
        self.turns.acquire().await.map_err(closed)
    }

    /// Lets nobody in any more; who waits is told so.
    pub(in crate::store) fn close(&self) {
        self.turns.close();
    }

    fn wait_in_line(&self, what: &'static str) -> Result<Waiting<'_>, StoreError> {
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::AcqRel) < self.max_waiting {
            return Ok(waiting);
        }
        Err(StoreError::unavailable(format!(
            "{what} failed: {} calls wait for the store's server already, the most allowed; the server is too slow for this load",
            self.max_waiting
        )))
    }
}

/// A place in the line, given up when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn who_finds_the_line_full_is_told_at_once() {
        let gate = Gate::new(1, 1);
        let turn = gate.enter("loading").await.unwrap();
        let mut waiting = pin!(gate.enter("loading"));
        assert!(poll!(&mut waiting).is_pending());
        let error = gate.enter("loading").await.unwrap_err();
        assert!(error.to_string().contains("1 calls wait"), "{error}");
        drop(turn);
        assert!(waiting.await.is_ok());
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_line() {
        let gate = Gate::new(1, 1);
        let _turn = gate.enter("loading").await.unwrap();
        for _ in 0..3 {
            let mut waiting = Box::pin(gate.enter("loading"));
            assert!(poll!(&mut waiting).is_pending());
        }
    }

    #[tokio::test]
    async fn a_closed_gate_lets_nobody_in() {
        let gate = Gate::new(1, 1);
        gate.close();
        let error = gate.enter("loading").await.unwrap_err();
        assert!(error.to_string().contains("was closed"), "{error}");
    }
}
