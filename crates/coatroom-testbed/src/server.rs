//! What tests do with any server.

/// Gives a server, which can `choose_port` and `launch` its `process`, the calls by which tests stop it, kill it
/// and start it again. The signal is the one on which it stops in good order.
macro_rules! lifecycle {
    ($server:ident, $signal:ident) => {
        impl $server {
            /// Its process id, and those of the processes that it has started.
            #[must_use]
            pub fn pids(&self) -> Vec<u32> {
                self.process.as_ref().map(crate::process::Process::pids).unwrap_or_default()
            }

            /// Asks it to stop and waits until it has.
            pub fn stop(&mut self) {
                self.process.take().expect("it runs").stop(rustix::process::Signal::$signal);
            }

            /// Kills it with SIGKILL, and the processes that it has started.
            pub fn kill(&mut self) {
                self.process.take().expect("it runs").kill();
            }

            /// Starts it on the same port with the same data and waits until it answers.
            pub fn start_again(&mut self) {
                assert!(self.process.is_none(), "it runs already");
                if !self.launch() {
                    self.give_up();
                }
            }

            /// Makes it stand still: connections stay, and nobody answers.
            pub fn pause(&mut self) {
                self.process.as_mut().expect("it runs").pause();
            }

            /// Lets it go on.
            pub fn resume(&mut self) {
                self.process.as_mut().expect("it runs").resume();
            }

            fn start_on_a_free_port(&mut self) {
                // A port may be taken between the look and the start.
                for _ in 0..5 {
                    self.choose_port();
                    if self.launch() {
                        return;
                    }
                }
                self.give_up();
            }

            fn give_up(&self) -> ! {
                let log = self.process.as_ref().map(crate::process::Process::log_tail).unwrap_or_default();
                panic!("{} does not start:\n{log}", stringify!($server))
            }
        }
    };
}

pub(crate) use lifecycle;
