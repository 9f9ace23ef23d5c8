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
fn a_creation_is_at_hand_where_nobody_works_and_there_is_room() {
    let room = Inner::new(1 << 20);
    room.create(ONE.record(), START).unwrap();
    let store = MemoryStore::builder().max_bytes(2 * room.budget.used()).build();
    let [first, second, third] = [1, 2, 3].map(|number| Made { locator: [1, number], ..ONE }.record());
    store.0.shards.with(&first.key().locator, |_| assert!(!store.create_at_hand(&first, START)));
    assert_eq!(store.0.budget.used(), 0, "what was not kept is not counted");
    assert!(store.create_at_hand(&first, START));
    assert!(store.create_at_hand(&second, START));
    assert!(!store.create_at_hand(&third, START), "another one has to go");
    assert_eq!(store.0.budget.used(), store.0.budget.limit());
    assert!(!store.create_at_hand(&first, START));
    assert_eq!(store.0.budget.used(), store.0.budget.limit());
}

#[test]
fn whose_session_is_known_is_not_created_at_hand() {
    let store = MemoryStore::new();
    assert!(!store.create_at_hand(&Made { principal: Some("alice"), ..ONE }.record(), START));
}

/// It would be dead with the mark that it carries.
#[test]
fn a_record_that_was_reported_is_not_created_at_hand() {
    let (store, record) = (MemoryStore::new(), ONE.record());
    assert!(record.shared_activity().claim());
    assert!(!store.create_at_hand(&record, START));
    assert!(matches!(now(store.create(record, START)), Creation::Created(_)));
    assert!(store.load_at_hand(&ONE.key(), START).is_some());
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

#[test]
fn a_commit_at_hand_gives_back_the_room_that_it_saves() {
    let store = MemoryStore::new();
    create(&store, Made { bytes: 100, ..ONE });
    assert!(store.commit_at_hand(1, &Made { revision: 2, ..ONE }.record(), START));
    assert_eq!(store.0.budget.used(), budget_of(ONE));
}
