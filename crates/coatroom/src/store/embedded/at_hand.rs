//! What can be done without waiting: for another thread, for the files, or for the kernel.

use std::sync::atomic::Ordering;

use super::Durability;
use super::core::Core;
use super::db::keys;
use super::journal::{Entry, Kind};
use super::shard::{Lookup, Shard};
use crate::clock::Timestamp;
use crate::id::Key;
use crate::record::Record;
use crate::store::shards;

impl Core {
    pub(super) fn load_at_hand(&self, key: &Key, now: Timestamp) -> Option<Record> {
        if self.closed.load(Ordering::Relaxed) {
            return None;
        }
        match self.hot.try_with(&key.locator, |shard| shard.find(key))? {
            Lookup::Record(record) => shards::is_live(&record, now).then_some(record),
            Lookup::Absent | Lookup::Cold => None,
        }
    }

    pub(super) fn create_at_hand(&self, record: &Record) -> bool {
        // Who has a principal is entered in an index too.
        if !self.writes_at_hand() || record.principal().is_some() {
            return false;
        }
        let put = |shard: &mut Shard| self.put_at_hand(shard, record);
        self.hot.try_with(&record.key().locator, put).unwrap_or(false)
    }

    /// Puts the record where none is, dead or alive.
    fn put_at_hand(&self, shard: &mut Shard, record: &Record) -> bool {
        let key = *record.key();
        if !matches!(shard.find(&key), Lookup::Absent) {
            return false;
        }
        let slice = keys::slice_of(record.expires_at());
        let kind = if slice.is_some() { Kind::PutFiled } else { Kind::Put };
        let entry = Entry::new(kind, key, record.activity().to_bits(), record.bytes());
        let is_appended = self.journal.append_at_hand(&entry);
        if is_appended {
            slice.into_iter().for_each(|slice| shard.file(key, slice));
            shard.put(record.clone());
        }
        is_appended
    }

    /// Whether commits are acknowledged before the disk has them.
    fn writes_at_hand(&self) -> bool {
        !self.closed.load(Ordering::Relaxed) && self.durability != Durability::EveryCommit
    }

    pub(super) fn commit_at_hand(&self, expected: u64, record: &Record, now: Timestamp) -> bool {
        if !self.writes_at_hand() {
            return false;
        }
        let replace = |shard: &mut Shard| self.replace_at_hand(shard, expected, record, now);
        self.hot.try_with(&record.key().locator, replace).unwrap_or(false)
    }

    /// Puts the record in the place of the expected one, unless an index had to be moved too.
    fn replace_at_hand(&self, shard: &mut Shard, expected: u64, record: &Record, now: Timestamp) -> bool {
        let key = *record.key();
        let Lookup::Record(current) = shard.find(&key) else { return false };
        if !shards::is_live(&current, now) || current.revision() != expected {
            return false;
        }
        record.touch(current.activity());
        let (filed, due) = (keys::slice_of(current.expires_at()), keys::slice_of(record.expires_at()));
        let is_sooner = due.is_some_and(|due| filed.is_none_or(|filed| due < filed));
        if is_sooner || current.principal() != record.principal() {
            return false;
        }
        let entry = Entry::new(Kind::Put, key, record.activity().to_bits(), record.bytes());
        let is_appended = self.journal.append_at_hand(&entry);
        if is_appended {
            shard.put(record.clone());
        }
        is_appended
    }
}
