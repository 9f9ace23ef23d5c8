//! The one thread the library starts: it takes out expired sessions and reports them.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::config::ConfigError;
use crate::engine::Engine;
use crate::wait::Wait;

/// Stops its thread when dropped, and waits for the step it is in.
#[derive(Debug)]
pub(crate) struct Sweeper {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Waits out the interval; whether to go on.
    fn wait(&self, interval: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        if !*stopped {
            self.changed.wait_for(&mut stopped, interval);
        }
        !*stopped
    }

    fn is_set(&self) -> bool {
        *self.stopped.lock()
    }
}

impl Sweeper {
    pub(crate) fn start(engine: &Arc<Engine>, interval: Duration) -> Result<Self, ConfigError> {
        let stop = Arc::new(Stop::default());
        let (engine, thread_stop) = (Arc::downgrade(engine), stop.clone());
        let thread = std::thread::Builder::new()
            .name("coatroom-sweeper".to_owned())
            .spawn(move || run(&engine, &thread_stop, interval))
            .map_err(|error| ConfigError::Sweeper { reason: error.to_string() })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        *self.stop.stopped.lock() = true;
        self.stop.changed.notify_all();
        // A listener may own the last manager; then this is the sweeper's own thread.
        let own = |thread: &JoinHandle<()>| thread.thread().id() == std::thread::current().id();
        if let Some(thread) = self.thread.take().filter(|thread| !own(thread)) {
            let _ = thread.join();
        }
    }
}

fn run(engine: &Weak<Engine>, stop: &Stop, interval: Duration) {
    while stop.wait(interval) {
        let Some(engine) = engine.upgrade() else { return };
        loop {
            match engine.sweep().wait() {
                Ok(swept) if swept.more && !stop.is_set() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(target: "coatroom", %error, "sweeping failed; trying again");
                    break;
                }
            }
        }
    }
}
