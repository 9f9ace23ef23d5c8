use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::Duration;

use coatroom_testbed::{Nginx, Postgres, PostgresOptions, Program, Redis, RedisOptions, wait_until};
use rustix::process::{Signal, kill_process};

use crate::client::Client;
use crate::process::Server;

/// Two shops with a lab, and what stands before and behind them.
pub(crate) struct Pair {
    pub(crate) nodes: [Server; 2],
    nginx: Nginx,
    told: tempfile::TempDir,
    _store: Box<dyn std::any::Any + Send + Sync>,
}

impl Pair {
    /// `None` where a program is not installed.
    pub(crate) fn on_redis(options: &[&str]) -> Option<Self> {
        if !Program::Redis.is_installed() || !Program::Nginx.is_installed() {
            return None;
        }
        let store = Redis::start(RedisOptions::new());
        Some(Self::start(&store.url(), Box::new(store), options))
    }

    /// `None` where a program is not installed.
    pub(crate) fn on_postgres(options: &[&str]) -> Option<Self> {
        if !Program::Postgres.is_installed() || !Program::Nginx.is_installed() {
            return None;
        }
        let store = Postgres::start(PostgresOptions::new());
        Some(Self::start(&store.url(), Box::new(store), options))
    }

    fn start(url: &str, store: Box<dyn std::any::Any + Send + Sync>, options: &[&str]) -> Self {
        let told = tempfile::tempdir().unwrap();
        let options = [&["--store", url, "--lab"], options].concat();
        let start = |node: &str| Server::start_telling(&options, &told.path().join(node));
        // Both at once, so that two find a new database empty.
        let nodes = std::thread::scope(|scope| {
            let nodes = ["0", "1"].map(|node| scope.spawn(move || start(node)));
            nodes.map(|node| node.join().unwrap())
        });
        let nginx = Nginx::start(&[&nodes[0].address, &nodes[1].address]);
        Self { nodes, nginx, told, _store: store }
    }

    /// A visitor through nginx.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.nginx.address())
    }

    /// Kills the first shop.
    pub(crate) fn kill_first(&self) {
        kill_process(self.nodes[0].pid(), Signal::KILL).unwrap();
        wait_until("the first shop is gone", Duration::from_secs(30), || {
            TcpStream::connect(&self.nodes[0].address).is_err()
        });
    }

    /// How often this node told of the end of each session.
    pub(crate) fn told(&self, node: usize) -> BTreeMap<String, usize> {
        let said = std::fs::read_to_string(self.told.path().join(node.to_string())).unwrap();
        let mut told = BTreeMap::new();
        // The last line may be half written.
        let whole = said.rsplit_once('\n').map(|(whole, _)| whole).unwrap_or_default();
        for locator in whole.lines().filter_map(|line| line.strip_prefix("expired ")) {
            *told.entry(locator.to_owned()).or_default() += 1;
        }
        told
    }
}

/// Makes a test of the function for each store that can be shared:
/// `on_each_store! { fn name(pair) { … } }`. What stands in brackets are options of the shops.
macro_rules! on_each_store {
    ($($(#[$meta:meta])* fn $name:ident($pair:ident $([$($option:literal),*])?) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports)]
            use super::*;


            fn check($pair: $crate::two_nodes::pair::Pair) $body

            const OPTIONS: &[&str] = &[$($($option),*)?];

            #[test]
            fn on_redis() {
                if let Some(pair) = $crate::two_nodes::pair::Pair::on_redis(OPTIONS) {
                    check(pair);
                }
            }

            #[test]
            fn on_postgres() {
                if let Some(pair) = $crate::two_nodes::pair::Pair::on_postgres(OPTIONS) {
                    check(pair);
                }
            }
        })*
    };
}
pub(crate) use on_each_store;
