//! What happens when there is no room.

use super::*;

/// A small file system of its own, for as long as it lives.
#[derive(Debug)]
pub(super) struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    /// `None`, and said so, where this user may not mount.
    pub(super) fn new(path: &'a Path, options: &str) -> Option<Self> {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(path)
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: mounting a file system needs root");
        }
        mounted.then_some(Self(path))
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// Creates records until one is refused; returns how many there are.
fn fill(store: &EmbeddedStore, bytes: usize) -> (u64, StoreError) {
    for number in 0.. {
        if let Err(error) = result(store.create(record_of(number, 1, bytes, None), START)) {
            return (number, error);
        }
    }
    unreachable!()
}

#[test]
fn a_full_journal_refuses_commits_by_name_and_still_ends_sessions() {
    let directory = tempfile::tempdir().unwrap();
    let store = still_with(directory.path(), |b| b.max_journal_bytes(256 * 1024));
    let pause = store.core.checkpointing.lock();
    let (count, error) = fill(&store, 1_000);
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("max_journal_bytes"));
    assert!(error.to_string().contains(&directory.path().display().to_string()));
    assert!(count > 100);
    assert!(result(store.remove(&key(0), START)).unwrap().is_some());
    result(store.touch(&key(1), Activity { last_accessed: START + IDLE / 2, confirmed: true })).unwrap();
    assert_eq!(revision_of(&store, 2), Some(1));
    drop(pause);
    commit(&store, record(2, 2));
}

#[test]
fn a_commit_waits_for_the_checkpoint_that_makes_room() {
    let (store, _directory) = kept(|b| b.max_journal_bytes(256 * 1024));
    // Forty times what the journal takes.
    (0..10_000).for_each(|number| create(&store, record_of(number, 1, 1_000, None)));
    assert_eq!(now(store.count(namespace(), START)), 10_000);
}

#[test]
fn a_record_that_the_journal_cannot_take_is_refused_by_name() {
    let (store, _directory) = kept(|b| b.max_journal_bytes(256 * 1024));
    let error = result(store.create(record_of(1, 1, 200_000, None), START)).unwrap_err();
    assert!(error.to_string().contains("the journal takes records of up to"), "{error}");
    assert_eq!(revision_of(&store, 1), None);
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_what_was_acknowledged_stays_and_sessions_can_be_ended() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::new(directory.path(), "size=160m") else { return };
    let path = directory.path().join("store");
    let ballast = directory.path().join("ballast");
    let store = EmbeddedStore::builder(&path).max_journal_bytes(16 << 20).open().unwrap();
    (0..1_000).for_each(|number| create(&store, record_of(1_000_000 + number, 1, 1_000, None)));
    checkpoint(&store);
    let mut file = std::fs::File::create(&ballast).unwrap();
    while std::io::Write::write_all(&mut file, &[1; 65_536]).is_ok() {}
    let (count, error) = fill(&store, 20_000);
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("free disk space"), "{error}");
    assert!(result(store.remove(&key(0), START)).unwrap().is_some());
    assert_eq!(revision_of(&store, 1_000_007), Some(1));
    assert!((1..count).all(|number| revision_of(&store, number) == Some(1)));
    drop((file, std::fs::remove_file(&ballast)));
    // With room again, it recovers by itself.
    assert!((0..20).any(|_| result(store.commit(1, record(1, 2), START)).is_ok()));
    drop(store);
    let store = EmbeddedStore::open(&path).unwrap();
    assert_eq!((revision_of(&store, 0), revision_of(&store, 1)), (None, Some(2)));
    assert!((2..count).all(|number| revision_of(&store, number) == Some(1)));
}
