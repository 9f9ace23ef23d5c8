//! What needs no waiting, and what does.

use super::*;

#[test]
fn what_another_thread_works_on_is_not_at_hand() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(&directory.path().join("store"));
    create(&store, record(1, 1));
    let (key, next) = (*record(1, 1).key(), record(1, 2));
    store.core.hot.with(&key.locator, |_| {
        assert!(store.load_at_hand(&key, START).is_none());
        assert!(!store.commit_at_hand(1, &next, START));
    });
    assert_eq!(store.load_at_hand(&key, START).unwrap().revision(), 1);
    assert!(store.commit_at_hand(1, &next, START));
    assert_eq!(store.load_at_hand(&key, START).unwrap().revision(), 2);
}

#[test]
fn what_was_committed_at_hand_survives_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("store"), directory.path().join("copy"));
    let store = still(&path);
    create(&store, record(1, 1));
    assert!(store.commit_at_hand(1, &record(1, 2), START));
    copy_of(&path, &copy);
    let store = still(&copy);
    let loaded = pollster::block_on(store.load(record(1, 2).key(), START)).unwrap();
    assert_eq!(loaded.unwrap().bytes(), record(1, 2).bytes());
}

#[test]
fn a_commit_at_hand_is_carried_over_into_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(&directory.path().join("store"));
    create(&store, record(1, 1));
    checkpoint(&store);
    assert!(
        !store.commit_at_hand(1, &record(1, 2), START),
        "a segment was begun that nothing was written to"
    );
    create(&store, record(2, 1));
    assert!(store.commit_at_hand(1, &record(1, 2), START));
    checkpoint(&store);
    assert_eq!(store.core.in_files(record(1, 2).key()).unwrap().unwrap().bytes(), record(1, 2).bytes());
}

#[test]
fn what_waits_for_the_disk_and_what_lies_in_the_files_is_not_at_hand() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = EmbeddedStore::builder(&path).durability(Durability::EveryCommit).open().unwrap();
    create(&store, record(1, 1));
    assert!(!store.commit_at_hand(1, &record(1, 2), START));
    drop(store);
    let store = still(&path);
    assert!(store.load_at_hand(record(1, 1).key(), START).is_none());
    store.close().unwrap();
    assert!(store.load_at_hand(record(1, 1).key(), START).is_none());
    assert!(!store.commit_at_hand(1, &record(1, 2), START));
}
