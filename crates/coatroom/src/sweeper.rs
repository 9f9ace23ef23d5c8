//! The one thread the library starts: it takes out expired sessions and reports them.

use std::error::Error;
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
    let mut known = Known::default();
    while stop.wait(interval) {
        let Some(engine) = engine.upgrade() else { return };
        let swept = sweep_all(&engine, stop);
        if known.is_changed_by(&swept) {
            tell(swept);
        }
    }
}

/// Sweeps until nothing is due; what failed, if anything did.
fn sweep_all(engine: &Engine, stop: &Stop) -> Result<(), String> {
    while engine.sweep().wait().map_err(|error| with_causes(&error))?.more && !stop.is_set() {}
    Ok(())
}

fn with_causes(error: &dyn Error) -> String {
    let (mut said, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

fn tell(swept: Result<(), String>) {
    match swept {
        Ok(()) => tracing::warn!(target: "coatroom", "sweeping works again"),
        Err(error) => tracing::warn!(target: "coatroom", %error, "sweeping failed; trying again"),
    }
}

/// What kept the last sweep from its work. The log is told of changes alone: of a store that is out of
/// reach all night, once.
#[derive(Debug, Default)]
struct Known(Option<String>);

impl Known {
    fn is_changed_by(&mut self, swept: &Result<(), String>) -> bool {
        let failure = swept.as_ref().err();
        let is_changed = failure != self.0.as_ref();
        self.0 = failure.cloned();
        is_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("sweeping failed")]
        struct Failed(#[source] std::io::Error);
        let error = Failed(std::io::Error::other("no space left"));
        assert_eq!(with_causes(&error), "sweeping failed: no space left");
    }

    #[test]
    fn what_keeps_failing_is_told_once_and_so_is_that_it_works_again() {
        let mut known = Known::default();
        let [down, full] = ["the server is down", "its disk is full"].map(|why| Err(why.to_owned()));
        let told = [&Ok(()), &down, &down, &full, &full, &Ok(()), &Ok(()), &full]
            .map(|swept| known.is_changed_by(swept));
        assert_eq!(told, [false, true, false, true, false, true, false, true]);
    }
}
