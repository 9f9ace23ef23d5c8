//! Records that memory has let go of: the files are asked, and what they say may be old by then.

use super::*;

/// A store with one record, which only the files have.
fn cold(path: &Path) -> Arc<EmbeddedStore> {
    let store = still_with(path, |builder| builder.hot_bytes(0));
    create(&store, record(1, 1));
    checkpoint(&store);
    assert!(!is_hot(&store, 1));
    Arc::new(store)
}

/// Has a commit come and go to the files, right after the next read from there.
fn commit_behind_a_read(store: &Arc<EmbeddedStore>) {
    let other = Arc::clone(store);
    store.core.db.read.after(0, move || {
        commit(&other, record(1, 2));
        checkpoint(&other);
        assert!(!is_hot(&other, 1));
    });
}

#[test]
fn a_record_that_was_replaced_since_the_files_were_read_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = cold(directory.path());
    commit_behind_a_read(&store);
    assert_eq!(revision_of(&store, 1), Some(2));
    assert_eq!(revision_of(&store, 1), Some(2), "memory has the newer one too");
}

#[test]
fn a_commit_over_what_was_replaced_since_the_files_were_read_conflicts() {
    let directory = tempfile::tempdir().unwrap();
    let store = cold(directory.path());
    commit_behind_a_read(&store);
    let conflict = now(store.commit(1, record(1, 9), START));
    assert!(matches!(conflict, Commit::Conflict(newest) if newest.revision() == 2));
}

#[test]
fn a_touch_of_a_record_that_only_the_files_have_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = cold(directory.path());
    let later = Activity { last_accessed: START + IDLE / 2, confirmed: true };
    now(store.touch(&key(1), later));
    assert_eq!(now(store.load(&key(1), START)).unwrap().activity(), later);
    checkpoint(&store);
    assert_eq!(store.core.in_files(&key(1)).unwrap().unwrap().activity(), later);
}
