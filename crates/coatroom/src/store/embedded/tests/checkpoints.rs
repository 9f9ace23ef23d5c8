//! Checkpoints, and those that fail: nothing is taken for carried over that is not, and they are made again.

use super::*;

#[test]
fn a_touch_is_carried_over_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    checkpoint(&store);
    let later = Activity { last_accessed: START + IDLE / 2, confirmed: true };
    now(store.touch(&key(1), later));
    checkpoint(&store);
    assert_eq!(store.core.in_files(&key(1)).unwrap().unwrap().activity(), later);
}

#[test]
fn a_checkpoint_that_failed_is_made_again_however_long_the_interval_is() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    store.core.db.close();
    store.core.checkpoint_wanted.ring();
    // Nobody else asks for one within the hour; without the next try this never ends.
    while !matches!(store.core.in_files(&key(1)), Ok(Some(_))) {
        std::thread::yield_now();
    }
}

#[test]
fn what_failed_checkpoints_were_to_carry_over_stays_in_the_journal() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("store"), directory.path().join("killed"));
    let store = still(&path);
    for number in 1..=3 {
        create(&store, record(number, 1));
        fail_checkpoint(&store);
    }
    copy_of(&path, &copy);
    let left = still(&copy);
    (1..=3).for_each(|number| assert_eq!(revision_of(&left, number), Some(1), "{number}"));
}

#[test]
fn what_failed_checkpoints_were_to_carry_over_goes_with_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    let alice = record_of(1, 1, 100, Some("alice"));
    create(&store, alice);
    create(&store, record(2, 1));
    checkpoint(&store);
    commit(&store, record_of(1, 2, 100, Some("bob")));
    now(store.remove(&key(2), START)).unwrap();
    assert_eq!(now(store.bump_epoch(namespace(), "bob")), 1);
    fail_checkpoint(&store);
    assert!(store.core.trouble.why().is_some());
    assert_eq!(now(store.bump_epoch(namespace(), "bob")), 2);
    let check = || {
        let of = |principal| now(store.of_principal(namespace(), principal, START)).len();
        assert_eq!((of("alice"), of("bob")), (0, 1));
        assert_eq!(now(store.epoch(namespace(), "bob")), 2);
        assert_eq!((revision_of(&store, 1), revision_of(&store, 2)), (Some(2), None));
    };
    check();
    checkpoint(&store);
    assert!(store.core.trouble.why().is_none());
    check();
    assert!(store.core.principals.recent(namespace(), "bob").is_empty(), "the files know");
    let in_files = |number| store.core.in_files(&key(number)).unwrap().map(|record| record.revision());
    assert_eq!((in_files(1), in_files(2)), (Some(2), None));
}

#[test]
fn an_epoch_that_a_failed_checkpoint_was_to_carry_over_stays_raised() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    let epoch = |principal| now(store.epoch(namespace(), principal));
    assert_eq!(now(store.bump_epoch(namespace(), "alice")), 1);
    fail_checkpoint(&store);
    assert_eq!(epoch("alice"), 1);
    assert_eq!(now(store.bump_epoch(namespace(), "bob")), 1);
    checkpoint(&store);
    assert_eq!((epoch("alice"), epoch("bob")), (1, 1));
    assert_eq!(now(store.bump_epoch(namespace(), "alice")), 2);
}

#[test]
fn a_deadline_that_a_failed_sweep_was_to_file_is_filed_by_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    let late = START + 2 * IDLE;
    let claim = || result(store.claim_expired(namespace(), late, late + IDLE, 9));
    store.core.db.close();
    assert!(claim().is_err());
    store.core.db.reopen().unwrap();
    assert_eq!(claim().unwrap().records.len(), 1);
}

#[test]
fn a_checkpoint_that_panics_leaves_everything_to_the_next() {
    // At the deadlines, at the records, and where it ends.
    for writes in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let (path, copy) = (directory.path().join("store"), directory.path().join("killed"));
        let store = still(&path);
        create(&store, record_of(1, 1, 100, Some("alice")));
        store.core.db.writing.after(writes, || panic!("as it should"));
        assert!(!store.core.checkpoint_or_report());
        assert!(store.core.trouble.why().unwrap().contains("panicked"));
        copy_of(&path, &copy);
        assert_eq!(revision_of(&still(&copy), 1), Some(1), "the journal has it still");
        checkpoint(&store);
        assert!(store.core.in_files(&key(1)).unwrap().is_some());
        assert_eq!(now(store.of_principal(namespace(), "alice", START)).len(), 1);
        let late = START + 2 * IDLE;
        assert_eq!(now(store.claim_expired(namespace(), late, late + IDLE, 9)).records.len(), 1, "{writes}");
    }
}

/// A second one would void segments that the first has yet to write.
#[test]
fn one_checkpoint_is_made_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    let core = Arc::clone(&store.core);
    store.core.db.writing.after(0, move || assert!(core.checkpointing.is_locked()));
    checkpoint(&store);
    assert!(!store.core.checkpointing.is_locked());
}

#[test]
fn after_a_failed_checkpoint_there_is_a_pause_before_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    // This ends the pause.
    store.core.closing.ring();
    store.core.db.close();
    store.core.checkpoint_wanted.ring();
    while !matches!(store.core.in_files(&key(1)), Ok(Some(_))) {
        std::thread::yield_now();
    }
    assert!(!store.core.closing.wait(Some(Duration::ZERO)), "the pause has heard it");
}

/// Older segments that are free would count again.
#[test]
fn a_checkpoint_of_nothing_leaves_the_mark_of_the_last() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    let mark = || store.core.db.get(db::keys::CHECKPOINT).unwrap().unwrap();
    create(&store, record(1, 1));
    checkpoint(&store);
    let before = mark();
    checkpoint(&store);
    assert_eq!(mark(), before);
}
