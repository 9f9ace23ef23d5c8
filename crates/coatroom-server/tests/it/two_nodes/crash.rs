//! A shop is killed in the middle of telling.

use std::time::Duration;

use coatroom_testbed::wait_until;

use super::expiry::{told_by_both, visit};
use super::pair::on_each_store;

/// What a shop claims at once.
const CLAIM: usize = 256;

on_each_store! {
    fn only_what_a_killed_shop_had_claimed_is_told_of_twice(pair["--idle-timeout", "6s"]) {
        let locators = visit(&pair, 2_000);
        wait_until("the first shop tells", Duration::from_secs(60), || !pair.told(0).is_empty());
        pair.kill_first();
        let before = pair.told(0);
        // What was claimed is free again after a minute.
        let all_told = || told_by_both(&pair).len() >= locators.len();
        wait_until("all sessions are told of", Duration::from_secs(180), all_told);
        let told = told_by_both(&pair);
        assert!(locators.iter().all(|locator| told.contains_key(locator)));
        let twice: Vec<&String> = told.iter().filter(|(_, times)| **times > 1).map(|(locator, _)| locator).collect();
        assert!(twice.iter().all(|locator| told[*locator] == 2 && before.contains_key(*locator)));
        assert!(twice.len() <= CLAIM, "{} sessions were told of twice", twice.len());
    }
}
