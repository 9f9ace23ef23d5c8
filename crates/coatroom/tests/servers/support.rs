//! What the tests share: a server of each kind, a shop on it, and visitors who come by HTTP.

mod browser;
mod load;
mod shop;

use std::sync::Arc;
use std::time::Duration;

use coatroom::Store;
use coatroom::store::{ConnectError, PostgresStore, RedisStore};
use coatroom_testbed::{PgBouncer, Postgres, PostgresOptions, Program, Redis, RedisOptions};

pub use self::browser::Browser;
pub use self::load::Load;
pub use self::shop::Shop;

/// How long anything may take that must happen. A test that waits so long has failed.
pub const SOON: Duration = Duration::from_secs(60);

/// A server that a test may stop.
#[derive(Debug)]
pub enum Server {
    Redis(Redis),
    Postgres(Postgres),
    /// A PgBouncer, and the PostgreSQL behind it, which is what stops.
    Pooled(PgBouncer, Postgres),
}

/// Does the same with what keeps the records, of any kind.
macro_rules! on_any {
    ($any:expr, $server:ident => $call:expr) => {
        match $any {
            Server::Redis($server) => $call,
            Server::Postgres($server) | Server::Pooled(_, $server) => $call,
        }
    };
}

impl Server {
    /// A Redis that loses nothing it has acknowledged.
    pub fn redis() -> Option<Self> {
        let options = RedisOptions::new().durable();
        Program::Redis.is_installed().then(|| Self::Redis(Redis::start(options)))
    }

    /// A Valkey that loses nothing it has acknowledged.
    pub fn valkey() -> Option<Self> {
        let options = RedisOptions::valkey().durable();
        Program::Valkey.is_installed().then(|| Self::Redis(Redis::start(options)))
    }

    /// A PostgreSQL as installed.
    pub fn postgres() -> Option<Self> {
        let options = PostgresOptions::new();
        Program::Postgres.is_installed().then(|| Self::Postgres(Postgres::start(options)))
    }

    /// A PgBouncer in front of such a one.
    pub fn pgbouncer() -> Option<Self> {
        let Some(Self::Postgres(postgres)) = Self::postgres() else { return None };
        Program::PgBouncer.is_installed().then(|| Self::Pooled(PgBouncer::start(&postgres, 20), postgres))
    }

    pub fn url(&self) -> String {
        match self {
            Self::Pooled(bouncer, _) => bouncer.url(),
            server => on_any!(server, server => server.url()),
        }
    }

    /// Where clients connect to.
    pub fn address(&self) -> String {
        match self {
            Self::Pooled(bouncer, _) => bouncer.address(),
            server => on_any!(server, server => server.address()),
        }
    }

    pub fn stop(&mut self) {
        on_any!(self, server => server.stop());
    }

    pub fn kill(&mut self) {
        on_any!(self, server => server.kill());
    }

    pub fn start_again(&mut self) {
        on_any!(self, server => server.start_again());
    }

    pub fn pause(&mut self) {
        on_any!(self, server => server.pause());
    }

    pub fn resume(&mut self) {
        on_any!(self, server => server.resume());
    }
}

/// The store at `url`, living in the runtime of the test.
pub async fn try_open(url: &str) -> Result<Arc<dyn Store>, ConnectError> {
    if url.starts_with("postgres:") {
        return Ok(Arc::new(PostgresStore::connect(&url.parse().unwrap()).await?));
    }
    Ok(Arc::new(RedisStore::connect(&url.parse().unwrap()).await?))
}

/// The same, which must open.
pub async fn open(url: &str) -> Arc<dyn Store> {
    try_open(url).await.unwrap()
}

/// Looks again and again until `condition` holds, and fails where it does not soon.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + SOON;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not within {SOON:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Makes a test of the function for each kind of server, skipped where that is not installed:
/// `on_each_server! { async fn name(server) { … } }`.
macro_rules! on_each_server {
    ($($(#[$meta:meta])* async fn $name:ident($server:ident) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[$meta])*
            async fn check($server: $crate::support::Server) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_redis() {
                if let Some(server) = $crate::support::Server::redis() {
                    check(server).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_valkey() {
                if let Some(server) = $crate::support::Server::valkey() {
                    check(server).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_postgres() {
                if let Some(server) = $crate::support::Server::postgres() {
                    check(server).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_pgbouncer() {
                if let Some(server) = $crate::support::Server::pgbouncer() {
                    check(server).await;
                }
            }
        })*
    };
}
pub(crate) use on_each_server;
