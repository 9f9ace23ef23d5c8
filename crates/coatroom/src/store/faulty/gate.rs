use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use parking_lot::Mutex;

/// Where a call of a [`FaultyStore`](super::FaultyStore) waits until a test opens it.
///
/// Clones are the same gate. It stays open once it was opened, and closed if every clone is
/// dropped unopened.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_open: bool,
    is_reached: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    /// Lets the call go on, now or when it comes.
    pub fn open(&self) {
        self.change(|state| state.is_open = true);
    }

    /// Completes when the call is at the gate.
    ///
    /// # Cancellation
    ///
    /// Dropping it changes nothing.
    pub async fn reached(&self) {
        self.wait(|state| state.is_reached).await;
    }

    /// Whether the call is at the gate or has passed it.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.0.lock().is_reached
    }

    pub(super) async fn pass(&self) {
        self.change(|state| state.is_reached = true);
        self.wait(|state| state.is_open).await;
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let waiting = {
            let mut state = self.0.lock();
            change(&mut state);
            std::mem::take(&mut state.waiting)
        };
        // Outside the lock: a waker may poll at once.
        waiting.into_iter().for_each(Waker::wake);
    }

    async fn wait(&self, until: impl Fn(&State) -> bool) {
        poll_fn(|cx| {
            let mut state = self.0.lock();
            if until(&state) {
                return Poll::Ready(());
            }
            state.waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
