//! Sweeps, where the files lost what was written to them since they were last synced.

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
