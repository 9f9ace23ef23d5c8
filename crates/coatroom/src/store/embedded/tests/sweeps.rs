//! Sweeps: what they leave in the index of deadlines, and where the files lost some of it.

use super::*;

/// When a record of the tests that was left alone is dead.
const LATE: Timestamp = Timestamp::from_millis(START.as_millis() + 1_300_000);

fn claim(store: &EmbeddedStore, at: Timestamp) -> usize {
    now(store.claim_expired(namespace(), at, at + IDLE, 9)).records.len()
}

/// Writes to the files what the loss of something would leave.
fn write(store: &EmbeddedStore, fill: impl FnOnce(&mut db::Batch)) {
    let mut batch = db::Batch::default();
    fill(&mut batch);
    store.core.db.write(batch).unwrap();
}

/// Where a record of the tests is filed first.
fn first_entry() -> Vec<u8> {
    db::keys::slice_key(&key(1), db::keys::slice_of(START + IDLE).unwrap())
}

/// How many entries there are.
fn entries(store: &EmbeddedStore) -> usize {
    store.core.db.range(b"e", b"f").unwrap().count()
}

#[test]
fn what_a_sweep_moved_is_found_where_it_was_once_the_files_were_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    checkpoint(&store);
    assert_eq!(claim(&store, LATE), 1);
    let leased = db::keys::slice_key(&key(1), db::keys::slice_of(LATE + IDLE).unwrap());
    write(&store, |batch| {
        batch.remove(&leased);
        batch.put(&first_entry(), &[]);
    });
    // What has something to write fails.
    create(&store, record_with(key(2), 1, LATE + 9 * IDLE, None, b""));
    fail_checkpoint(&store);
    assert_eq!(claim(&store, LATE + 2 * IDLE), 1);
}

#[test]
fn a_deadline_that_the_files_lost_with_its_record_is_filed_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    assert_eq!(claim(&store, START), 0, "which files it");
    write(&store, |batch| batch.remove(&first_entry()));
    fail_checkpoint(&store);
    assert_eq!(claim(&store, LATE), 1);
}

/// A power cut may bring it back.
#[test]
fn the_entry_of_an_ended_session_stays_until_the_files_know_that_it_ended() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    checkpoint(&store);
    now(store.remove(&key(1), START)).unwrap();
    assert_eq!((claim(&store, LATE), entries(&store)), (0, 1));
    checkpoint(&store);
    assert_eq!((claim(&store, LATE + IDLE), entries(&store)), (0, 0));
}

#[test]
fn a_lease_is_forgotten_with_what_was_leased() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    assert_eq!(claim(&store, LATE), 1);
    let anew = record_with(key(1), 2, LATE, None, b"");
    assert!(matches!(now(store.create(anew, LATE)), Creation::Created(_)));
    now(store.remove(&key(1), LATE)).unwrap();
    assert_eq!(store.core.sweeps.begin().leased(), 1);
    assert_eq!(claim(&store, LATE + 2 * IDLE), 0);
    assert_eq!(store.core.sweeps.begin().leased(), 0);
}

#[test]
fn a_lease_is_forgotten_once_it_is_settled() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    now(store.settle(now(store.claim_expired(namespace(), LATE, LATE + IDLE, 9)).records));
    assert_eq!(store.core.sweeps.begin().leased(), 0);
}

/// A touch from before its deadline may come late, or the clock be set back.
#[test]
fn nothing_revives_a_record_whose_expiry_is_being_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    assert_eq!(claim(&store, LATE), 1);
    now(store.touch(&key(1), Activity { last_accessed: START + IDLE / 2, confirmed: true }));
    assert_eq!(revision_of(&store, 1), None);
    assert!(matches!(now(store.commit(1, record(1, 2), START)), Commit::Gone));
    assert!(now(store.remove(&key(1), START)).is_none());
    let Creation::Created(departed) = now(store.create(record(1, 3), LATE)) else { panic!("it is dead") };
    assert!(departed.is_empty(), "it is told already");
}
