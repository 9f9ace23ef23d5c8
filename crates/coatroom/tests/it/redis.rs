//! The Redis store on real servers.

mod faults;
mod keys;
mod opening;
mod round_trips;

use std::sync::Arc;
use std::time::Duration;

use coatroom::conformance_tests;
use coatroom::store::RedisStore;
use coatroom::store::conformance::model::{Step, check};
use coatroom::{ManualClock, SessionManager, Slot};
use coatroom_testbed::{Program, Redis, RedisOptions, shared};
use proptest::prelude::*;

const COUNT: Slot<u64> = Slot::new("count");
const TEXT: Slot<String> = Slot::new("text");
const SOON: Duration = Duration::from_secs(30);

/// A server for one test alone; `None` where none is installed.
fn start(options: RedisOptions) -> Option<Redis> {
    Program::Redis.is_installed().then(|| Redis::start(options))
}

/// A store in this runtime.
async fn connect(url: &str) -> RedisStore {
    RedisStore::connect(&url.parse().unwrap()).await.unwrap()
}

/// A manager on a clock moved by hand, without a sweeper's thread.
fn manager(store: RedisStore, clock: &Arc<ManualClock>) -> SessionManager {
    let builder = SessionManager::builder(store).clock(clock.clone()).follow_store_clock(false);
    builder.sweep_every(None).build().unwrap()
}

/// A store at this URL; `None` where there is no server.
fn open(url: Option<String>) -> Option<RedisStore> {
    url.map(|url| RedisStore::open(&url.parse().unwrap()).unwrap())
}

conformance_tests!(redis, open(shared::redis_url()));
conformance_tests!(valkey, open(shared::valkey_url()));
conformance_tests!(cluster, open(shared::cluster_url()));

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any::<[u8; 8]>().prop_map(Step::pick), 1..80)
}

/// Opened again wherever a step says so.
fn check_model(url: Option<String>, steps: &[Step]) {
    let Some(url) = url else { return };
    check(steps, |store: Option<RedisStore>| {
        drop(store);
        open(Some(url.clone())).unwrap()
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, ..Default::default() })]

    #[test]
    fn a_redis_store_answers_as_a_map_would(steps in steps()) {
        check_model(shared::redis_url(), &steps);
    }

    #[test]
    fn a_valkey_store_answers_as_a_map_would(steps in steps()) {
        check_model(shared::valkey_url(), &steps);
    }

    #[test]
    fn a_cluster_store_answers_as_a_map_would(steps in steps()) {
        check_model(shared::cluster_url(), &steps);
    }
}
