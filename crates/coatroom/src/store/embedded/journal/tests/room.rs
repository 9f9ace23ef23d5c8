//! Segments that are made, kept and given back, and who is asked for them.

use std::time::Duration;

use super::*;

/// A journal of up to so many segments, and the bell that asks for another one.
fn open_with(directory: &Path, max_segments: usize) -> (Journal, Arc<Bell>) {
    let wanted = Arc::<Bell>::default();
    let layout = Layout { max_segments, ..layout(directory, Access::MapIfPossible) };
    let bell = Arc::clone(&wanted);
    (Journal::open(layout, 0, bell, Arc::default(), &mut |_| Ok(())).unwrap(), wanted)
}

/// Writes to a segment and seals it, while there is another one.
fn use_up(journal: &Journal) {
    put(journal, 1, b"").unwrap();
    journal.seal();
    journal.prepare_spare().unwrap();
}

fn files(directory: &Path) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

fn is_rung(bell: &Bell) -> bool {
    bell.wait(Some(Duration::ZERO))
}

#[test]
fn there_are_no_more_segments_than_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open_with(directory.path(), 4);
    (0..9).for_each(|_| use_up(&journal));
    assert_eq!(files(directory.path()), 4);
    assert!(!journal.has_room());
}

#[test]
fn what_a_crowd_took_is_given_back_to_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open_with(directory.path(), 12);
    (0..9).for_each(|_| use_up(&journal));
    assert_eq!(files(directory.path()), 9 + 2);
    journal.recycle(journal.seal());
    assert_eq!(files(directory.path()), 1 + SPARES);
}

#[test]
fn a_segment_that_nothing_was_written_to_is_not_sealed() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open_with(directory.path(), 4);
    put(&journal, 1, b"").unwrap();
    let through = journal.seal();
    journal.prepare_spare().unwrap();
    assert_eq!(journal.seal(), through);
}

#[test]
fn whoever_takes_the_last_spare_asks_for_another() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, wanted) = open_with(directory.path(), 4);
    put(&journal, 1, b"").unwrap();
    assert!(!is_rung(&wanted));
    journal.seal();
    assert!(is_rung(&wanted));
    // Where there was no room for one, it is asked for again once there is.
    journal.recycle(0);
    assert!(is_rung(&wanted));
    journal.recycle(journal.seal());
    assert!(!is_rung(&wanted));
}

#[test]
fn who_waits_for_room_in_a_journal_that_failed_is_not_kept_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open_with(directory.path(), 2);
    use_up(&journal);
    assert!(!journal.has_room());
    journal.faults.fail_writes(rustix::io::Errno::IO);
    assert!(matches!(put(&journal, 2, b""), Err(Refusal::Failed(_))));
    assert!(journal.has_room(), "to try again, and be told");
}

#[test]
fn a_journal_that_was_closed_takes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    put(&journal, 1, b"").unwrap();
    journal.close().unwrap();
    assert!(matches!(put(&journal, 2, b""), Err(Refusal::Failed(_))));
    drop(journal);
    assert_eq!(numbers(&open(directory.path()).1), [1]);
}
