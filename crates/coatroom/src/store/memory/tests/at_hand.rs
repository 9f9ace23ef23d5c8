//! What is done without waiting for another thread, and what is left to the general way.

use super::*;

#[test]
fn what_another_thread_works_on_is_not_at_hand() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let next = Made { revision: 2, ..ONE }.record();
    store.0.shards.with(&ONE.key().locator, |_| {
        assert!(store.load_at_hand(&ONE.key(), START).is_none());
        assert!(!store.commit_at_hand(1, &next, START));
    });
    assert_eq!(store.load_at_hand(&ONE.key(), START).unwrap().revision(), 1);
    assert!(store.commit_at_hand(1, &next, START));
    assert_eq!(now(store.load(&ONE.key(), START)).unwrap().revision(), 2);
}

#[test]
fn a_commit_that_takes_more_than_replacing_is_not_at_hand() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let larger = Made { revision: 2, bytes: 9, ..ONE };
    let owned = Made { revision: 2, principal: Some("alice"), ..ONE };
    let shorter = Made { revision: 2, idle: IDLE / 2, ..ONE };
    for made in [larger, owned, shorter] {
        assert!(!store.commit_at_hand(1, &made.record(), START));
    }
    assert_eq!(now(store.load(&ONE.key(), START)).unwrap().revision(), 1);
}
