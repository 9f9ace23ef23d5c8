use rustix::process::Signal;

use crate::Postgres;
use crate::directory::{Directory, User};
use crate::port;
use crate::process::{Process, Recipe};
use crate::program::Program;

/// A PgBouncer in transaction mode in front of a [`Postgres`].
#[derive(Debug)]
pub struct PgBouncer {
    // Dropped first: its directory goes after it.
    process: Option<Process>,
    directory: Directory,
    port: u16,
    server: u16,
    pool_size: u32,
    user: Option<User>,
}

impl PgBouncer {
    /// Starts one that keeps up to `pool_size` connections to the server.
    #[must_use]
    pub fn start(server: &Postgres, pool_size: u32) -> Self {
        Self::start_before(server.port(), pool_size)
    }

    /// The same in front of the server on this port.
    pub(crate) fn start_before(server: u16, pool_size: u32) -> Self {
        let user = User::unprivileged();
        let directory = Directory::new(None, user);
        let mut bouncer = Self { process: None, directory, port: 0, server, pool_size, user };
        // A port may be taken between the look and the start.
        for _ in 0..5 {
            bouncer.port = port::free();
            if bouncer.launch() {
                return bouncer;
            }
        }
        bouncer.give_up()
    }

    /// `postgres://coatroom:ticket@127.0.0.1:PORT/coatroom`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://coatroom:ticket@127.0.0.1:{}/coatroom", self.port)
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Asks it to stop at once and waits until it has.
    pub fn stop(&mut self) {
        self.process.take().expect("it runs").stop(Signal::TERM);
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    /// Starts it on the same port.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        if !self.launch() {
            self.give_up();
        }
    }

    /// Makes it stand still.
    pub fn pause(&mut self) {
        self.process.as_mut().expect("it runs").pause();
    }

    /// Lets it go on.
    pub fn resume(&mut self) {
        self.process.as_mut().expect("it runs").resume();
    }

    /// Whether it came up.
    fn launch(&mut self) -> bool {
        let users = self.directory.write("users", "\"coatroom\" \"ticket\"\n");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = {}\nmax_client_conn = 1000\nserver_login_retry = 1\n",
            self.server,
            self.port,
            users.display(),
            self.pool_size,
        );
        let configuration = self.directory.write("pgbouncer.ini", &text);
        let recipe = Recipe {
            name: "pgbouncer",
            program: Program::PgBouncer.path(),
            arguments: vec![configuration.display().to_string()],
            end: ("TERM", Signal::TERM),
            user: self.user,
        };
        let process = self.process.insert(Process::start(&recipe, &self.directory));
        process.becomes_ready(|| port::answers(self.port))
    }

    fn give_up(&self) -> ! {
        let log = self.process.as_ref().map(Process::log_tail).unwrap_or_default();
        panic!("pgbouncer does not start:\n{log}")
    }
}
