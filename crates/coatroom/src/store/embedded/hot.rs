//! The hot tier: the records in use, in front of the files.
//!
//! 256 shards by the first byte of the locator, so that the order of shards is the order of keys.

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;

use super::shard::{Change, Shard};
use crate::id::{Key, Locator};

pub(super) struct Hot(Box<[CachePadded<Mutex<Shard>>]>);

impl Hot {
    pub(super) const SHARDS: usize = 256;

    /// An empty hot tier. `complete` says that the files hold no record yet.
    pub(super) fn new(bytes: usize, complete: bool) -> Self {
        let budget = bytes / Self::SHARDS;
        Self((0..Self::SHARDS).map(|_| CachePadded::new(Mutex::new(Shard::new(budget, complete)))).collect())
    }

    /// Works on the shard of a locator, under its lock.
    pub(super) fn with<R>(&self, locator: &Locator, work: impl FnOnce(&mut Shard) -> R) -> R {
        self.nth(usize::from(locator.as_bytes()[0]), work)
    }

    /// As [`Hot::with`], where no other thread works on that shard.
    pub(super) fn try_with<R>(&self, locator: &Locator, work: impl FnOnce(&mut Shard) -> R) -> Option<R> {
        Some(work(&mut *self.0[usize::from(locator.as_bytes()[0])].try_lock()?))
    }

    /// Takes up what changed in a shard, a few records under each lock, and hands it to `carry`. The
    /// keys are pushed to `taken` before they are on their way, until [`Hot::flushed`] or
    /// [`Hot::not_flushed`].
    pub(super) fn take_dirty<E>(
        &self,
        byte: usize,
        taken: &mut Vec<Key>,
        mut carry: impl FnMut(Change) -> Result<(), E>,
    ) -> Result<(), E> {
        *taken = self.nth(byte, |shard| shard.take_dirty());
        taken.sort_unstable();
        taken.dedup();
        let mut changes = Vec::with_capacity(Shard::FEW);
        for keys in taken.chunks(Shard::FEW) {
            self.nth(byte, |shard| shard.take(keys, &mut changes));
            changes.drain(..).try_for_each(&mut carry)?;
        }
        Ok(())
    }

    /// The files have what was taken.
    pub(super) fn flushed(&self, byte: usize, taken: &[Key]) {
        for keys in taken.chunks(Shard::FEW) {
            self.nth(byte, |shard| shard.flushed(keys));
        }
        let mut places = self.nth(byte, Shard::begin_eviction);
        while places > 0 && self.nth(byte, |shard| shard.evict(Shard::STEPS)) {
            places = places.saturating_sub(Shard::STEPS);
        }
    }

    /// The files do not have what was taken, or was to be: it is as if it had not been.
    pub(super) fn not_flushed(&self, byte: usize, taken: &[Key]) {
        for keys in taken.chunks(Shard::FEW) {
            self.nth(byte, |shard| shard.not_flushed(keys));
        }
    }

    /// Works on the shard of this first byte, under its lock.
    pub(super) fn nth<R>(&self, byte: usize, work: impl FnOnce(&mut Shard) -> R) -> R {
        work(&mut self.0[byte % Self::SHARDS].lock())
    }
}

impl std::fmt::Debug for Hot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hot").finish_non_exhaustive()
    }
}
