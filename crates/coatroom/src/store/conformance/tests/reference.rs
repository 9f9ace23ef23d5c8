//! The contract in its plainest form, and ways to get it wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};
use crate::store::{Claim, Commit, Creation, Departed, Departure, Page, Store, StoreFuture};

/// One mistake that the reference store makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    ClaimsAcrossNamespaces,
    ClaimsDuringLeases,
    ClaimsOnceOnly,
    ClaimsOneEarly,
    ClaimsPastItsLimit,
    CommitComparesTooLittle,
    CommitIgnoresRevision,
    CommitIsTorn,
    CommitIsUpsert,
    CommitMovesActivityBack,
    CountsTheDead,
    CreateHidesTheDead,
    CreateIsUpsert,
    DropLosesTheRecord,
    EpochsOfAllNamespaces,
    FilesByFirstDeadline,
    FindsPrincipalsByPrefix,
    HidesANamespace,
    HidesThatThereIsMore,
    LivesOneTooLong,
    MixesNamespaces,
    PageDropsOne,
    PageIsUnordered,
    PageRepeatsOne,
    RemoveLeavesTheRecord,
    RemoveReturnsTheDead,
    SettleEndsAnyLease,
    SettleForgets,
    SettleIgnoresRevision,
    TouchMovesBack,
    TouchRevives,
}

/// A mutex around a map. It walks the whole map for everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Reference {
    kept: Arc<Mutex<Kept>>,
    /// Held for the whole of a compare-and-set.
    writing: Arc<Mutex<()>>,
    flaw: Option<Flaw>,
}

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<Key, Held>,
    epochs: BTreeMap<(Namespace, String), u64>,
}

#[derive(Debug)]
struct Held {
    record: Record,
    leased_until: Option<Timestamp>,
    /// The first deadline, for the store that files by it for good.
    filed: Timestamp,
}

impl Held {
    fn new(record: &Record) -> Self {
        Self { record: snapshot(record), leased_until: None, filed: record.expires_at() }
    }
}

/// A record whose activity nobody else moves.
fn snapshot(record: &Record) -> Record {
    Record::decode(*record.key(), record.activity(), record.bytes()).unwrap()
}

impl Reference {
    pub(super) fn with(flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..Self::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    fn filed_under(&self, key: &Key) -> Key {
        let mixed = self.has(Flaw::MixesNamespaces);
        Key { namespace: if mixed { Namespace::new("") } else { key.namespace }, ..*key }
    }

    fn epoch_of(&self, namespace: Namespace, principal: &str) -> (Namespace, String) {
        let mixed = self.has(Flaw::EpochsOfAllNamespaces);
        (if mixed { Namespace::new("") } else { namespace }, principal.to_owned())
    }

    fn is_live(&self, record: &Record, now: Timestamp) -> bool {
        record.is_live(now) || self.has(Flaw::LivesOneTooLong) && now == record.expires_at()
    }

    fn live(&self, key: &Key, now: Timestamp) -> Option<Record> {
        let kept = self.lock();
        let record = &kept.records.get(&self.filed_under(key))?.record;
        self.is_live(record, now).then(|| snapshot(record))
    }

    fn living(&self, namespace: Namespace, now: Timestamp) -> Vec<Record> {
        let kept = self.lock();
        let dead = self.has(Flaw::CountsTheDead);
        let ours = kept.records.iter().filter(|(key, _)| key.namespace == namespace);
        let records = ours.map(|(_, held)| &held.record);
        records.filter(|record| dead || self.is_live(record, now)).map(snapshot).collect()
    }

    fn compare_and_set(&self, expected: u64, record: &Record, now: Timestamp) -> Commit {
        let key = self.filed_under(record.key());
        let Some(old) = self.live(record.key(), now) else {
            if self.has(Flaw::CommitIsUpsert) {
                self.lock().records.insert(key, Held::new(record));
                return Commit::Landed(Vec::new());
            }
            return Commit::Gone;
        };
        let compared = match self.flaw {
            Some(Flaw::CommitComparesTooLittle) => u64::MAX >> 1,
            Some(Flaw::CommitIgnoresRevision) => 0,
            _ => u64::MAX,
        };
        if old.revision() & compared != expected & compared {
            return Commit::Conflict(old);
        }
        if self.has(Flaw::CommitIsTorn) {
            (0..10).for_each(|_| thread::yield_now());
        }
        let new = snapshot(record);
        let mut kept = self.lock();
        if let Some(held) = kept.records.get_mut(&key) {
            if !self.has(Flaw::CommitMovesActivityBack) {
                new.touch(held.record.activity());
            }
            held.record = new;
        }
        Commit::Landed(Vec::new())
    }

    /// Takes the old record out in one poll and puts the new one in in the next.
    fn commit_in_two_steps(&self, expected: u64, record: Record, now: Timestamp) -> StoreFuture<Commit> {
        let (store, mut taken) = (self.clone(), false);
        StoreFuture::boxed(std::future::poll_fn(move |cx| {
            let key = *record.key();
            if taken {
                store.lock().records.insert(key, Held::new(&record));
                return Poll::Ready(Ok(Commit::Landed(Vec::new())));
            }
            if store.live(&key, now).is_none_or(|old| old.revision() != expected) {
                return Poll::Ready(Ok(store.compare_and_set(expected, &record, now)));
            }
            store.lock().records.remove(&key);
            taken = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }))
    }

    fn is_due(&self, held: &Held, now: Timestamp) -> bool {
        let early = Duration::from_millis(self.has(Flaw::ClaimsOneEarly).into());
        let dead = !held.record.is_live(now + early);
        let filed = !self.has(Flaw::FilesByFirstDeadline) || held.filed <= now;
        let leased = held.leased_until > Some(now) && !self.has(Flaw::ClaimsDuringLeases)
            || held.leased_until.is_some() && self.has(Flaw::ClaimsOnceOnly);
        dead && filed && !leased
    }
}

impl Store for Reference {
    fn load(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        StoreFuture::ready(self.live(key, now))
    }

