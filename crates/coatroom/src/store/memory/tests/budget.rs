//! What records count for, and how much of it there may be.

use super::*;

#[test]
fn a_record_larger_than_the_store_is_refused_by_the_name_of_the_limit() {
    let store = MemoryStore::builder().max_bytes(1_000).build();
    create(&store, ONE);
    let large = Made { bytes: 2_000, revision: 2, ..ONE };
    let anew = Made { locator: [2, 2], ..large }.record();
    assert!(matches!(pollster::block_on(store.create(anew, START)), Err(StoreError::Full { .. })));
    let refused = pollster::block_on(store.commit(1, large.record(), START)).unwrap_err();
    assert!(matches!(refused, StoreError::Full { .. }));
    assert!(refused.to_string().contains("max_bytes = 1000"));
    assert_eq!(now(store.load(&ONE.key(), START)).unwrap().revision(), 1);
}

#[test]
fn an_emptied_store_uses_nothing() {
    let store = MemoryStore::new();
    for number in 0..=255 {
        create(&store, Made { locator: [number, 0], principal: Some("alice"), ..ONE });
        // One that grew and one that shrank.
        let bytes = if number % 2 == 0 { 100 } else { 1 };
        commit(&store, Made { locator: [number, 0], bytes: 50, revision: 2, ..ONE });
        commit(&store, Made { locator: [number, 0], bytes, revision: 3, ..ONE });
    }
    for number in 0..=255 {
        let key = Made { locator: [number, 0], ..ONE }.key();
        assert!(now(store.remove(&key, START)).is_some());
        assert!(now(store.remove(&key, START)).is_none());
    }
    assert_eq!((store.0.budget.used(), store.0.principals.len()), (0, 0));
    assert!(format!("{store:?}").contains("bytes: 0"));
}

#[test]
fn a_record_as_large_as_the_store_is_kept() {
    let store = MemoryStore::builder().max_bytes(budget_of(ONE)).build();
    assert!(create(&store, ONE).is_empty());
    assert!(now(store.load(&ONE.key(), START)).is_some());
}

#[test]
fn a_record_counts_for_what_keeping_it_costs() {
    let named = |principal| Made { principal: Some(principal), ..ONE };
    let (short, long) = ("a".repeat(100), "a".repeat(400));
    // Key, activity, reference count and length, and what the table has of it.
    assert!(budget_of(ONE) >= ONE.record().bytes().len() + 48 + 32);
    // In the record and in the index, which has a place for it.
    assert!(budget_of(named(&long)) >= budget_of(named(&short)) + 2 * 300 - 16);
    assert!(budget_of(named(&short)) >= budget_of(ONE) + 2 * 100 + 96 - 16);
}
