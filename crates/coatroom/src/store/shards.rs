//! The in-process table of records, cut into shards that are locked one at a time.
//!
//! A locator is random or the output of SHA-256, and only those that the server made are ever put
//! in, so its bytes are their own hash. The first byte is the shard, so that the order of shards is
//! the order of locators; the eight behind it are the hash within, since the table tells entries
//! apart by the highest bits of the hash and a shard's entries share the first byte.

mod slices;

use crossbeam_utils::CachePadded;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use parking_lot::Mutex;

pub(super) use self::slices::Slices;
use crate::clock::Timestamp;
use crate::id::{Key, Locator, Namespace};
use crate::record::Record;

/// What a shard keeps under a key.
pub(super) trait Entry {
    fn key(&self) -> &Key;
}

impl Entry for Record {
    fn key(&self) -> &Key {
        Record::key(self)
    }
}

/// Whether a record is there for anyone but the sweep. One whose expiry is being reported is gone
/// for good, even if a touch from before its deadline comes late or the clock jumps back.
#[inline]
pub(super) fn is_live(record: &Record, now: Timestamp) -> bool {
    is_live_until(record, record.expires_at(), now)
}

/// As [`is_live`], by the time at which the record expires.
#[inline]
pub(super) fn is_live_until(record: &Record, expires_at: Timestamp, now: Timestamp) -> bool {
    now < expires_at && !record.shared_activity().is_claimed()
}

/// All shards. Closures work under a shard's lock, so that no guard can be held across an await.
pub(super) struct Shards<E>(Box<[CachePadded<Mutex<Shard<E>>>]>);

impl<E: Entry> Shards<E> {
    pub(super) const COUNT: usize = 256;

    pub(super) fn new() -> Self {
        Self((0..Self::COUNT).map(|_| CachePadded::new(Mutex::new(Shard::new()))).collect())
    }

    /// The number of the shard that keeps this locator.
    pub(super) fn index_of(locator: &Locator) -> usize {
        usize::from(locator.as_bytes()[0])
    }

    /// Works on the shard that keeps this locator.
    pub(super) fn with<R>(&self, locator: &Locator, work: impl FnOnce(&mut Shard<E>) -> R) -> R {
        self.nth(Self::index_of(locator), work)
    }

    /// As [`with`](Self::with), where no other thread works on that shard.
    pub(super) fn try_with<R>(&self, locator: &Locator, work: impl FnOnce(&mut Shard<E>) -> R) -> Option<R> {
        Some(work(&mut *self.0[Self::index_of(locator)].try_lock()?))
    }

    /// Works on the shard of this number, counted round.
    pub(super) fn nth<R>(&self, index: usize, work: impl FnOnce(&mut Shard<E>) -> R) -> R {
        work(&mut self.0[index % Self::COUNT].lock())
    }
}

/// The entries whose locators begin with one byte, and when they fall due.
pub(super) struct Shard<E> {
    table: HashTable<E>,
    pub(super) slices: Slices,
    hand: usize,
}

impl<E: Entry> Shard<E> {
    /// A table of up to this many entries is never shrunk.
    const KEPT_CAPACITY: usize = 512;

    fn new() -> Self {
        Self { table: HashTable::new(), slices: Slices::new(), hand: 0 }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&E> {
        self.table.find(hash(&key.locator), |entry| entry.key() == key)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut E> {
        self.table.find_mut(hash(&key.locator), |entry| entry.key() == key)
    }

    /// Puts an entry under its key and returns the one that lay there.
    pub(super) fn insert(&mut self, entry: E) -> Option<E> {
        let key = *entry.key();
        match self.table.entry(hash(&key.locator), |other| other.key() == &key, hash_of) {
            Place::Occupied(mut place) => Some(std::mem::replace(place.get_mut(), entry)),
            Place::Vacant(place) => {
                place.insert(entry);
                None
            }
        }
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<E> {
        let place = self.table.find_entry(hash(&key.locator), |entry| entry.key() == key).ok()?;
        let (entry, _) = place.remove();
        self.shrink();
        Some(entry)
    }

    /// All entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &E> {
        self.table.iter()
    }

    /// The entries of the namespace that were filed under this hash; hardly ever more than one.
    pub(super) fn filed(&self, namespace: Namespace, filed: u64) -> impl Iterator<Item = &E> {
        self.table
            .iter_hash(filed)
            .filter(move |entry| entry.key().namespace == namespace && hash(&entry.key().locator) == filed)
    }

    /// Moves the hand of the clock over some places of the table and shows what lies there, until
    /// `visit` has had enough.
    pub(super) fn walk(&mut self, places: usize, mut visit: impl FnMut(&E) -> bool) {
        let all = self.table.num_buckets();
        for _ in 0..places.min(all) {
            self.hand = (self.hand + 1) % all;
            if self.table.get_bucket(self.hand).is_some_and(|entry| !visit(entry)) {
                return;
            }
        }
    }

    /// Gives room back when most of it is empty, so that a crowd that has left costs nothing.
    fn shrink(&mut self) {
        let (length, capacity) = (self.table.len(), self.table.capacity());
        if capacity > Self::KEPT_CAPACITY && length < capacity / 8 {
            self.table.shrink_to(2 * length, hash_of);
        }
    }
}

/// What an entry is filed under in [`Slices`].
pub(super) fn hash(locator: &Locator) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&locator.as_bytes()[1..9]);
    u64::from_be_bytes(bytes)
}

fn hash_of<E: Entry>(entry: &E) -> u64 {
    hash(&entry.key().locator)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Entry for Key {
        fn key(&self) -> &Key {
            self
        }
    }

    fn key(number: u32) -> Key {
        let namespace = Namespace::new("test");
        Key { namespace, locator: Locator::keyed(namespace, &number.to_le_bytes()) }
    }

    /// A shard that so many entered and so many have left.
    fn left(entered: u32, left: u32) -> Shard<Key> {
        let mut shard = Shard::new();
        (0..entered).for_each(|number| assert!(shard.insert(key(number)).is_none()));
        (0..left).for_each(|number| assert!(shard.remove(&key(number)).is_some()));
        shard
    }

    #[test]
    fn a_crowd_that_has_left_costs_nothing() {
        let shard = left(10_000, 9_990);
        assert!(shard.table.num_buckets() <= 2 * Shard::<Key>::KEPT_CAPACITY);
        (9_990..10_000).for_each(|number| assert!(shard.get(&key(number)).is_some()));
    }

    #[test]
    fn a_few_that_come_and_go_find_the_room_that_there_was() {
        assert_eq!(left(400, 400).table.num_buckets(), left(400, 0).table.num_buckets());
    }
}
