//! What a shard of the hot tier lets go of, and what it says of what is on its way to the files.

use super::shard::{Lookup, Shard};
use super::*;

/// A shard without room for anything that the files have.
fn shard() -> Shard {
    Shard::new(0, false)
}

fn revision(shard: &mut Shard) -> Option<u64> {
    match shard.find(&key(1)) {
        Lookup::Record(record) => Some(record.revision()),
        Lookup::Absent | Lookup::Cold => None,
    }
}

fn is_absent(shard: &mut Shard) -> bool {
    matches!(shard.find(&key(1)), Lookup::Absent)
}

fn is_cold(shard: &mut Shard) -> bool {
    matches!(shard.find(&key(1)), Lookup::Cold)
}

/// Goes round often enough for all that may go.
fn evict(shard: &mut Shard) {
    for _ in 0..4 {
        shard.evict(Shard::STEPS);
    }
}

/// Has what changed on its way to the files.
fn take(shard: &mut Shard) -> Vec<Key> {
    let keys = shard.take_dirty();
    shard.take(&keys, &mut Vec::new());
    keys
}

fn carry_over(shard: &mut Shard) {
    let keys = take(shard);
    shard.flushed(&keys);
}

#[test]
fn a_record_stays_until_the_files_have_it_as_it_is() {
    let mut shard = shard();
    shard.put(record(1, 1));
    evict(&mut shard);
    let keys = take(&mut shard);
    evict(&mut shard);
    shard.not_flushed(&keys);
    evict(&mut shard);
    assert_eq!(revision(&mut shard), Some(1));
    assert_eq!(take(&mut shard), [key(1)], "it is tried again");
    shard.put(record(1, 2));
    shard.flushed(&keys);
    evict(&mut shard);
    assert_eq!(revision(&mut shard), Some(2), "it changed meanwhile");
    carry_over(&mut shard);
    let departures = shard.departures();
    evict(&mut shard);
    assert!(is_cold(&mut shard));
    assert!(shard.departures() > departures);
}

#[test]
fn what_was_removed_is_absent_until_the_files_know() {
    let mut shard = shard();
    shard.put(record(1, 1));
    carry_over(&mut shard);
    shard.remove(&key(1));
    assert!(is_absent(&mut shard));
    let keys = take(&mut shard);
    shard.not_flushed(&keys);
    assert!(is_absent(&mut shard));
    assert_eq!(take(&mut shard), [key(1)], "it is tried again");
    shard.put(record(1, 2));
    shard.remove(&key(1));
    shard.flushed(&keys);
    assert!(is_absent(&mut shard), "it changed meanwhile");
    let keys = take(&mut shard);
    let departures = shard.departures();
    shard.flushed(&keys);
    assert!(is_cold(&mut shard));
    assert!(shard.departures() > departures);
}

#[test]
fn a_record_whose_expiry_is_being_told_stays() {
    let mut shard = shard();
    let record = record(1, 1);
    shard.put(record.clone());
    carry_over(&mut shard);
    assert!(record.shared_activity().claim());
    evict(&mut shard);
    assert_eq!(revision(&mut shard), Some(1));
}

#[test]
fn a_record_that_was_read_stays_for_the_work_that_asked_for_it() {
    let mut shard = shard();
    shard.install(record(1, 1));
    shard.mark_dirty(&key(1));
    assert_eq!(take(&mut shard), [key(1)]);
    assert_eq!(revision(&mut shard), Some(1));
}

#[test]
fn a_shard_that_had_everything_knows_when_something_left() {
    let mut shard = Shard::new(0, true);
    assert!(is_absent(&mut shard));
    shard.put(record(1, 1));
    carry_over(&mut shard);
    evict(&mut shard);
    assert!(is_cold(&mut shard));
}

#[test]
fn a_record_counts_once_however_often_it_was_written() {
    let mut shard = Shard::new(1_000, false);
    (1..=20).for_each(|revision| shard.put(record(1, revision)));
    carry_over(&mut shard);
    evict(&mut shard);
    assert_eq!(revision(&mut shard), Some(20));
}

#[test]
fn what_was_used_since_the_hand_came_by_stays_before_what_was_not() {
    for used in 1..=2 {
        let mut shard = Shard::new(500, false);
        (1..=2).for_each(|number| shard.put(record_of(number, 1, 200, None)));
        carry_over(&mut shard);
        let round = shard.begin_eviction() / 2;
        assert!(shard.evict(round), "the hand has come by, and takes nothing at first sight");
        shard.find(&key(used));
        assert!(!shard.evict(round));
        let mut is_there = |number| matches!(shard.find(&key(number)), Lookup::Record(_));
        assert!(is_there(used) && !is_there(3 - used));
    }
}

#[test]
fn what_was_removed_counts_no_more() {
    let mut shard = Shard::new(1_000, false);
    for revision in 1..=20 {
        shard.put(record(2, revision));
        shard.remove(&key(2));
    }
    shard.put(record(1, 1));
    carry_over(&mut shard);
    evict(&mut shard);
    assert_eq!(revision(&mut shard), Some(1));
}

#[test]
fn a_crowd_that_was_ended_leaves_no_room_behind() {
    let mut shard = shard();
    (0..5_000).for_each(|number| shard.put(record_of(number, 1, 0, None)));
    assert!(shard.begin_eviction() > 2 * 5_000, "which says how large the table is");
    (10..5_000).for_each(|number| shard.remove(&key(number)));
    assert!(shard.begin_eviction() <= 2 * 1_024);
}

#[test]
fn a_few_that_come_and_go_find_the_room_that_there_was() {
    let mut shard = shard();
    (0..400).for_each(|number| shard.put(record_of(number, 1, 0, None)));
    let places = shard.begin_eviction();
    (0..400).for_each(|number| shard.remove(&key(number)));
    assert_eq!(shard.begin_eviction(), places);
}

#[test]
fn a_tier_of_which_nothing_may_go_holds_nobody_up() {
    let hot = hot::Hot::new(0, true);
    let (record, byte) = (record(1, 1), usize::from(key(1).locator.as_bytes()[0]));
    assert!(record.shared_activity().claim());
    hot.nth(byte, |shard| shard.put(record));
    let mut taken = Vec::new();
    hot.take_dirty(byte, &mut taken, |_| Ok::<_, ()>(())).unwrap();
    hot.flushed(byte, &taken);
    assert_eq!(hot.nth(byte, revision), Some(1));
}
