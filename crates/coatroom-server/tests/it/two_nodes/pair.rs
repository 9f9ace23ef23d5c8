use std::collections::BTreeMap;
use std::time::Duration;

use coatroom_testbed::{Nginx, Postgres, PostgresOptions, Program, Redis, RedisOptions, wait_until};
use rustix::process::{Signal, kill_process};

use super::ear::Ear;
use crate::client::Client;
use crate::process::Server;

/// Two shops with a lab, and what stands before and behind them.
pub(crate) struct Pair {
    pub(crate) nodes: [Server; 2],
    nginx: Nginx,
    ears: [Ear; 2],
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
        let options = [&["--store", url, "--lab"], options].concat();
        let start = || Server::start_heard(&options);
        // Both at once, so that two find a new database empty.
        let [(one, said), (other, said_too)] =
            std::thread::scope(|scope| [(); 2].map(|()| scope.spawn(start)).map(|node| node.join().unwrap()));
        let nginx = Nginx::start(&[&one.address, &other.address]);
        Self { nodes: [one, other], nginx, ears: [Ear::new(said), Ear::new(said_too)], _store: store }
    }

    /// A visitor through nginx.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.nginx.address())
    }

    /// Lets the first shop come to where it has to wait, in the middle of telling.
    pub(crate) fn leave_first_unheard(&self) {
        self.ears[0].close();
    }

    /// Kills the first shop there, and hears what it had told. The other stands still until then, since
    /// whichever sweeps first may leave nothing to tell.
    pub(crate) fn kill_first_while_it_tells(&self) {
        let send = |signal, node: usize| kill_process(self.nodes[node].pid(), signal).unwrap();
        send(Signal::STOP, 1);
        wait_until("the first shop tells", Duration::from_secs(60), || self.ears[0].is_overflowing());
        send(Signal::KILL, 0);
        send(Signal::CONT, 1);
        self.ears[0].hear_out();
    }

    /// How often this node told of the end of each session.
    pub(crate) fn told(&self, node: usize) -> BTreeMap<String, usize> {
        let mut told = BTreeMap::new();
        for line in self.ears[node].heard() {
            let locator = line.strip_prefix("expired ").unwrap().to_owned();
            *told.entry(locator).or_default() += 1;
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
