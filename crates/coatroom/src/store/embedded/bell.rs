//! How threads of the store wake each other.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Rings stay until they are heard, however many there were.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        let mut rung = self.rung.lock();
        if !*rung {
            *rung = true;
            self.heard.notify_one();
        }
    }

    /// Waits for a ring, for at most this long if a limit is given. Returns whether it rang.
    pub(super) fn wait(&self, limit: Option<Duration>) -> bool {
        let mut rung = self.rung.lock();
        if !*rung {
            match limit {
                Some(limit) => {
                    self.heard.wait_for(&mut rung, limit);
                }
                None => self.heard.wait(&mut rung),
            }
        }
        std::mem::take(&mut *rung)
    }
}
