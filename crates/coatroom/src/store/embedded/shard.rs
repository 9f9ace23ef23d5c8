//! One shard of the hot tier.
//!
//! What the files do not have yet (dirty, or on its way there) stays; what they have is dropped,
//! least recently used first, to keep within the budget.

use hashbrown::HashTable;

use super::db::keys::slice_of;
use crate::id::{Key, Namespace};
use crate::record::Record;
use crate::store::shards;

/// What the hot tier knows about a key.
#[derive(Debug)]
pub(super) enum Lookup {
    /// This is the record, dead or alive.
    Record(Record),
    /// There is none.
    Absent,
    /// The files must be asked.
    Cold,
}

/// A change on its way to the files: the record under the key, or that there is none.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) key: Key,
    pub(super) record: Option<Record>,
}

/// A key to be filed in the index of deadlines, and its time slice.
pub(super) type Filing = (Key, u32);

pub(super) struct Shard {
    table: HashTable<Kept>,
    /// Keys without a record, of which the files do not know yet. Never in `table` as well.
    gone: HashTable<Gone>,
    dirty: Vec<Key>,
    filings: Vec<Filing>,
    bytes: usize,
    budget: usize,
    hand: usize,
    complete: bool,
    departures: u64,
}

struct Kept {
    record: Record,
    state: State,
}

struct Gone {
    key: Key,
    state: State,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Changed since it was last on its way to the files; the key is on the list, or on that of a
    /// checkpoint which is about to take it.
    dirty: bool,
    /// On its way to the files.
    flushing: bool,
    referenced: bool,
}

impl State {
    fn is_clean(self) -> bool {
        !self.dirty && !self.flushing
    }

    fn start_flush(&mut self) {
        self.dirty = false;
        self.flushing = true;
    }
}

impl Shard {
    /// Records that a checkpoint works on under one lock, while requests may wait.
    pub(super) const FEW: usize = 32;
    /// Places that one call looks at, at most, while a request waits.
    pub(super) const STEPS: usize = 32;

    pub(super) fn new(budget: usize, complete: bool) -> Self {
        Self {
            table: HashTable::new(),
            gone: HashTable::new(),
            dirty: Vec::new(),
            filings: Vec::new(),
            bytes: 0,
            budget,
            hand: 0,
            complete,
            departures: 0,
        }
    }

    pub(super) fn find(&mut self, key: &Key) -> Lookup {
        if let Some(kept) = self.table.find_mut(hash(key), |kept| kept.record.key() == key) {
            kept.state.referenced = true;
            return Lookup::Record(kept.record.clone());
        }
        if self.complete || self.gone.find(hash(key), |gone| gone.key == *key).is_some() {
            Lookup::Absent
        } else {
            Lookup::Cold
        }
    }

    /// How often something left the hot tier for the files. Whoever read the files while this stood
    /// still, and finds nothing here, has read the newest.
    pub(super) fn departures(&self) -> u64 {
        self.departures
    }

    /// The record under its key is now this one.
    pub(super) fn put(&mut self, record: Record) {
        let key = *record.key();
        self.insert(record);
        self.mark_dirty(&key);
    }

    /// Keeps a record that was read from the files. It stays at least for as long as the shard is
    /// locked, since the work that asked for it may mark it as changed.
    pub(super) fn install(&mut self, record: Record) {
        self.evict(Self::STEPS);
        self.insert(record);
    }

    /// The record under the key is to be written to the files.
    pub(super) fn mark_dirty(&mut self, key: &Key) {
        if let Some(kept) = self.table.find_mut(hash(key), |kept| kept.record.key() == key)
            && !std::mem::replace(&mut kept.state.dirty, true)
        {
            self.dirty.push(*key);
        }
    }

    /// There is no record under the key any more, whatever the files say.
    pub(super) fn remove(&mut self, key: &Key) {
        let mut state = State::default();
        if let Ok(place) = self.table.find_entry(hash(key), |kept| kept.record.key() == key) {
            let (kept, _) = place.remove();
            self.bytes -= cost(&kept.record);
            state = kept.state;
        } else if let Ok(place) = self.gone.find_entry(hash(key), |gone| gone.key == *key) {
            state = place.remove().0.state;
        }
        if !std::mem::replace(&mut state.dirty, true) {
            self.dirty.push(*key);
        }
        self.gone.insert_unique(hash(key), Gone { key: *key, state }, |gone| hash(&gone.key));
        self.shrink();
    }

