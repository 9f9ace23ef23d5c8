mod power;
mod room;
mod syncing;

use std::path::Path;

use super::*;
use crate::id::{Key, Locator, Namespace};

const SEGMENT: usize = 64 * 1024;

fn layout(directory: &Path, access: Access) -> Layout {
    Layout { directory: directory.to_owned(), segment_bytes: SEGMENT, max_segments: 3, access }
}

type Seen = Vec<(Kind, u64, Vec<u8>)>;

fn open_after(directory: &Path, access: Access, after: u64) -> (Journal, Seen) {
    let mut seen = Vec::new();
    let journal =
        Journal::open(layout(directory, access), after, Arc::default(), Arc::default(), &mut |entry| {
            seen.push((entry.kind, entry.number, entry.payload.to_vec()));
            Ok(())
        })
        .unwrap();
    (journal, seen)
}

fn open(directory: &Path) -> (Journal, Seen) {
    open_after(directory, Access::MapIfPossible, 0)
}

fn key() -> Key {
    Key { namespace: Namespace::new("n"), locator: Locator::from_bytes([7; 16]) }
}

fn put(journal: &Journal, number: u64, payload: &[u8]) -> Result<Position, Refusal> {
    journal.append(&Entry::new(Kind::Put, key(), number, payload))
}

fn numbers(seen: &Seen) -> Vec<u64> {
    seen.iter().map(|(_, number, _)| *number).collect()
}

/// Where the only begun segment lies.
fn segment_with_entries(directory: &Path) -> PathBuf {
    let paths = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.into_iter().find(|path| segment::epoch_of(path).unwrap().is_some()).unwrap()
}

#[test]
fn what_was_appended_is_read_back_in_order_by_either_access() {
    for access in [Access::MapIfPossible, Access::Write] {
        let directory = tempfile::tempdir().unwrap();
        let (journal, _) = open_after(directory.path(), access, 0);
        assert!(access == Access::MapIfPossible || !journal.is_mapped());
        put(&journal, 1, b"one").unwrap();
        put(&journal, 2, b"").unwrap();
        journal.append(&Entry::new(Kind::Remove, key(), 3, b"")).unwrap();
        drop(journal);
        let (_, seen) = open_after(directory.path(), access, 0);
        assert_eq!(
            seen,
            [(Kind::Put, 1, b"one".to_vec()), (Kind::Put, 2, vec![]), (Kind::Remove, 3, vec![])]
        );
    }
}

#[test]
fn a_full_segment_asks_for_a_checkpoint_and_one_sealed_by_a_checkpoint_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let wanted = Arc::<Bell>::default();
    let layout = layout(directory.path(), Access::MapIfPossible);
    let journal =
        Journal::open(layout, 0, Arc::default(), Arc::clone(&wanted), &mut |_| unreachable!()).unwrap();
    let is_wanted = || wanted.wait(Some(std::time::Duration::ZERO));
    put(&journal, 1, b"one").unwrap();
    let through = journal.seal();
    assert!(through > 0 && !is_wanted(), "or one checkpoint would follow the other without end");
    journal.recycle(through);
    journal.prepare_spare().unwrap();
    put(&journal, 2, &[2; SEGMENT / 2]).unwrap();
    put(&journal, 3, &[3; SEGMENT / 2]).unwrap();
    assert!(is_wanted());
}

#[test]
fn no_cut_and_no_flipped_byte_yields_anything_but_whole_entries() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let ends: Vec<usize> = (1..=3)
        .map(|n| FIRST + usize::try_from(put(&journal, n, &[n as u8; 21]).unwrap()).unwrap())
        .collect();
    drop(journal);
    let bytes = std::fs::read(segment_with_entries(directory.path())).unwrap();
    let whole = |bytes: &[u8]| {
        let (mut at, mut count) = (FIRST, 0);
        while let Some(entry) = Entry::read(bytes, 1, at) {
            assert!(entry.payload == [entry.number as u8; 21] && entry.number == count + 1);
            (at, count) = (at + entry.room(), count + 1);
        }
        count as usize
    };
    for cut in FIRST..=ends[2] {
        let mut bytes = bytes.clone();
        bytes[cut..].fill(0);
        assert!(whole(&bytes) >= ends.iter().filter(|end| **end <= cut).count());
    }
    for flipped in FIRST..ends[2] {
        let mut bytes = bytes.clone();
        bytes[flipped] ^= 0x10;
        assert!(whole(&bytes) >= ends.iter().filter(|end| **end <= flipped).count());
    }
}

