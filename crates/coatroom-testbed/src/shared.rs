//! Servers that many tests share: those that `testbed run` started and named in the environment, or
//! where there are none, one of each for this process alone, started when first asked for.
//!
//! Tests keep out of each other's way by key prefixes, schemas and namespaces. Nobody stops them or
//! changes their settings. Each function is `None`, and says so, where a program is not installed
//! ([`Program::is_installed`]).

use std::env;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{PgBouncer, Postgres, PostgresOptions, Program, Redis, RedisCluster, RedisOptions};

/// The kinds of shared servers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Three primaries of Redis.
    Cluster,
    /// In front of [`Kind::Postgres`].
    PgBouncer,
    /// Without waiting for the disk.
    Postgres,
    /// Keeps nothing on the disk.
    Redis,
    /// Keeps nothing on the disk.
    Valkey,
}

/// A shared server that this process started.
#[derive(Debug)]
enum Server {
    Cluster(RedisCluster),
    PgBouncer(PgBouncer),
    Postgres(Postgres),
    Redis(Redis),
}

impl Kind {
    /// All of them; each after those it needs.
    pub const ALL: [Self; 5] = [Self::Redis, Self::Valkey, Self::Cluster, Self::Postgres, Self::PgBouncer];

    /// Its name on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::PgBouncer => "pgbouncer",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }

    /// The variable of the environment that holds its URL.
    #[must_use]
    pub fn variable(self) -> String {
        format!("COATROOM_TEST_{}_URL", self.name().to_uppercase())
    }

    /// What it is made of.
    fn programs(self) -> &'static [Program] {
        match self {
            Self::Cluster | Self::Redis => &[Program::Redis],
            Self::PgBouncer => &[Program::PgBouncer, Program::Postgres],
            Self::Postgres => &[Program::Postgres],
            Self::Valkey => &[Program::Valkey],
        }
    }

    fn start(self) -> Server {
        match self {
            Self::Cluster => Server::Cluster(RedisCluster::start(RedisOptions::new())),
            Self::PgBouncer => {
                let postgres = url(Self::Postgres).expect("a PostgreSQL is installed");
                Server::PgBouncer(PgBouncer::start_before(port_of(&postgres), 20))
            }
            Self::Postgres => {
                Server::Postgres(Postgres::start(PostgresOptions::new().fast().set("max_connections", "300")))
            }
            Self::Redis => Server::Redis(Redis::start(RedisOptions::new())),
            Self::Valkey => Server::Redis(Redis::start(RedisOptions::valkey())),
        }
    }
}

impl Server {
    fn url(&self) -> String {
        match self {
            Self::Cluster(server) => server.url(),
            Self::PgBouncer(server) => server.url(),
            Self::Postgres(server) => server.url(),
            Self::Redis(server) => server.url(),
        }
    }
}

/// The URL of a Redis.
#[must_use]
pub fn redis_url() -> Option<String> {
    url(Kind::Redis)
}

/// The URL of a Valkey.
#[must_use]
pub fn valkey_url() -> Option<String> {
    url(Kind::Valkey)
}

/// The URL of a Redis Cluster of three primaries.
#[must_use]
pub fn cluster_url() -> Option<String> {
    url(Kind::Cluster)
}

/// The URL of a PostgreSQL.
#[must_use]
pub fn postgres_url() -> Option<String> {
    url(Kind::Postgres)
}

/// The URL of a PgBouncer in transaction mode in front of the shared PostgreSQL.
#[must_use]
pub fn pgbouncer_url() -> Option<String> {
    url(Kind::PgBouncer)
}

/// The URL of one of this kind.
#[must_use]
pub fn url(kind: Kind) -> Option<String> {
    if let Some(url) = env::var(kind.variable()).ok().filter(|url| !url.is_empty()) {
        return Some(url);
    }
    if !kind.programs().iter().all(|program| program.is_installed()) {
        return None;
    }
    let mut own = lock(kind);
    Some(own.get_or_insert_with(|| kind.start()).url())
}

/// Stops those that this process started. The end of the process does so too.
pub fn stop() {
    for kind in Kind::ALL.into_iter().rev() {
        drop(lock(kind).take());
    }
}

fn lock(kind: Kind) -> MutexGuard<'static, Option<Server>> {
    OWN[kind as usize].lock().unwrap_or_else(PoisonError::into_inner)
}

/// Those of this process alone, by kind.
static OWN: [Mutex<Option<Server>>; Kind::ALL.len()] = [const { Mutex::new(None) }; Kind::ALL.len()];

fn port_of(url: &str) -> u16 {
    let after_host = url.rsplit(':').next().unwrap_or_default();
    let digits = after_host.split('/').next().unwrap_or_default();
    digits.parse().unwrap_or_else(|_| panic!("the URL of a PostgreSQL names a port, this does not: {url}"))
}
