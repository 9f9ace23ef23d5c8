mod options;
mod speak;

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

pub use self::options::RedisOptions;
use crate::directory::Directory;
use crate::process::{Process, Recipe};
use crate::server::lifecycle;
use crate::tls::Certificates;
use crate::{port, wait_until};

/// A Redis or Valkey server.
#[derive(Debug)]
pub struct Redis {
    options: RedisOptions,
    // Dropped first: its directory goes after it.
    process: Option<Process>,
    directory: Directory,
    certificates: Option<Certificates>,
    port: u16,
    tls_port: Option<u16>,
}

lifecycle!(Redis, TERM);

impl Redis {
    /// Starts one and waits until it answers.
    #[must_use]
    pub fn start(options: RedisOptions) -> Self {
        let directory = Directory::new(options.directory.as_deref(), None);
        let certificates = options.tls.then(|| Certificates::in_directory(directory.path()));
        let mut redis = Self { options, process: None, directory, certificates, port: 0, tls_port: None };
        redis.start_on_a_free_port();
        redis
    }

    /// `redis://127.0.0.1:PORT`, with the password of `requirepass` where that is set; `rediss://`
    /// with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        match self.options.setting("requirepass") {
            Some(password) => self.url_as("", password),
            None => self.url_of(""),
        }
    }

    /// The same for a user with a password, neither of which needs escapes.
    #[must_use]
    pub fn url_as(&self, user: &str, password: &str) -> String {
        self.url_of(&format!("{user}:{password}@"))
    }

    /// The port without TLS.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port without TLS.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The authority that signed its certificate, a PEM file; `None` without TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        self.certificates.as_ref().map(|certificates| certificates.authority.as_path())
    }

    /// Sends a command on a connection of its own; the answer as `redis-cli` prints it raw, several
    /// values one a line.
    ///
    /// # Panics
    ///
    /// Where the server answers with an error, or not at all.
    pub fn command(&self, words: &[&str]) -> String {
        self.try_command(words).unwrap_or_else(|error| panic!("{words:?} failed: {error}"))
    }

    /// The same; what went wrong as an error.
    ///
    /// # Errors
    ///
    /// What the server or the connection says.
    pub fn try_command(&self, words: &[&str]) -> Result<String, String> {
        speak::command(self.port, self.options.setting("requirepass"), words)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Where the members of a Cluster speak with each other.
    pub(crate) fn bus_port(&self) -> String {
        self.options.setting("cluster-port").expect("it is a member of a Cluster").to_owned()
    }

    fn url_of(&self, user: &str) -> String {
        match self.tls_port {
            Some(port) => format!("rediss://{user}localhost:{port}"),
            None => format!("redis://{user}127.0.0.1:{}", self.port),
        }
    }

    fn choose_port(&mut self) {
        self.port = port::free();
        self.tls_port = self.certificates.as_ref().map(|_| port::free());
    }

    /// Whether it came up.
    fn launch(&mut self) -> bool {
        let text = self.options.file(self.port, self.tls_port, self.certificates.as_ref());
        let configuration = self.directory.write("server.conf", &text);
        let recipe = Recipe {
            name: "redis",
            program: self.options.program.path(),
            arguments: vec![configuration.display().to_string()],
            end: ("KILL", Signal::KILL),
            user: None,
        };
        let process = self.process.insert(Process::start(&recipe, &self.directory));
        process.becomes_ready(|| speak::is_ready(self.port))
    }
}

impl Redis {
    /// Waits until `INFO` shows a line that is `field:value`.
    pub fn wait_for_info(&self, field: &str, value: &str) {
        let line = format!("{field}:{value}");
        wait_until(&line, Duration::from_secs(60), || {
            self.try_command(&["INFO"]).is_ok_and(|info| info.lines().any(|shown| shown.trim_end() == line))
        });
    }
}
