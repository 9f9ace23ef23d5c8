//! Every store answers any sequence of calls as a plain map would.

use coatroom::store::MemoryStore;
use coatroom::store::conformance::model::{Step, check};
use proptest::prelude::*;

/// Up to 80 steps on eight keys in two namespaces.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any::<[u8; 8]>().prop_map(Step::pick), 1..80)
}

proptest! {
    #[test]
    fn a_memory_store_answers_as_a_map_would(steps in steps()) {
        check(&steps, |open: Option<MemoryStore>| open.unwrap_or_default());
    }
}
