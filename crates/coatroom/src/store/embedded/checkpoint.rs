//! The checkpoint: what the journal says is carried over into the files, coalesced and sorted, so
//! that its segments can be used again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::Core;
use super::db::{Batch, DbError, keys};
use super::hot::Hot;
use super::principals::Owners;
use crate::id::Key;
use crate::record::Record;

impl Core {
    /// The life of the checkpoint's thread.
    pub(super) fn checkpoints(self: &Arc<Self>, interval: Duration) {
        while !self.closed.load(Ordering::Acquire) {
            self.checkpoint_wanted.wait(Some(interval));
            // A failing disk is asked again at a pace of its own, not at that of the commits.
            while !self.checkpoint_or_report() && !self.closed.load(Ordering::Acquire) {
                self.closing.wait(Some(interval.min(Duration::from_secs(1))));
            }
        }
        self.checkpoint_or_report();
    }

    /// One checkpoint; whether it succeeded.
    pub(super) fn checkpoint_or_report(&self) -> bool {
        let _checkpointing = self.checkpointing.lock();
        let result = self.checkpoint();
        if self.trouble.is_changed_by_checkpoint(result.as_ref().err().map(ToString::to_string)) {
            self.tell(&result);
        }
        if let Err(error) = &result {
            if !error.is_full() {
                self.directory.mark_unsynced();
            }
            self.bring_journal_to_disk();
            self.revive_files();
        }
        self.waiters.bell.ring();
        result.is_ok()
    }

    fn tell(&self, checkpointed: &Result<(), DbError>) {
        let path = self.path.display();
        match checkpointed {
            Ok(()) => tracing::warn!(%path, "the embedded store's checkpoints work again"),
            Err(error) => {
                tracing::error!(%path, %error, "a checkpoint of the embedded store failed; it will be tried again");
            }
        }
    }

    /// Carries over everything that was acknowledged before the call.
    ///
    /// Seal first, collect then: an entry is appended and its record marked under one lock of its
    /// shard, so what is sealed is collected. What is committed meanwhile may be carried over too,
    /// and is then replayed over itself after a crash, which changes nothing.
    fn checkpoint(&self) -> Result<(), DbError> {
        let through = self.journal.seal();
        let mut taken = vec![Vec::new(); Hot::SHARDS];
        let result = catch_unwind(AssertUnwindSafe(|| self.carry_over(&mut taken, through)));
        let result = result.unwrap_or_else(|_| Err(DbError::Damaged("writing them panicked".to_owned())));
        for (byte, keys) in taken.iter().enumerate().filter(|(_, keys)| !keys.is_empty()) {
            match &result {
                Ok(()) => self.hot.flushed(byte, keys),
                Err(_) => self.hot.not_flushed(byte, keys),
            }
            self.step_aside();
        }
        if result.is_ok() {
            self.principals.flushed();
            self.journal.recycle(through);
        }
        result
    }

    /// The files may get what a power cut then takes from the journal. So a record never comes
    /// there before the entries that lead to it: a session that neither its principal's list nor a
    /// sweep would find.
    fn carry_over(&self, taken: &mut [Vec<Key>], through: u64) -> Result<(), DbError> {
        let mut batch = Batch::default();
        let mut value = Vec::new();
        for (byte, keys) in taken.iter_mut().enumerate() {
            self.hot.take_dirty(byte, keys, |change| {
                match change.record {
                    Some(record) => {
                        if let Some(principal) = self.principals.news(&change.key, record.principal()) {
                            batch.put(&keys::principal_key(principal, &change.key), &[]);
                        }
                        keys::write_record(&record, &mut value);
                        batch.put(&keys::record_key(&change.key), &value);
                    }
                    None => batch.remove(&keys::record_key(&change.key)),
                }
                if batch.is_full() { self.write_filed(std::mem::take(&mut batch)) } else { Ok(()) }
            })?;
        }
        self.write_filed(batch)?;
        let mut batch = Batch::default();
        // After the records, so that it sees every principal that the sealed segments tell of.
        self.principals.flush(&mut batch, &mut |key| self.owners(key))?;
        // In the last batch and so after all others: with it the journal's segments are void.
        if through > 0 {
            batch.put(keys::CHECKPOINT, &through.to_le_bytes());
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.db.write(batch)?;
        self.db.sync().inspect_err(|_| self.directory.mark_unsynced())
    }

    /// Writes records that were taken up, and before them under which deadlines they are filed.
    fn write_filed(&self, batch: Batch) -> Result<(), DbError> {
        self.file_recent(&mut self.sweeps.begin())?;
        if !batch.is_empty() {
            self.db.write(batch)?;
            self.step_aside();
        }
        Ok(())
    }

    /// Lets a request go first that waits for this processor, rather than use up the kernel's time
    /// slice; unless the journal fills, when requests wait for the checkpoint.
    fn step_aside(&self) {
        if !self.journal.is_pressed() {
            std::thread::yield_now();
        }
    }

    /// What a checkpoint would have brought to the disk; nobody waits for the answer.
    fn bring_journal_to_disk(&self) {
        drop(self.waiters.synced(self.journal.position()));
    }

    /// The principals of a record, now and by the files.
    fn owners(&self, key: &Key) -> Result<Owners, DbError> {
        let owner = |record: Record| record.principal().map(Box::from);
        let newest = self.newest_sound(key).map_err(|error| DbError::Damaged(error.to_string()))?;
        let in_files = match self.in_files(key) {
            Err(DbError::Damaged(_)) => None,
            found => found?,
        };
        Ok(Owners { now: newest.and_then(owner), in_files: in_files.and_then(owner) })
    }

    /// Opens the files again if they take no writes any more, although the disk does: after a
    /// failed write fjall refuses all others.
    fn revive_files(&self) {
        if self.db.sync().is_ok() || !self.directory.takes_writes() {
            return;
        }
        let reopened = self.db.reopen();
        // What a sweep moved since the last sync may be back, and what was filed may be gone.
        self.sweeps.begin().start_over();
        for byte in 0..Hot::SHARDS {
            self.hot.nth(byte, |shard| shard.file_unflushed());
        }
        if let Err(error) = reopened {
            tracing::error!(path = %self.path.display(), %error, "opening the files of the embedded store again failed");
        }
    }
}
