//! What a test has happen in the middle of the store's work.

use parking_lot::Mutex;

type Happening = Box<dyn FnOnce() + Send>;

/// A place in that work. The store comes by here again and again.
#[derive(Default)]
pub(super) struct Hook(Mutex<Option<(usize, Happening)>>);

impl Hook {
    /// Happens once, when the store has come by here so many times.
    pub(super) fn after(&self, times: usize, happening: impl FnOnce() + Send + 'static) {
        *self.0.lock() = Some((times, Box::new(happening)));
    }

    pub(super) fn come_by(&self) {
        let is_due = |hung: &mut (usize, Happening)| match hung.0.checked_sub(1) {
            Some(left) => {
                hung.0 = left;
                false
            }
            None => true,
        };
        let due = self.0.lock().take_if(is_due);
        if let Some((_, happening)) = due {
            happening();
        }
    }
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook").finish_non_exhaustive()
    }
}
