//! Which records belong to whom, and the epochs of principals.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::id::{Locator, Namespace};
use crate::record::Record;

const SHARDS: usize = 64;

/// An index that is exact: it is written under the lock of the record's shard, and only when the
/// principal of a record changes, so that anonymous visitors never meet here.
pub(super) struct Principals {
    /// Principals are chosen by users, so the hash is keyed.
    hasher: RandomState,
    shards: Box<[Mutex<HashTable<Principal>>]>,
}

/// Kept for as long as it has a record or an epoch.
struct Principal {
    namespace: Namespace,
    name: Box<str>,
    epoch: u64,
    locators: SmallVec<[Locator; 1]>,
}

impl Principal {
    fn is(&self, namespace: Namespace, name: &str) -> bool {
        self.namespace == namespace && *self.name == *name
    }
}

impl Principals {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::new(HashTable::new())).collect(),
        }
    }

    pub(super) fn add(&self, record: &Record) {
        if let Some(name) = record.principal() {
            let key = record.key();
            self.with(key.namespace, name, |principal| principal.locators.push(key.locator));
        }
    }

    pub(super) fn remove(&self, record: &Record) {
        let Some(name) = record.principal() else { return };
        let key = record.key();
        let (hash, shard) = self.place(key.namespace, name);
        let mut table = shard.lock();
        let Ok(mut place) = table.find_entry(hash, |other| other.is(key.namespace, name)) else { return };
        let principal = place.get_mut();
        if let Some(at) = principal.locators.iter().position(|locator| *locator == key.locator) {
            principal.locators.swap_remove(at);
        }
        if principal.locators.is_empty() && principal.epoch == 0 {
            place.remove();
        }
    }

    /// Moves a record from its old principal to its new one.
    pub(super) fn replace(&self, old: &Record, new: &Record) {
        if old.principal() != new.principal() {
            self.add(new);
            self.remove(old);
        }
    }

    pub(super) fn locators(&self, namespace: Namespace, name: &str) -> Vec<Locator> {
        self.find(namespace, name, |principal| principal.locators.to_vec()).unwrap_or_default()
    }

    pub(super) fn epoch(&self, namespace: Namespace, name: &str) -> u64 {
        self.find(namespace, name, |principal| principal.epoch).unwrap_or(0)
    }

    pub(super) fn bump_epoch(&self, namespace: Namespace, name: &str) -> u64 {
        self.with(namespace, name, |principal| {
            principal.epoch += 1;
            principal.epoch
        })
    }

    /// How many principals are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn find<R>(&self, namespace: Namespace, name: &str, read: impl FnOnce(&Principal) -> R) -> Option<R> {
        let (hash, shard) = self.place(namespace, name);
        shard.lock().find(hash, |principal| principal.is(namespace, name)).map(read)
    }

    /// Works on a principal, made if there is none.
    fn with<R>(&self, namespace: Namespace, name: &str, work: impl FnOnce(&mut Principal) -> R) -> R {
        let (hash, shard) = self.place(namespace, name);
        let mut table = shard.lock();
        let rehash = |principal: &Principal| self.hash(principal.namespace, &principal.name);
        let mut place = match table.entry(hash, |principal| principal.is(namespace, name), rehash) {
            Place::Occupied(place) => place,
            Place::Vacant(place) => {
                place.insert(Principal { namespace, name: name.into(), epoch: 0, locators: SmallVec::new() })
            }
        };
        work(place.get_mut())
    }

    fn place(&self, namespace: Namespace, name: &str) -> (u64, &Mutex<HashTable<Principal>>) {
        let hash = self.hash(namespace, name);
        // The table takes its bits from both ends of the hash, so these are from the middle.
        (hash, &self.shards[(hash >> 32) as usize % SHARDS])
    }

    fn hash(&self, namespace: Namespace, name: &str) -> u64 {
        self.hasher.hash_one((namespace, name))
    }
}
