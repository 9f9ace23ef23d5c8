//! Expiry: an index of deadlines in the files, filed lazily by time slices.
//!
//! A record is filed once, under the slice of its deadline. A touch moves nothing; when the slice
//! is past, the record is dead, or filed again under its new slice. Only a commit that brings the
//! deadline nearer files an earlier entry. Entries whose record is gone are dropped when due.

use std::collections::{HashMap, HashSet};

use parking_lot::{Mutex, MutexGuard};

use super::core::Core;
use super::db::{Batch, DbError, keys};
use super::hot::Hot;
use super::shard::{Filing, Shard};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::Record;
use crate::store::{Claim, shards};

/// What sweeps remember. One works at a time, and nothing is filed meanwhile, so that no entry can
/// land in a slice that the sweep has just left behind.
#[derive(Debug, Default)]
pub(super) struct Sweeps(Mutex<State>);

#[derive(Debug, Default)]
pub(super) struct State {
    /// The first place of each namespace that may have an entry. A scan that starts at the beginning
    /// each time, be it that of the slice, would walk over all that was ever deleted there.
    cursors: HashMap<Namespace, Place>,
    /// Claimed records by revision, and until when.
    leases: HashMap<Key, (u64, Timestamp)>,
}

/// Where an entry stands in the index of a namespace.
pub(super) type Place = (u32, Locator);

/// Where the entries of a slice begin.
fn start_of(slice: u32) -> Place {
    (slice, Locator::from_bytes([0; 16]))
}

impl Sweeps {
    pub(super) fn begin(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    /// The claimed record of this revision is gone, or another one lies under its key.
    pub(super) fn release(&self, key: &Key, revision: u64) {
        let mut state = self.0.lock();
        if state.leases.get(key).is_some_and(|(leased, _)| *leased == revision) {
            state.leases.remove(key);
        }
    }
}

impl State {
    /// Forgets where the sweeps are.
    pub(super) fn start_over(&mut self) {
        self.cursors.clear();
    }

    pub(super) fn cursor(&self, namespace: Namespace) -> Place {
        self.cursors.get(&namespace).copied().unwrap_or(start_of(0))
    }

    /// How many claimed records are remembered.
    #[cfg(test)]
    pub(super) fn leased(&self) -> usize {
        self.leases.len()
    }

    /// Something was filed here. It lies behind the sweep only where clocks disagree.
    fn reach_back(&mut self, namespace: Namespace, place: Place) {
        if let Some(cursor) = self.cursors.get_mut(&namespace) {
            *cursor = place.min(*cursor);
        }
    }

    fn is_leased(&self, record: &Record, now: Timestamp) -> bool {
        let lease = self.leases.get(record.key());
        lease.is_some_and(|(revision, until)| *revision == record.revision() && now < *until)
    }
}

impl Core {
    /// Entries that one claim looks at, at most.
    const MOST: usize = 10_000;

    /// Claims dead records. For threads that may wait for the files.
    pub(super) fn claim(
        &self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Claim, StoreError> {
        let limit = limit.clamp(1, Self::MOST);
        let mut state = self.sweeps.begin();
        let failed = |error| self.files_failed("sweeping expired records", error);
        self.file_recent(&mut state).map_err(failed)?;
        // The slice of `now` is not over, so what is filed there may well be alive for seconds yet.
        let end = keys::slice_of(now).unwrap_or(u32::MAX);
        let cursor = state.cursor(namespace).min(start_of(end));
        let (mut claim, mut batch, mut next) = (Claim::default(), Batch::default(), start_of(end));
        let mut claimed = HashSet::new();
        for (seen, due) in self.due(namespace, cursor, end).map_err(failed)?.enumerate() {
            let (slice, key) = due.map_err(failed)?;
            if seen == limit {
                (claim.more, next) = (true, next.min((slice, key.locator)));
                break;
            }
            batch.remove(&keys::slice_key(&key, slice));
            // Of two entries of one record in one scan, the second only goes.
            if claimed.contains(&key) {
                continue;
            }
            let (record, refile) = self.judge(&mut state, key, now, lease_until)?;
            if let Some(slice) = refile {
                batch.put(&keys::slice_key(&key, slice), &[]);
                next = next.min((slice, key.locator));
            }
            claimed.extend(record.as_ref().map(|record| *record.key()));
            claim.records.extend(record);
        }
        self.db.write(batch).and_then(|()| self.db.hand_over()).map_err(failed)?;
        // Leased last: where anything failed before, every entry is still where it was.
        let leases = claim.records.iter().map(|record| (*record.key(), (record.revision(), lease_until)));
        state.leases.extend(leases);
        state.cursors.insert(namespace, next);
        Ok(claim)
    }

    /// A due entry: the record if it is to be claimed, and the slice to file it under again.
    fn judge(
        &self,
        state: &mut State,
        key: Key,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<(Option<Record>, Option<u32>), StoreError> {
        let Some(record) = self.newest_sound(&key)? else {
            state.leases.remove(&key);
            // Until the files know that it is gone, a power cut may bring it back.
            let returns = matches!(self.in_files(&key), Ok(Some(_)));
            return Ok((None, keys::slice_of(now).filter(|_| returns)));
        };
        if shards::is_live(&record, now) {
            return Ok((None, keys::slice_of(record.expires_at())));
        }
        if state.is_leased(&record, now) {
            return Ok((None, None));
        }
        record.shared_activity().claim();
        Ok((Some(record), keys::slice_of(lease_until)))
    }

    /// The entries from `cursor` on, up to before the slice `end`.
    fn due(
        &self,
        namespace: Namespace,
        (slice, locator): Place,
        end: u32,
    ) -> Result<impl Iterator<Item = Result<(u32, Key), DbError>> + use<>, DbError> {
        let from = keys::slice_key(&Key { namespace, locator }, slice);
        let to = keys::slice_prefix(namespace, end);
        let entries = self.db.range(&from, &to)?;
        Ok(entries.filter_map(move |entry| match entry {
            Ok((entry, _)) => {
                let (slice, locator) = (keys::slice_in(&entry)?, keys::locator_in(&entry)?);
                Some(Ok((slice, Key { namespace, locator })))
            }
            Err(error) => Some(Err(error)),
        }))
    }

    /// Brings what was filed in memory into the files.
    pub(super) fn file_recent(&self, state: &mut State) -> Result<(), DbError> {
        let mut recent = Recent::take(&self.hot);
        if recent.filings.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        for (key, slice) in &recent.filings {
            batch.put(&keys::slice_key(key, *slice), &[]);
            state.reach_back(key.namespace, (*slice, key.locator));
        }
        self.db.write(batch).and_then(|()| self.db.hand_over())?;
        recent.filings.clear();
        Ok(())
    }
}

/// What was filed in memory. Dropped with anything in it, be it by a panic, that is as if it had not
/// been taken.
struct Recent<'a> {
    hot: &'a Hot,
    filings: Vec<Filing>,
}

impl<'a> Recent<'a> {
    fn take(hot: &'a Hot) -> Self {
        let filings = (0..Hot::SHARDS).flat_map(|byte| hot.nth(byte, Shard::take_filings));
        Self { hot, filings: filings.collect() }
    }
}

impl Drop for Recent<'_> {
    fn drop(&mut self) {
        for (key, slice) in self.filings.drain(..) {
            self.hot.with(&key.locator, |shard| shard.file(key, slice));
        }
    }
}
