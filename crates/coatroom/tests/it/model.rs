//! Every store answers any sequence of calls as a plain map would.

use std::path::Path;

use coatroom::MemoryStore;
use coatroom::store::conformance::model::{Step, check};
use coatroom::store::{EmbeddedStore, EmbeddedStoreBuilder};
use proptest::prelude::*;

/// Up to 80 steps on eight keys in two namespaces.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any::<[u8; 8]>().prop_map(Step::pick), 1..80)
}

/// With a directory for itself, opened again wherever a step says so.
fn check_embedded(steps: &[Step], build: impl Fn(&Path) -> EmbeddedStoreBuilder) {
    let directory = tempfile::tempdir().unwrap();
    check(steps, |store: Option<EmbeddedStore>| {
        drop(store);
        build(directory.path()).open().unwrap()
    });
}

proptest! {
    #[test]
    fn a_memory_store_answers_as_a_map_would(steps in steps()) {
        check(&steps, |store: Option<MemoryStore>| store.unwrap_or_default());
    }
}

proptest! {
    // Each opens a directory some three times, so there are a sixteenth as many of these.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 16, ..Default::default() })]

    #[test]
    fn an_embedded_store_answers_as_a_map_would_through_reopenings(steps in steps()) {
        check_embedded(&steps, |path| EmbeddedStore::builder(path).max_journal_bytes(4 << 20));
    }

    #[test]
    fn an_embedded_store_without_room_answers_as_a_map_would(steps in steps()) {
        check_embedded(&steps, |path| {
            EmbeddedStore::builder(path).max_journal_bytes(1 << 20).hot_bytes(1).without_mapping()
        });
    }
}
