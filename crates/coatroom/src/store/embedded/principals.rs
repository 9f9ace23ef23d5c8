//! What changed about principals since the last checkpoint: which records belong to them, and their
//! epochs.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;

use super::db::keys;
use super::db::{Batch, Db, DbError};
use super::journal::{Entry, Journal, Kind, Position, Refusal};
use crate::id::{Key, Locator, Namespace};

/// A principal of a namespace.
type Of = (Namespace, Box<str>);
type Touched = (Of, Key);
type Raised = (Of, u64);
type OwnersOf<'a> = dyn FnMut(&Key) -> Result<Owners, DbError> + 'a;

/// Whose a record is: `now`, and `in_files`, which a power cut may leave as the newest.
#[derive(Debug)]
pub(super) struct Owners {
    pub(super) now: Option<Box<str>>,
    pub(super) in_files: Option<Box<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Principals {
    state: Mutex<State>,
    /// Held while an epoch is raised, so that of two raises at once neither is lost.
    raising: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    recent: Layer,
    /// On its way to the files.
    flushing: Layer,
}

#[derive(Debug, Default)]
struct Layer {
    /// Records that came to belong to the principal, or ceased to.
    touched: HashMap<Of, HashSet<Key>>,
    epochs: HashMap<Of, u64>,
}

impl Principals {
    /// The record under the key belonged to `before` and belongs to `after` now.
    pub(super) fn changed(&self, key: Key, before: Option<&str>, after: Option<&str>) {
        if before == after {
            return;
        }
        let mut state = self.state.lock();
        for principal in [before, after].into_iter().flatten() {
            state.recent.touched.entry((key.namespace, principal.into())).or_default().insert(key);
        }
    }

    /// The principal of a record that is on its way to the files, if they may not know whose it is.
    pub(super) fn news<'a>(&self, key: &Key, principal: Option<&'a str>) -> Option<&'a str> {
        let of = (key.namespace, principal?.into());
        let state = self.state.lock();
        let layers = [&state.recent, &state.flushing];
        let touched = |layer: &Layer| layer.touched.get(&of).is_some_and(|keys| keys.contains(key));
        principal.filter(|_| layers.into_iter().any(touched))
    }

    /// What may belong to the principal and is not in the files yet.
    pub(super) fn recent(&self, namespace: Namespace, principal: &str) -> HashSet<Key> {
        let of = (namespace, principal.into());
        let state = self.state.lock();
        let layers = [&state.recent, &state.flushing];
        layers.into_iter().filter_map(|layer| layer.touched.get(&of)).flatten().copied().collect()
    }

    pub(super) fn epoch(&self, db: &Db, namespace: Namespace, principal: &str) -> Result<u64, DbError> {
        let of: Of = (namespace, principal.into());
        if let Some(epoch) = self.state.lock().epoch(&of) {
            return Ok(epoch);
        }
        let in_files =
            |db: &Db| db.get(&keys::epoch_key(namespace, principal))?.map_or(Ok(0), |v| keys::number(&v));
        let epoch = in_files(db)?;
        // A raise may have come and gone to the files meanwhile; both only ever grow.
        let recent = self.state.lock().epoch(&of).unwrap_or(0);
        Ok(epoch.max(recent))
    }

    /// Raises the epoch by one. The inner error is the journal's.
    pub(super) fn raise(
        &self,
        db: &Db,
        journal: &Journal,
        namespace: Namespace,
        principal: &str,
    ) -> Result<Result<(u64, Position), Refusal>, DbError> {
        let _raising = self.raising.lock();
        let epoch = self.epoch(db, namespace, principal)? + 1;
        let key = Key { namespace, locator: Locator::from_bytes([0; 16]) };
        let entry = Entry::new(Kind::Epoch, key, epoch, principal.as_bytes());
        let mut state = self.state.lock();
        Ok(journal.append(&entry).map(|position| {
            state.recent.epochs.insert((namespace, principal.into()), epoch);
            (epoch, position)
        }))
    }

    /// An epoch that was read back from the journal.
    pub(super) fn restore_epoch(&self, namespace: Namespace, principal: &str, epoch: u64) {
        self.state.lock().recent.epochs.insert((namespace, principal.into()), epoch);
    }

    /// What changed so far is on its way to the files. An entry that the record in the files needs
    /// is left to the next flush.
    pub(super) fn flush(&self, batch: &mut Batch, owners: &mut OwnersOf<'_>) -> Result<(), DbError> {
        let (touched, epochs) = self.state.lock().start_flush();
        for ((namespace, principal), key) in touched {
            let entry = keys::principal_key(&principal, &key);
            let owners = owners(&key)?;
            if owners.now.as_ref() == Some(&principal) {
                batch.put(&entry, &[]);
            } else if owners.in_files.as_ref() == Some(&principal) {
                let mut state = self.state.lock();
                state.recent.touched.entry((namespace, principal)).or_default().insert(key);
            } else {
                batch.remove(&entry);
            }
        }
        for ((namespace, principal), epoch) in epochs {
            batch.put(&keys::epoch_key(namespace, &principal), &epoch.to_le_bytes());
        }
        Ok(())
    }

    /// The files have it. Until then it stays, and goes with the next flush if this one fails.
    pub(super) fn flushed(&self) {
        self.state.lock().flushing = Layer::default();
    }
}

impl State {
    fn epoch(&self, of: &Of) -> Option<u64> {
        self.recent.epochs.get(of).or_else(|| self.flushing.epochs.get(of)).copied()
    }

    fn start_flush(&mut self) -> (Vec<Touched>, Vec<Raised>) {
        let recent = std::mem::take(&mut self.recent);
        for (of, keys) in recent.touched {
            self.flushing.touched.entry(of).or_default().extend(keys);
        }
        self.flushing.epochs.extend(recent.epochs);
        let touched = &self.flushing.touched;
        let pairs = touched.iter().flat_map(|(of, keys)| keys.iter().map(|key| (of.clone(), *key)));
        (pairs.collect(), self.flushing.epochs.iter().map(|(of, epoch)| (of.clone(), *epoch)).collect())
    }
}
