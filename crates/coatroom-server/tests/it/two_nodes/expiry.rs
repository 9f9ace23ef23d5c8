//! Sessions that expire are told of.

use std::collections::BTreeMap;
use std::time::Duration;

use coatroom_testbed::wait_until;

use super::pair::{Pair, on_each_store};

/// So many visitors with a session each; their locators.
pub(super) fn visit(pair: &Pair, visitors: usize) -> Vec<String> {
    let share = visitors / 10;
    let locators = std::thread::scope(|scope| {
        let groups = (0..10).map(|_| {
            scope.spawn(|| {
                let one = |_| {
                    let mut visitor = pair.client();
                    assert_eq!(visitor.post("/visits").status, 200);
                    visitor.session()["locator"].as_str().unwrap().to_owned()
                };
                (0..share).map(one).collect::<Vec<_>>()
            })
        });
        groups.collect::<Vec<_>>().into_iter().flat_map(|group| group.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(locators.len(), visitors);
    locators
}

/// How often each session was told of, by both.
pub(super) fn told_by_both(pair: &Pair) -> BTreeMap<String, usize> {
    let mut told = pair.told(0);
    for (locator, times) in pair.told(1) {
        *told.entry(locator).or_default() += times;
    }
    told
}

on_each_store! {
    fn each_session_that_expired_is_told_of_once(pair["--idle-timeout", "4s"]) {
        let locators = visit(&pair, 400);
        let all_told = || told_by_both(&pair).len() >= locators.len();
        wait_until("all sessions are told of", Duration::from_secs(60), all_told);
        let told = told_by_both(&pair);
        assert!(locators.iter().all(|locator| told.get(locator) == Some(&1)), "{told:?}");
        assert_eq!(told.len(), locators.len());
    }
}
