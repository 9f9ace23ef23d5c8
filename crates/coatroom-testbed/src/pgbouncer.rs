use rustix::process::Signal;

use crate::Postgres;
use crate::directory::{Directory, User};
use crate::port;
use crate::process::{Process, Recipe};
use crate::program::Program;
use crate::server::lifecycle;

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

lifecycle!(PgBouncer, TERM);

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
        bouncer.start_on_a_free_port();
        bouncer
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

    fn choose_port(&mut self) {
        self.port = port::free();
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
}
