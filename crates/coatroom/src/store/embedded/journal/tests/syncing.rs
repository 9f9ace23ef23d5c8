//! What happens while a sync is under way.

use super::*;

/// Syncs, and has this happen in the middle of it.
fn sync_amid(journal: &Arc<Journal>, happening: impl FnOnce(&Journal) + Send + 'static) -> Position {
    let amid = Arc::clone(journal);
    journal.faults.syncing.after(0, move || happening(&amid));
    journal.sync().unwrap()
}

/// How many files the next sync is to cover.
fn unsynced(journal: &Journal) -> usize {
    journal.state.lock().unsynced().len()
}

#[test]
fn a_segment_that_is_sealed_during_a_sync_is_left_to_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Arc::new(open(directory.path()).0);
    put(&journal, 1, b"one").unwrap();
    sync_amid(&journal, |journal| {
        put(journal, 2, b"two").unwrap();
        journal.seal();
    });
    assert_eq!(unsynced(&journal), 2, "the sealed one and the active one");
    journal.sync().unwrap();
    assert_eq!(unsynced(&journal), 1);
}

#[test]
fn what_is_appended_during_a_sync_is_not_said_to_be_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Arc::new(open(directory.path()).0);
    let before = put(&journal, 1, b"one").unwrap();
    let synced = sync_amid(&journal, |journal| assert!(put(journal, 2, b"two").unwrap() > 0));
    assert_eq!(synced, before);
    assert_eq!(journal.sync().unwrap(), journal.position());
}

#[test]
fn nothing_is_appended_at_hand_during_a_sync() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Arc::new(open(directory.path()).0);
    put(&journal, 1, b"one").unwrap();
    sync_amid(&journal, |journal| assert!(!put_at_hand(journal, 2, b"two"), "the kernel has the page"));
    put(&journal, 3, b"three").unwrap();
    assert_eq!(put_at_hand(&journal, 4, b"four"), journal.is_mapped());
}
