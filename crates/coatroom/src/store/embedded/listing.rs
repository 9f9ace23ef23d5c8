//! Reading many records: pages, counts, and the sessions of a principal.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::core::Core;
use super::db::{DbError, keys};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::Record;
use crate::store::{Page, shards};

impl Core {
    /// For threads that may wait for the files, as all of these.
    pub(super) fn page(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Page, StoreError> {
        let mut page = Page::default();
        self.each_live(namespace, after, now, &mut |record| {
            if page.records.len() == limit.max(1) {
                page.next = page.records.last().map(|record: &Record| record.key().locator);
                return ControlFlow::Break(());
            }
            page.records.push(record);
            ControlFlow::Continue(())
        })?;
        Ok(page)
    }

    pub(super) fn count(&self, namespace: Namespace, now: Timestamp) -> Result<u64, StoreError> {
        let mut count = 0;
        self.each_live(namespace, None, now, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    pub(super) fn namespaces(&self) -> Result<Vec<Namespace>, StoreError> {
        let mut found = BTreeSet::new();
        for index in 0..=u8::MAX {
            self.hot.nth(usize::from(index), |shard| found.extend(shard.unflushed_namespaces()));
        }
        let failed = |error| self.files_failed("listing the namespaces", error);
        let mut from = keys::ALL_RECORDS.0.to_vec();
        // The first record behind a namespace is in the next one.
        while let Some(entry) = self.db.range(&from, keys::ALL_RECORDS.1).map_err(failed)?.next() {
            let (entry, _) = entry.map_err(failed)?;
            let Some(namespace) = keys::namespace_in(&entry) else { break };
            found.insert(namespace);
            from = keys::behind(namespace);
        }
        Ok(found.into_iter().collect())
    }

    pub(super) fn of_principal(
        &self,
        namespace: Namespace,
        principal: &str,
        now: Timestamp,
    ) -> Result<Vec<Record>, StoreError> {
        // Memory first: what goes from there to the files in between is then found in both.
        let mut candidates = self.principals.recent(namespace, principal);
        let (from, to) = keys::locators_behind(&keys::principal_prefix(namespace, principal));
        let failed = |error| self.files_failed("listing the sessions of a principal", error);
        for entry in self.db.range(&from, &to).map_err(failed)? {
            let (entry, _) = entry.map_err(failed)?;
            candidates.extend(keys::locator_in(&entry).map(|locator| Key { namespace, locator }));
        }
        let mut records = Vec::new();
        for key in candidates {
            match self.newest_sound(&key)?.filter(|record| record.principal() == Some(principal)) {
                Some(record) if shards::is_live(&record, now) => records.push(record),
                Some(_) => {}
                // The next checkpoint looks at the entry again, and takes it out.
                None => self.principals.changed(key, Some(principal), None),
            }
        }
        Ok(records)
    }

    /// Visits the live records of a namespace behind `after`, in the order of their locators.
    fn each_live(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        now: Timestamp,
        visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let first = after.map_or(0, |after| after.as_bytes()[0]);
        for byte in first..=u8::MAX {
            let flow = self.each_live_of(namespace, byte, after, &mut |record| {
                if shards::is_live(&record, now) { visit(record) } else { ControlFlow::Continue(()) }
            });
            match flow.map_err(|error| self.files_failed("listing records", error))? {
                ControlFlow::Break(()) => break,
                ControlFlow::Continue(()) => {}
            }
        }
        Ok(())
    }

    /// The same for one shard. What is only in memory is collected first and the files are read
    /// then, so that a record is in one of the two wherever a checkpoint may be.
    fn each_live_of(
        &self,
        namespace: Namespace,
        byte: u8,
        after: Option<Locator>,
        visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, DbError> {
        let recent = self.hot.nth(usize::from(byte), |shard| shard.unflushed(namespace));
        let recent = recent.into_iter().map(|change| (change.key.locator, change.record));
        let mut recent: BTreeMap<Locator, Option<Record>> =
            recent.filter(|(locator, _)| Some(*locator) > after).collect();
        let (from, to) = keys::records_of(namespace, byte, after);
        for entry in self.db.range(&from, &to)? {
            let (entry, value) = entry?;
            let Some(locator) = keys::locator_in(&entry) else { continue };
            while let Some(first) = recent.first_entry().filter(|first| *first.key() < locator) {
                if let Some(record) = first.remove()
                    && visit(record).is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let record =
                recent.remove(&locator).unwrap_or_else(|| readable(Key { namespace, locator }, &value));
            if let Some(record) = record
                && visit(record).is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(recent.into_values().flatten().try_for_each(visit))
    }
}

/// A damaged record does not keep an operator from seeing the others; loading it tells.
fn readable(key: Key, value: &[u8]) -> Option<Record> {
    keys::read_record(key, value)
        .inspect_err(
            |error| tracing::error!(locator = %key.locator, %error, "a record was left out of a listing"),
        )
        .ok()
}
