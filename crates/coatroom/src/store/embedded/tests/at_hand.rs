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

#[test]
fn what_was_created_at_hand_survives_the_process_and_is_carried_over_and_filed() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("store"), directory.path().join("copy"));
    let store = still(&path);
    assert!(!store.create_at_hand(&record(1, 1), START), "a segment was begun that nothing was written to");
    create(&store, record(2, 1));
    store.core.hot.with(&key(1).locator, |_| assert!(!store.create_at_hand(&record(1, 1), START)));
    assert!(store.create_at_hand(&record(1, 1), START));
    copy_of(&path, &copy);
    for store in [store, still(&copy)] {
        checkpoint(&store);
        assert_eq!(store.core.in_files(&key(1)).unwrap().unwrap().bytes(), record(1, 1).bytes());
        let dead = record(1, 1).expires_at() + Duration::from_secs(60);
        let claim = pollster::block_on(store.claim_expired(namespace(), dead, dead, 9)).unwrap();
        assert_eq!(claim.records.len(), 2);
    }
}

#[test]
fn what_may_lie_in_the_files_or_is_somebodys_is_not_created_at_hand() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = still(&path);
    create(&store, record(1, 1));
    assert!(!store.create_at_hand(&record_of(2, 1, 8, Some("alice")), START));
    store.close().unwrap();
    assert!(!store.create_at_hand(&record(2, 1), START));
    drop(store);
    let store = still(&path);
    create(&store, record(3, 1));
    assert!(!store.create_at_hand(&record(1, 2), START), "the files were not asked");
}

#[test]
fn a_read_waits_for_no_sync() {
    let directory = tempfile::tempdir().unwrap();
    let store = still_with(directory.path(), |builder| builder.durability(Durability::EveryCommit));
    create(&store, record(1, 1));
    assert!(matches!(store.load(&key(1), START), StoreFuture::Ready(_)));
}
