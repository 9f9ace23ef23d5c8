//! The Redis store on real servers.

use coatroom::conformance_tests;
use coatroom::store::RedisStore;
use coatroom::store::conformance::model::{Step, check};
use coatroom_testbed::shared;
use proptest::prelude::*;

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
