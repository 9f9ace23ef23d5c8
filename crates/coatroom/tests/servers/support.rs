//! What the tests share: a server of each kind, a shop on it, and visitors who come by HTTP.

mod browser;
mod load;
mod shop;

use std::sync::Arc;
use std::time::Duration;

use coatroom::Store;
use coatroom::store::{ConnectError, RedisStore};
use coatroom_testbed::{Program, Redis, RedisOptions};

pub use self::browser::Browser;
pub use self::load::Load;
pub use self::shop::Shop;

/// How long anything may take that must happen. A test that waits so long has failed.
pub const SOON: Duration = Duration::from_secs(60);

/// A server that a test may stop.
#[derive(Debug)]
pub struct Server(Redis);

impl Server {
    /// A Redis that loses nothing it has acknowledged.
    pub fn redis() -> Option<Self> {
        let options = RedisOptions::new().durable();
        Program::Redis.is_installed().then(|| Self(Redis::start(options)))
    }

    /// A Valkey that loses nothing it has acknowledged.
    pub fn valkey() -> Option<Self> {
        let options = RedisOptions::valkey().durable();
        Program::Valkey.is_installed().then(|| Self(Redis::start(options)))
    }

    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Where clients connect to.
    pub fn address(&self) -> String {
        self.0.address()
    }

    pub fn stop(&mut self) {
        self.0.stop();
    }

    pub fn kill(&mut self) {
        self.0.kill();
    }

    pub fn start_again(&mut self) {
        self.0.start_again();
    }

    pub fn pause(&mut self) {
        self.0.pause();
    }

    pub fn resume(&mut self) {
        self.0.resume();
    }
}

/// The store at `url`, living in the runtime of the test.
pub async fn try_open(url: &str) -> Result<Arc<dyn Store>, ConnectError> {
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
        })*
    };
}
pub(crate) use on_each_server;