    /// The keys of what changed since this was last asked, in no order, some perhaps twice.
    pub(super) fn take_dirty(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.dirty)
    }

    pub(super) fn file(&mut self, key: Key, slice: u32) {
        self.filings.push((key, slice));
    }

    pub(super) fn take_filings(&mut self) -> Vec<Filing> {
        std::mem::take(&mut self.filings)
    }

    /// Files again what the files may not have yet; an entry too many does no harm.
    pub(super) fn file_unflushed(&mut self) {
        let records = self.table.iter().filter(|kept| !kept.state.is_clean()).map(|kept| &kept.record);
        let filings =
            records.filter_map(|record| slice_of(record.expires_at()).map(|slice| (*record.key(), slice)));
        self.filings.extend(filings);
    }

    /// What is now under these keys, on its way to the files. There is room for it in `changes`:
    /// to allocate can take an allocator tens of milliseconds after much was freed.
    pub(super) fn take(&mut self, keys: &[Key], changes: &mut Vec<Change>) {
        changes.extend(keys.iter().filter_map(|key| self.take_one(*key)));
    }

    fn take_one(&mut self, key: Key) -> Option<Change> {
        if let Some(kept) = self.table.find_mut(hash(&key), |kept| *kept.record.key() == key) {
            kept.state.start_flush();
            return Some(Change { key, record: Some(kept.record.clone()) });
        }
        let gone = self.gone.find_mut(hash(&key), |gone| gone.key == key)?;
        gone.state.start_flush();
        Some(Change { key, record: None })
    }

    pub(super) fn flushed(&mut self, keys: &[Key]) {
        for key in keys {
            if let Some(kept) = self.table.find_mut(hash(key), |kept| kept.record.key() == key) {
                kept.state.flushing = false;
            } else if let Ok(mut place) = self.gone.find_entry(hash(key), |gone| gone.key == *key) {
                place.get_mut().state.flushing = false;
                if place.get().state.is_clean() {
                    place.remove();
                    self.departures += 1;
                }
            }
        }
    }

    pub(super) fn not_flushed(&mut self, keys: &[Key]) {
        for key in keys {
            let state = if let Some(kept) = self.table.find_mut(hash(key), |kept| kept.record.key() == key) {
                &mut kept.state
            } else if let Some(gone) = self.gone.find_mut(hash(key), |gone| gone.key == *key) {
                &mut gone.state
            } else {
                continue;
            };
            // Where it has changed again, it is on the list twice, which does no harm.
            *state = State { dirty: true, flushing: false, ..*state };
            self.dirty.push(*key);
        }
    }

    /// What the files may not have yet, of one namespace, in no order.
    pub(super) fn unflushed(&self, namespace: Namespace) -> Vec<Change> {
        let records = self.table.iter().filter(|kept| !kept.state.is_clean());
        let records =
            records.map(|kept| Change { key: *kept.record.key(), record: Some(kept.record.clone()) });
        let gone = self.gone.iter().map(|gone| Change { key: gone.key, record: None });
        records.chain(gone).filter(|change| change.key.namespace == namespace).collect()
    }

    /// The namespaces of what the files may not have yet.
    pub(super) fn unflushed_namespaces(&self) -> impl Iterator<Item = Namespace> {
        self.table.iter().filter(|kept| !kept.state.is_clean()).map(|kept| kept.record.key().namespace)
    }

    fn insert(&mut self, record: Record) {
        let key = *record.key();
        self.bytes += cost(&record);
        if let Some(kept) = self.table.find_mut(hash(&key), |kept| *kept.record.key() == key) {
            self.bytes -= cost(&kept.record);
            kept.record = record;
            kept.state.referenced = true;
            return;
        }
        let gone = self.gone.find_entry(hash(&key), |gone| gone.key == key);
        let state = gone.map_or(State::default(), |place| place.remove().0.state);
        let kept = Kept { record, state: State { referenced: true, ..state } };
        self.table.insert_unique(hash(&key), kept, |kept| hash(kept.record.key()));
    }

    /// How many places the hand is to visit at most, going round twice.
    pub(super) fn begin_eviction(&mut self) -> usize {
        self.gone.shrink_to(64, |gone| hash(&gone.key));
        2 * self.table.num_buckets()
    }

    /// Drops what the files have, until the budget holds: a hand goes round, and takes what was not
    /// used since it last came by. A record whose expiry is being reported stays, so that nothing
    /// revives it meanwhile. Whether more is to go.
    pub(super) fn evict(&mut self, steps: usize) -> bool {
        for _ in 0..steps {
            let places = self.table.num_buckets();
            if self.bytes <= self.budget || places == 0 {
                return false;
            }
            self.hand = (self.hand + 1) % places;
            if let Ok(mut place) = self.table.get_bucket_entry(self.hand)
                && place.get().state.is_clean()
                && !std::mem::replace(&mut place.get_mut().state.referenced, false)
                && !place.get().record.shared_activity().is_claimed()
            {
                let (kept, _) = place.remove();
                self.bytes -= cost(&kept.record);
                self.complete = false;
                self.departures += 1;
            }
        }
        self.bytes > self.budget
    }

    /// Gives room back when most of it is empty.
    fn shrink(&mut self) {
        let (len, capacity) = (self.table.len(), self.table.capacity());
        if capacity > 512 && len < capacity / 8 {
            self.table.shrink_to(2 * len, |kept| hash(kept.record.key()));
        }
    }
}

/// What a record takes in memory: its bytes, and key, counters and place in the table.
fn cost(record: &Record) -> usize {
    record.bytes().len() + 80
}

fn hash(key: &Key) -> u64 {
    shards::hash(&key.locator)
}