#[test]
fn entries_before_a_damaged_one_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let first = put(&journal, 1, &[1; 100]).unwrap();
    put(&journal, 2, &[2; 100]).unwrap();
    drop(journal);
    let path = segment_with_entries(directory.path());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[FIRST + usize::try_from(first).unwrap() + 60] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(numbers(&open(directory.path()).1), [1]);
}

#[test]
fn stale_entries_of_a_recycled_segment_are_never_read() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    // Same sizes at the same places in every use of a segment.
    for number in 1..=5 {
        for _ in 0..10 {
            put(&journal, number, &[9; 40]).unwrap();
        }
        journal.recycle(journal.seal());
    }
    put(&journal, 6, &[9; 40]).unwrap();
    drop(journal);
    assert_eq!(numbers(&open_after(directory.path(), Access::MapIfPossible, 5).1), [6]);
}

#[test]
fn what_a_checkpoint_carried_over_is_not_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    put(&journal, 1, b"").unwrap();
    let through = journal.seal();
    put(&journal, 2, b"").unwrap();
    drop(journal);
    assert_eq!(numbers(&open_after(directory.path(), Access::MapIfPossible, through).1), [2]);
}

#[test]
fn segments_are_read_in_the_order_of_their_use_and_across_runs() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..4 {
        let (journal, seen) = open(directory.path());
        assert_eq!(numbers(&seen), (0..number).collect::<Vec<_>>());
        put(&journal, number, b"").unwrap();
    }
}

#[test]
fn a_full_journal_refuses_records_but_still_takes_removals() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    while put(&journal, 1, &[0; 1000]).is_ok() {
        journal.prepare_spare().unwrap();
    }
    assert!(matches!(put(&journal, 1, &[0; 1000]), Err(Refusal::NoRoom)));
    for _ in 0..50 {
        journal.append(&Entry::new(Kind::Remove, key(), 2, b"")).unwrap();
    }
    journal.recycle(journal.seal());
    put(&journal, 1, &[0; 1000]).unwrap();
}

#[test]
fn the_journal_is_pressed_while_half_of_its_segments_wait() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    for pressed in [false, true] {
        put(&journal, 1, b"").unwrap();
        journal.seal();
        assert_eq!(journal.is_pressed(), pressed);
        journal.prepare_spare().unwrap();
    }
    journal.recycle(journal.seal());
    assert!(!journal.is_pressed());
}

#[test]
fn an_entry_larger_than_a_segment_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    put(&journal, 1, &vec![0; journal.max_payload()]).unwrap();
    assert!(matches!(put(&journal, 1, &[0; SEGMENT]), Err(Refusal::TooLarge { size: SEGMENT, .. })));
}

#[test]
fn syncing_tells_how_far_it_reached() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let position = put(&journal, 1, b"x").unwrap();
    journal.seal();
    assert_eq!(journal.sync().unwrap(), position);
    assert_eq!(journal.position(), position);
    assert!(journal.failure().is_none());
}

/// Bytes that this thread has made dirty so far, as the kernel counts them; `None` where it does not.
#[cfg(target_os = "linux")]
fn bytes_dirtied() -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/thread-self/io").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("write_bytes: "))?.parse().ok()
}

#[cfg(target_os = "linux")]
#[test]
fn a_commit_that_is_synced_dirties_the_pages_it_lies_in_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let segment_bytes = 4 * 1024 * 1024;
    let layout = Layout { segment_bytes, ..layout(directory.path(), Access::WriteForSync) };
    let journal = Journal::open(layout, 0, Arc::default(), Arc::default(), &mut |_| unreachable!()).unwrap();
    put(&journal, 1, b"one").unwrap();
    journal.sync().unwrap();
    let Some(before) = bytes_dirtied() else { return };
    put(&journal, 2, b"two").unwrap();
    assert!(bytes_dirtied().unwrap() - before <= 64 * 1024);
}

