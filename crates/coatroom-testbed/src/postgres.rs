mod options;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

pub use self::options::PostgresOptions;
use crate::directory::{Directory, User};
use crate::port;
use crate::process::{Process, Recipe, tail};
use crate::program::Program;
use crate::server::lifecycle;
use crate::tls::Certificates;

/// A PostgreSQL server with the database `coatroom`, which the user `coatroom`, no superuser, owns.
#[derive(Debug)]
pub struct Postgres {
    options: PostgresOptions,
    // Dropped first: its directory goes after it.
    process: Option<Process>,
    directory: Directory,
    certificates: Option<Certificates>,
    port: u16,
    user: Option<User>,
}

lifecycle!(Postgres, INT);

impl Postgres {
    /// Makes a database and starts a server on it; as an unprivileged account where this process is
    /// root's.
    #[must_use]
    pub fn start(options: PostgresOptions) -> Self {
        let user = User::unprivileged();
        let directory = Directory::new(options.directory.as_deref(), user);
        let mut postgres = Self { options, process: None, directory, certificates: None, port: 0, user };
        postgres.make_database();
        postgres.start_on_a_free_port();
        postgres.sql_in("postgres", Self::USER);
        postgres.sql_in("postgres", "CREATE DATABASE coatroom OWNER coatroom");
        postgres
    }

    const USER: &str = "CREATE ROLE coatroom LOGIN PASSWORD 'ticket'";

    /// `postgres://coatroom:ticket@127.0.0.1:PORT/coatroom`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_as("coatroom", "ticket", "coatroom")
    }

    /// The same for another user, password and database, none of which needs escapes.
    #[must_use]
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        let host = if self.certificates.is_some() { "localhost" } else { "127.0.0.1" };
        format!("postgres://{user}:{password}@{host}:{}/{database}", self.port)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The authority that signed its certificate, a PEM file; `None` without TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        self.certificates.as_ref().map(|certificates| certificates.authority.as_path())
    }

    /// Runs SQL as the superuser in the database `coatroom`; what it answers, a row a line, columns
    /// divided by `|`.
    ///
    /// # Panics
    ///
    /// Where it fails.
    pub fn sql(&self, sql: &str) -> String {
        self.sql_in("coatroom", sql)
    }

    /// Has the database `coatroom` keep the tables that are made from now on in this empty directory,
    /// such as a disk of their own that becomes full.
    pub fn keep_tables_in(&self, directory: &Path) {
        if let Some(User { uid, gid }) = self.user {
            std::os::unix::fs::chown(directory, Some(uid), Some(gid))
                .expect("giving away a directory failed");
        }
        self.sql(&format!("CREATE TABLESPACE disk OWNER coatroom LOCATION '{}'", directory.display()));
        self.sql_in("postgres", "ALTER ROLE coatroom SET default_tablespace = disk");
    }

    fn make_database(&mut self) {
        let arguments = ["--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"];
        let access = ["--auth-host=scram-sha-256", "--auth-local=trust", "--pgdata"];
        let mut initdb = self.beside("initdb");
        initdb.args(arguments).args(access).arg(self.data());
        let output = initdb.output().expect("running initdb failed");
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        if self.options.tls {
            let made = Certificates::in_directory(self.directory.path());
            let key = &made.key;
            self.user.map(|User { uid, gid }| std::os::unix::fs::chown(key, Some(uid), Some(gid)));
            self.certificates = Some(made);
        }
    }

    fn choose_port(&mut self) {
        self.port = port::free();
    }

    /// Whether it came up.
    fn launch(&mut self) -> bool {
        let data = self.data();
        let text = self.options.file(self.port, self.directory.path(), self.certificates.as_ref());
        self.directory.write("data/postgresql.auto.conf", &text);
        // It says there when it is ready, and would find an old word of that from before a kill.
        let state = data.join("postmaster.pid");
        let recipe = Recipe {
            name: "postgres",
            program: Program::Postgres.path(),
            arguments: vec!["-D".to_owned(), data.display().to_string()],
            end: ("QUIT", Signal::QUIT),
            user: self.user,
        };
        let process = self.process.insert(Process::start(&recipe, &self.directory));
        let pid = process.pid().to_string();
        process.becomes_ready(|| {
            let text = fs::read_to_string(&state).unwrap_or_default();
            let mut lines = text.lines();
            let is_up = |line: &str| matches!(line.trim(), "ready" | "standby");
            lines.next() == Some(&pid) && lines.nth(6).is_some_and(is_up)
        })
    }

    fn sql_in(&self, database: &str, sql: &str) -> String {
        let mut psql = self.beside("psql");
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-d",
            database,
            "-c",
            sql,
        ]);
        psql.args(["-p", &self.port.to_string(), "-h"]).arg(self.directory.path());
        let output = psql.output().expect("running psql failed");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{sql} failed: {said}\n{}",
            tail(&self.directory.path().join("log"))
        );
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A program of the same version.
    fn beside(&self, name: &str) -> Command {
        let mut command = Command::new(Program::Postgres.path().with_file_name(name));
        command.current_dir(self.directory.path());
        if let Some(User { uid, gid }) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }
}