    fn create(&self, record: Record, now: Timestamp) -> StoreFuture<Creation> {
        let mut kept = self.lock();
        let key = self.filed_under(record.key());
        let live = kept.records.get(&key).is_some_and(|held| held.record.is_live(now));
        if live && !self.has(Flaw::CreateIsUpsert) {
            return StoreFuture::ready(Creation::Exists);
        }
        let old = kept.records.insert(key, Held::new(&record));
        let told = old.filter(|old| old.leased_until.is_none() && !self.has(Flaw::CreateHidesTheDead));
        let departed = told.map(|old| Departed { record: old.record, reason: Departure::Expired });
        StoreFuture::ready(Creation::Created(departed.into_iter().collect()))
    }

    fn commit(&self, expected: u64, record: Record, now: Timestamp) -> StoreFuture<Commit> {
        if self.has(Flaw::DropLosesTheRecord) {
            return self.commit_in_two_steps(expected, record, now);
        }
        let _writing = (!self.has(Flaw::CommitIsTorn)).then(|| self.writing.lock().unwrap());
        StoreFuture::ready(self.compare_and_set(expected, &record, now))
    }

    fn load_at_hand(&self, key: &Key, now: Timestamp) -> Option<Record> {
        self.live(key, now)
    }

    fn commit_at_hand(&self, expected: u64, record: &Record, now: Timestamp) -> bool {
        let _writing = self.writing.lock().unwrap();
        matches!(self.compare_and_set(expected, record, now), Commit::Landed(_))
    }

    fn create_at_hand(&self, record: &Record, _now: Timestamp) -> bool {
        let mut kept = self.lock();
        let key = self.filed_under(record.key());
        let is_free = !kept.records.contains_key(&key) || self.has(Flaw::CreateIsUpsert);
        if is_free {
            kept.records.insert(key, Held::new(record));
        }
        is_free
    }

    fn touch(&self, key: &Key, activity: Activity) -> StoreFuture<()> {
        let mut kept = self.lock();
        if let Some(held) = kept.records.get_mut(&self.filed_under(key)) {
            if self.has(Flaw::TouchMovesBack) {
                held.record = Record::decode(*key, activity, held.record.bytes()).unwrap();
            } else if held.record.is_live(activity.last_accessed) || self.has(Flaw::TouchRevives) {
                held.record.touch(activity);
            }
        }
        StoreFuture::ready(())
    }