#[test]
fn an_entry_lies_in_the_journal_as_documented() {
    for (vector, record) in crate::store::embedded::tests::format::stored() {
        let number = record.activity().to_bits();
        let entry = Entry::new(Kind::PutFiled, *record.key(), number, record.bytes());
        let epoch = vector["journal_epoch"].as_str().unwrap().parse().unwrap();
        let at = vector["journal_at"].as_u64().unwrap() as usize;
        let head = crate::store::embedded::tests::format::bytes(&vector["journal_head"]);
        assert_eq!(entry.head(epoch, at)[..], head);
    }
}

fn put_at_hand(journal: &Journal, number: u64, payload: &[u8]) -> bool {
    journal.append_at_hand(&Entry::new(Kind::Put, key(), number, payload))
}

#[test]
fn what_goes_into_memory_written_before_is_appended_at_hand() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    assert!(journal.is_mapped(), "the test needs a file system that can be mapped");
    assert!(!put_at_hand(&journal, 1, b"first"), "nothing was written to this page yet");
    put(&journal, 2, b"second").unwrap();
    assert!(put_at_hand(&journal, 3, b"third"));
    let position = journal.position();
    assert!(!put_at_hand(&journal, 4, &[0; PAGE]), "it goes into another page");
    assert_eq!(journal.position(), position, "then nothing is done");
    journal.sync().unwrap();
    assert!(!put_at_hand(&journal, 5, b"fifth"), "the kernel may have the page to itself");
    put(&journal, 6, b"sixth").unwrap();
    journal.seal();
    assert!(!put_at_hand(&journal, 7, b"seventh"), "another segment was begun");
    drop(journal);
    assert_eq!(numbers(&open(directory.path()).1), [2, 3, 6]);
}

#[test]
fn a_journal_that_another_thread_is_at_or_that_is_written_by_calls_is_not_at_hand() {
    for access in [Access::MapIfPossible, Access::Write, Access::WriteForSync] {
        let directory = tempfile::tempdir().unwrap();
        let (journal, _) = open_after(directory.path(), access, 0);
        put(&journal, 1, b"first").unwrap();
        {
            let _held = journal.state.lock();
            assert!(!put_at_hand(&journal, 2, b"second"));
        }
        assert_eq!(put_at_hand(&journal, 3, b"third"), access == Access::MapIfPossible);
    }
}

#[test]
fn what_was_sealed_since_a_checkpoint_began_is_not_voided_by_it() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    put(&journal, 1, b"one").unwrap();
    let through = journal.seal();
    journal.prepare_spare().unwrap();
    put(&journal, 2, b"two").unwrap();
    assert!(journal.seal() > through);
    journal.recycle(through);
    // Into what was voided.
    put(&journal, 3, b"three").unwrap();
    journal.seal();
    put(&journal, 4, b"four").unwrap();
    drop(journal);
    let (_, seen) = open_after(directory.path(), Access::MapIfPossible, through);
    assert_eq!(numbers(&seen), [2, 3, 4]);
}

#[test]
fn each_use_of_a_segment_has_an_epoch_of_its_own_whichever_run_it_is_of() {
    let directory = tempfile::tempdir().unwrap();
    for run in 1..=3 {
        let (journal, seen) = open(directory.path());
        assert_eq!(numbers(&seen), (1..run).collect::<Vec<_>>());
        put(&journal, run, b"one").unwrap();
        // The spare that takes its place has one too.
        assert_eq!(journal.seal(), 2 * run - 1);
    }
}

#[test]
fn a_journal_that_failed_takes_nothing_at_hand_either() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    put(&journal, 1, b"one").unwrap();
    let entry = Entry::new(Kind::Put, key(), 2, b"two");
    assert!(!journal.is_mapped() || journal.append_at_hand(&entry));
    journal.faults.fail_writes(rustix::io::Errno::IO);
    assert!(matches!(put(&journal, 3, b"three"), Err(Refusal::Failed(_))));
    assert!(!journal.append_at_hand(&entry));
}
