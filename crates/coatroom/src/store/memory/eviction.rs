//! Making room: what goes when the store is full.
//!
//! A handful of records is looked at, from where the last search ended, and the least worth keeping
//! of them go. With 64 records in each handful, the one to go lies almost surely among the oldest
//! few percent of all; and once one session in ten is a bot's, almost surely (0.9 to the power of 64)
//! a bot is at hand to go in the place of a visitor. So a flood of bots pushes out bots.

use std::cmp::Reverse;
use std::sync::atomic::Ordering;

use super::inner::{Inner, expired};
use crate::clock::Timestamp;
use crate::id::Key;
use crate::record::Record;
use crate::store::shards::{self, Shards};
use crate::store::{Departed, Departure};

/// Records in a handful.
const HANDFUL: usize = 64;
/// Places of one shard's table to look into under one lock.
const PLACES: usize = 512;

impl Inner {
    /// Takes out records until the rest fits, never the one just `written`.
    pub(super) fn make_room(&self, written: &Key, now: Timestamp) -> Vec<Departed> {
        let mut departed = Vec::new();
        while self.budget.is_over() {
            let mut handful = self.handful(written);
            if handful.is_empty() {
                break;
            }
            handful.sort_by_cached_key(|record| Reverse(worth(record, now)));
            for _ in 0..handful.len().div_ceil(8) {
                let Some(record) = handful.pop().filter(|_| self.budget.is_nearly_over()) else { break };
                departed.extend(self.evict(&record, now));
            }
        }
        departed
    }

    fn handful(&self, written: &Key) -> Vec<Record> {
        let mut handful = Vec::new();
        for _ in 0..Shards::<Record>::COUNT {
            self.shards.nth(self.hand.load(Ordering::Relaxed), |shard| {
                shard.walk(PLACES, |record| {
                    if record.key() != written {
                        handful.push(record.clone());
                    }
                    handful.len() < HANDFUL
                });
            });
            self.hand.fetch_add(1, Ordering::Relaxed);
            if handful.len() >= HANDFUL {
                break;
            }
        }
        handful
    }

    /// Takes out a record unless it has changed since. It is `None` too where the sweep has it.
    pub(super) fn evict(&self, record: &Record, now: Timestamp) -> Option<Departed> {
        let record = self.take(record.key(), |kept| kept.revision() == record.revision())?;
        if shards::is_live(&record, now) {
            Some(Departed { record, reason: Departure::Evicted })
        } else {
            expired(record)
        }
    }
}

/// By what the handful is put in order: dead before live, never presented back before those that
/// were, long ago before lately.
fn worth(record: &Record, now: Timestamp) -> (bool, bool, Timestamp) {
    let activity = record.activity();
    let is_proven = activity.confirmed || record.unconfirmed_timeout().is_none();
    (shards::is_live(record, now), is_proven, activity.last_accessed)
}
