//! Real servers for tests: Redis, Valkey, PostgreSQL, PgBouncer, nginx, each on a free port of the
//! loopback interface with data that is thrown away, and a [`Proxy`] that counts and disturbs.
//!
//! A server is stopped when its value is dropped, and where the process that owns it is killed. Its
//! programs must be installed; `make setup` does that. [`shared`] lends one server to many tests.
//!
//! What fails here fails a test, so it panics, with the end of the server's log.

// The remedy for a server that does not start is read from the panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cluster;
mod directory;
mod nginx;
mod pgbouncer;
mod port;
mod postgres;
mod process;
mod program;
mod proxy;
mod redis;
mod server;
pub mod shared;
mod tls;
mod tmpfs;
mod wait;

pub use self::cluster::RedisCluster;
pub use self::nginx::Nginx;
pub use self::pgbouncer::PgBouncer;
pub use self::postgres::{Postgres, PostgresOptions};
pub use self::program::Program;
pub use self::proxy::{Cut, Proxy};
pub use self::redis::{Redis, RedisOptions};
pub use self::tls::Certificates;
pub use self::tmpfs::Tmpfs;
pub use self::wait::wait_until;
