//! Hearing what a shop says on stdout, as long as one listens.

use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ChildStdout;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use rustix::io::ioctl_fionread;
use rustix::pipe::fcntl_setpipe_size;

/// Listens from the beginning.
pub(crate) struct Ear {
    shared: Arc<Shared>,
    pipe: OwnedFd,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_deaf: bool,
    heard: Vec<String>,
}

/// What a shop may say unheard before it has to wait: the least that the kernel allows.
const PIPE: usize = 4096;

impl Ear {
    pub(crate) fn new(mut output: BufReader<ChildStdout>) -> Self {
        let pipe = output.get_ref().as_fd().try_clone_to_owned().unwrap();
        fcntl_setpipe_size(&pipe, PIPE).unwrap();
        let shared = Arc::new(Shared::default());
        let hearing = shared.clone();
        let listening = std::thread::spawn(move || {
            let mut line = String::new();
            while output.read_line(&mut line).unwrap() > 0 {
                hearing.state.lock().unwrap().heard.push(line.trim_end().to_owned());
                line.clear();
                hearing.wait_while_deaf();
            }
        });
        Self { shared, pipe, listening }
    }

    /// Listens no more, but for a line that may be on its way.
    pub(crate) fn close(&self) {
        self.shared.state.lock().unwrap().is_deaf = true;
    }

    /// Whether the shop has to wait until somebody listens, or will within a few words: what was read
    /// from the pipe before takes up some of its room.
    pub(crate) fn is_overflowing(&self) -> bool {
        ioctl_fionread(&self.pipe).unwrap() > PIPE as u64 - 256
    }

    /// Listens again until a shop that has ended has said all.
    pub(crate) fn hear_out(&self) {
        self.shared.state.lock().unwrap().is_deaf = false;
        self.shared.changed.notify_all();
        coatroom_testbed::wait_until("all is heard", std::time::Duration::from_secs(30), || {
            self.listening.is_finished()
        });
    }

    /// What it heard so far, line by line.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().heard.clone()
    }
}

impl Shared {
    fn wait_while_deaf(&self) {
        drop(self.changed.wait_while(self.state.lock().unwrap(), |state| state.is_deaf).unwrap());
    }
}
