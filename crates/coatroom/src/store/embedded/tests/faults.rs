//! A disk that fails: who waits is told, nothing that was acknowledged is lost, reading goes on.

use coatroom_testbed::Tmpfs;
use rustix::io::Errno;

use super::super::directory::Directory;
use super::*;

fn synced(path: &Path) -> EmbeddedStore {
    still_with(path, |builder| builder.durability(Durability::EveryCommit))
}

fn marker(path: &Path) -> bool {
    path.join("unsynced").exists()
}

#[test]
fn a_sync_that_failed_is_told_to_all_who_wait_and_no_later_one_is_taken_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = synced(directory.path());
    (0..16).for_each(|number| create(&store, record(number, 1)));
    store.core.journal.faults.fail_one_sync(Errno::IO);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let commit = |number| result(store.commit(1, record(number, 2), START));
        let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || commit(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let unknown = |outcome: &Result<Commit, StoreError>| match outcome {
        Err(StoreError::OutcomeUnknown { what, source: Some(_) }) => what.contains("syncing the journal"),
        Err(StoreError::Unavailable { .. }) => false,
        other => panic!("{other:?}"),
    };
    assert!(outcomes.iter().any(unknown));
    // From here on every sync would succeed.
    for number in 8..16 {
        let refused = result(store.commit(1, record(number, 2), START));
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
        assert_eq!(revision_of(&store, number), Some(1));
    }
    assert!(matches!(result(store.flush()), Err(StoreError::Unavailable { .. })));
    assert!(result(store.check()).unwrap_err().to_string().contains("until the store is opened again"));
    assert!(store.examine().unwrap().dangers.iter().any(|danger| danger.contains("nothing more is")));
    assert!(store.close().is_err());
    assert!(marker(directory.path()));

    let store = synced(directory.path());
    assert!(!marker(directory.path()));
    now(store.check());
    (0..16).for_each(|number| assert!(revision_of(&store, number).is_some(), "{number} was acknowledged"));
    commit(&store, record(15, 2));
}

/// The pages of the old blocks are taken for clean, so a sync of the same file would be a lie.
#[test]
fn what_could_not_be_synced_is_written_again_into_other_blocks() {
    use std::os::unix::fs::MetadataExt as _;
    let segments = |path: &Path| {
        let entries = std::fs::read_dir(path.join("journal")).unwrap();
        entries.map(|entry| std::fs::File::open(entry.unwrap().path()).unwrap()).collect::<Vec<_>>()
    };
    let inodes = |files: &[std::fs::File]| {
        files.iter().map(|file| file.metadata().unwrap().ino()).collect::<std::collections::BTreeSet<_>>()
    };
    for fails in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let (path, copy) = (directory.path().join("store"), directory.path().join("killed"));
        let store = still(&path);
        create(&store, record(1, 1));
        if fails {
            store.core.journal.faults.fail_one_sync(Errno::IO);
            assert!(matches!(result(store.flush()), Err(StoreError::OutcomeUnknown { .. })));
        }
        assert_eq!(marker(&path), fails);
        copy_of(&path, &copy);
        // Held open, so that no new file gets the number of an old one.
        let before = segments(&copy);
        let store = still(&copy);
        assert_eq!(revision_of(&store, 1), Some(1));
        assert_eq!(inodes(&before).is_disjoint(&inodes(&segments(&copy))), fails);
        assert!(!marker(&copy));
    }
}

/// The same of the files, which are opened again while the process goes on.
#[test]
fn files_that_are_opened_again_are_written_into_other_blocks_before() {
    use std::os::unix::fs::MetadataExt as _;
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    checkpoint(&store);
    let journal = directory.path().join("files").join("0.jnl");
    // Held open, so that the new file does not get its number.
    let before = std::fs::File::open(&journal).unwrap();
    let bytes = std::fs::read(&journal).unwrap();
    store.core.db.reopen().unwrap();
    assert_ne!(std::fs::metadata(&journal).unwrap().ino(), before.metadata().unwrap().ino());
    let written = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
    assert!(std::fs::read(&journal).unwrap().starts_with(&bytes[..written]));
    store.close().unwrap();
    assert_eq!(revision_of(&still(directory.path()), 1), Some(1));
}

#[test]
fn where_a_write_is_refused_nothing_has_changed() {
    for errno in [Errno::NOSPC, Errno::IO] {
        let directory = tempfile::tempdir().unwrap();
        let store = synced(directory.path());
        (0..3).for_each(|number| create(&store, record(number, 1)));
        store.core.journal.faults.fail_writes(errno);
        assert!(result(store.commit(1, record(0, 2), START)).is_err());
        assert!(result(store.remove(&key(1), START)).is_err());
        assert!(result(store.create(record(3, 1), START)).is_err());
        let later = Activity { last_accessed: START + IDLE / 2, confirmed: true };
        assert!(result(store.touch(&key(2), later)).is_err());
        assert!(result(store.check()).is_err());
        let unchanged = |store: &EmbeddedStore| {
            assert_eq!(
                [0, 1, 2, 3].map(|number| revision_of(store, number)),
                [Some(1), Some(1), Some(1), None]
            );
            assert_eq!(now(store.load(&key(2), START)).unwrap().activity().last_accessed, START);
            assert_eq!(now(store.count(namespace(), START)), 3);
        };
        unchanged(&store);
        drop(store);
        unchanged(&synced(directory.path()));
    }
}

#[test]
fn what_was_settled_is_synced_as_commits_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = synced(directory.path());
    create(&store, record(1, 1));
    let late = START + 2 * IDLE;
    let claimed = now(store.claim_expired(namespace(), late, late + IDLE, 9)).records;
    store.core.journal.faults.fail_one_sync(Errno::IO);
    assert!(matches!(result(store.settle(claimed)), Err(StoreError::OutcomeUnknown { .. })));
}

#[test]
fn a_checkpoint_that_failed_is_noted_for_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    assert!(!marker(directory.path()));
    fail_checkpoint(&store);
    assert!(marker(directory.path()));
}

/// A checkpoint that fails brings nothing to the disk, so the journal has to be.
#[test]
fn while_checkpoints_fail_the_journal_is_synced_at_their_pace() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    store.core.db.close();
    store.core.journal.faults.fail_one_sync(Errno::IO);
    assert!(!store.core.checkpoint_or_report());
    // Nobody else asks for a sync; without that of the checkpoint this never ends.
    while store.core.journal.failure().is_none() {
        std::thread::yield_now();
    }
    assert!(result(store.check()).is_err());
    assert_eq!(revision_of(&store, 1), Some(1));
    assert!(store.core.trouble.why().is_some());
}

/// Each attempt reads them all, and would come again every second for as long as the disk is full.
#[test]
fn files_are_not_written_again_before_there_is_room_for_them() {
    let Some(disk) = Tmpfs::mount(8 << 20) else { return };
    let directory = Directory::hold(disk.path()).unwrap();
    std::fs::create_dir(directory.files()).unwrap();
    let write = |path: &Path, bytes| std::fs::write(path, vec![1; bytes]).unwrap();
    write(&directory.files().join("0.jnl"), 3 << 20);
    let ballast = disk.path().join("ballast");
    write(&ballast, 3 << 20);
    assert!(!directory.takes_writes(), "two megabytes are left for three");
    std::fs::remove_file(ballast).unwrap();
    assert!(directory.takes_writes());
}