    fn remove(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        let _writing = self.writing.lock().unwrap();
        let mut kept = self.lock();
        let key = self.filed_under(key);
        let dead = self.has(Flaw::RemoveReturnsTheDead);
        let found = kept.records.get(&key).filter(|held| dead || held.record.is_live(now));
        let found = found.map(|held| snapshot(&held.record));
        if found.is_some() && !self.has(Flaw::RemoveLeavesTheRecord) {
            kept.records.remove(&key);
        }
        StoreFuture::ready(found)
    }

    fn page(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> StoreFuture<Page> {
        let mut records = self.living(namespace, now);
        let repeats = self.has(Flaw::PageRepeatsOne);
        records.retain(|record| {
            let locator = Some(record.key().locator);
            locator > after || repeats && locator == after
        });
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| record.key().locator);
        if self.has(Flaw::PageDropsOne) && more {
            records.pop();
        }
        if self.has(Flaw::PageIsUnordered) {
            records.reverse();
        }
        StoreFuture::ready(Page { records, next })
    }

    fn count(&self, namespace: Namespace, now: Timestamp) -> StoreFuture<u64> {
        StoreFuture::ready(self.living(namespace, now).len() as u64)
    }

    fn namespaces(&self) -> StoreFuture<Vec<Namespace>> {
        let kept = self.lock();
        let mut found: Vec<_> = kept.records.keys().map(|key| key.namespace).collect();
        found.dedup();
        if self.has(Flaw::HidesANamespace) {
            found.pop();
        }
        StoreFuture::ready(found)
    }

    fn of_principal(
        &self,
        namespace: Namespace,
        principal: &str,
        now: Timestamp,
    ) -> StoreFuture<Vec<Record>> {
        let by_prefix = self.has(Flaw::FindsPrincipalsByPrefix);
        let is_theirs = |name: &str| name == principal || by_prefix && name.starts_with(principal);
        let mut records = self.living(namespace, now);
        records.retain(|record| record.principal().is_some_and(is_theirs));
        StoreFuture::ready(records)
    }

    fn epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let epoch = self.lock().epochs.get(&self.epoch_of(namespace, principal)).copied();
        StoreFuture::ready(epoch.unwrap_or(0))
    }

    fn bump_epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let mut kept = self.lock();
        let epoch = kept.epochs.entry(self.epoch_of(namespace, principal)).or_default();
        *epoch += 1;
        StoreFuture::ready(*epoch)
    }

    fn claim_expired(
        &self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Claim> {
        let across = self.has(Flaw::ClaimsAcrossNamespaces);
        let limit = limit.saturating_add(self.has(Flaw::ClaimsPastItsLimit).into());
        let mut kept = self.lock();
        let ours = kept.records.iter_mut().filter(|(key, _)| across || key.namespace == namespace);
        let mut due = ours.map(|(_, held)| held).filter(|held| self.is_due(held, now));
        let lease = |held: &mut Held| {
            held.leased_until = Some(lease_until);
            snapshot(&held.record)
        };
        let records = due.by_ref().take(limit).map(lease).collect();
        let more = due.next().is_some() && !self.has(Flaw::HidesThatThereIsMore);
        StoreFuture::ready(Claim { records, more })
    }

    fn settle(&self, claimed: Vec<Record>) -> StoreFuture<()> {
        let mut kept = self.lock();
        for record in claimed.iter().filter(|_| !self.has(Flaw::SettleForgets)) {
            let key = self.filed_under(record.key());
            let found = kept.records.get(&key).map(|held| held.record.revision());
            if found == Some(record.revision()) || self.has(Flaw::SettleIgnoresRevision) {
                kept.records.remove(&key);
            } else if let Some(held) =
                kept.records.get_mut(&key).filter(|_| self.has(Flaw::SettleEndsAnyLease))
            {
                held.leased_until = None;
            }
        }
        StoreFuture::ready(())
    }

    fn check(&self) -> StoreFuture<()> {
        StoreFuture::ready(())
    }

    fn flush(&self) -> StoreFuture<()> {
        StoreFuture::ready(())
    }
}
