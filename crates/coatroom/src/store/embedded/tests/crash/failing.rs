//! A disk that refuses to write back what the page cache took, and later works again.
//!
//! The disk is a file with holes on a small file system. When that is full, blocks that were never
//! written fail, and Linux takes their pages for clean all the same.

use std::io::{BufRead as _, Write as _};

use super::super::limits::Mount;
use super::super::*;
use super::disk::{Disk, Mkfs};
use super::writer::{Process, say};

const NAME: &str = concat!(module_path!(), "::this_process_is_ended");
const PLACE: &str = "COATROOM_TEST_PLACE";
const SESSIONS: u64 = 300;
const MKFS: Mkfs = &["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "nodiscard,lazy_itable_init=0"];

#[test]
fn what_a_failed_sync_lost_is_written_again_before_anything_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::new(directory.path(), "size=250m") else { return };
    let Some(disk) = Disk::new(directory.path(), MKFS, "errors=continue") else { return };
    let mut process = Process::start(NAME, &[(PLACE, disk.path().display().to_string())]);
    let mut commands = process.child.stdin.take().unwrap();
    assert_eq!(process.next().as_deref(), Some("ready"));
    let ballast = directory.path().join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write_all(&[1; 65_536]).is_ok() {}
    writeln!(commands, "full").unwrap();
    assert_eq!(process.next().as_deref(), Some("failed"), "the disk was to fail a checkpoint");
    let revision: u64 = process.next().unwrap().parse().unwrap();
    drop((file, std::fs::remove_file(&ballast)));
    writeln!(commands, "room").unwrap();
    assert_eq!(process.next().as_deref(), Some("recovered"));
    process.end();
    // With the file system goes its page cache, and what only that had.
    disk.repair();
    let store = EmbeddedStore::open(disk.path()).unwrap();
    (0..SESSIONS)
        .for_each(|number| assert_eq!(revision_of(&store, number), Some(revision), "session {number}"));
}

fn state(number: u64, revision: u64) -> Record {
    record_of(number, revision, 2_000, Some("somebody"))
}

#[test]
#[ignore = "the process whose disk fails"]
fn this_process_is_ended() {
    let Some(path) = std::env::var_os(PLACE) else { return };
    let mut commands = std::io::stdin().lock().lines();
    let store = still_with(Path::new(&path), |builder| {
        builder.durability(Durability::EveryCommit).max_journal_bytes(16 << 20)
    });
    (0..SESSIONS).for_each(|number| create(&store, state(number, 1)));
    checkpoint(&store);
    say("ready");
    commands.next();
    // The segments have their blocks. The files of fjall have some left to write over; then they need
    // new ones.
    let mut revision = 1;
    while !Path::new(&path).join("unsynced").exists() {
        revision += 1;
        assert!(revision < 200, "the full disk took everything");
        (0..SESSIONS).for_each(|number| commit(&store, state(number, revision)));
        store.core.checkpoint_or_report();
    }
    (0..SESSIONS)
        .for_each(|number| assert_eq!(revision_of(&store, number), Some(revision), "reading goes on"));
    say("failed");
    say(&revision.to_string());
    commands.next();
    let recovers = (0..1_000).any(|_| store.core.checkpoint_or_report());
    assert!(recovers, "the disk has room again");
    say("recovered");
    commands.next();
}
