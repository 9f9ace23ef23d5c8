//! The power goes: whatever the page cache had is lost, and the store opens with what it promised.

mod disk;
mod failing;
mod history;
mod soak;
mod writer;

use self::disk::{Disk, EXT4, Mkfs, XFS};
use self::history::History;
use super::*;

#[test]
fn a_power_cut_costs_no_commit_that_was_synced() {
    survives_power_cuts(Durability::EveryCommit, EXT4, "data=ordered");
}

#[test]
fn a_power_cut_costs_no_commit_that_was_synced_where_data_comes_late() {
    survives_power_cuts(Durability::EveryCommit, EXT4, "data=writeback");
}

#[test]
fn a_power_cut_tears_nothing_and_costs_nothing_that_was_flushed() {
    survives_power_cuts(Durability::default(), EXT4, "data=ordered");
}

#[test]
fn a_power_cut_tears_nothing_and_costs_nothing_that_was_flushed_where_data_comes_late() {
    survives_power_cuts(Durability::default(), EXT4, "data=writeback");
}

#[test]
fn a_power_cut_costs_no_commit_that_was_synced_on_xfs() {
    survives_power_cuts(Durability::EveryCommit, XFS, "noatime");
}

#[test]
fn a_power_cut_tears_nothing_and_costs_nothing_that_was_flushed_on_xfs() {
    survives_power_cuts(Durability::default(), XFS, "noatime");
}

/// Writes until the power goes, again and again over what the last time left.
fn survives_power_cuts(durability: Durability, mkfs: Mkfs, options: &'static str) {
    let directory = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::new(directory.path(), mkfs, options) else { return };
    let mut history = History::new(durability);
    for round in 1..=rounds() {
        let mut writer = writer::start(&disk.path(), durability, round);
        // Sooner in the first round, so that a directory is met which is being made.
        let steps = if round == 1 { 0 } else { 100 + 397 * round % 1_500 };
        for line in (0..steps).map_while(|_| writer.next()) {
            history.take(&line);
        }
        history.take_all(writer.said_so_far());
        disk.cut(round % 2 == 0, round);
        writer.end();
        history.take_unsure(writer.rest());
        disk.power_up();
        let store = EmbeddedStore::open(disk.path()).unwrap_or_else(|error| {
            panic!("round {round}: {error}, {:?}", std::error::Error::source(&error))
        });
        history.check(&store, round);
    }
    assert!(history.commits > 1_000, "{} commits are too few to say anything", history.commits);
}

fn rounds() -> u64 {
    std::env::var("COATROOM_POWER_CUTS").map_or(12, |rounds| rounds.parse().unwrap())
}
