//! What the sentences share: a namespace of their own, records to put there, and short calls.

mod sample;

use std::time::Duration;

pub(super) use self::sample::{Sample, Seen};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};
use crate::store::{Commit, Creation, Departed, Store};

/// When every sentence begins: 2100-01-01 00:00 UTC. It lies in the future so that a store whose
/// server drops keys by a clock of its own drops none while a sentence runs.
pub(super) const START: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// How late a dead record may be claimed.
pub(super) const LATENESS: Duration = Duration::from_secs(30);

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);

/// The last millisecond before.
pub(super) fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis() - 1)
}

/// The part of a store that one sentence has to itself.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) namespace: Namespace,
}

impl<'a> Scene<'a> {
    pub(super) fn new(store: &'a dyn Store) -> Self {
        Self { store, namespace: Namespace::from_bytes(random()) }
    }

    pub(super) fn key(&self) -> Key {
        Key { namespace: self.namespace, locator: Locator::from_bytes(random()) }
    }

    /// A sample under a key that nothing is kept under.
    pub(super) fn sample(&self) -> Sample {
        Sample::new(self.key())
    }

    /// A sample for each limit, alone in ending it.
    pub(super) fn mortals(&self) -> [Sample; 3] {
        let endless = Sample { deadline: Timestamp::NEVER, idle_timeout: Duration::MAX, ..self.sample() };
        let unconfirmed = Activity { last_accessed: START, confirmed: false };
        [
            Sample { deadline: START + HOUR, key: self.key(), ..endless.clone() },
            Sample { idle_timeout: 20 * MINUTE, key: self.key(), ..endless.clone() },
            Sample { unconfirmed_timeout: Some(10 * MINUTE), activity: unconfirmed, ..endless },
        ]
    }

    /// Creates at the start, where nothing was.
    pub(super) async fn put(&self, sample: &Sample) {
        let departed = self.create(sample, START).await.expect("create where nothing was gave Exists");
        assert!(departed.is_empty(), "create where nothing was reported a departure");
    }

    pub(super) async fn put_all(&self, samples: &[Sample]) {
        for sample in samples {
            self.put(sample).await;
        }
    }

    /// `None` where it exists.
    pub(super) async fn create(&self, sample: &Sample, now: Timestamp) -> Option<Vec<Departed>> {
        match done("create", self.store.create(sample.record(), now).await) {
            Creation::Created(departed) => Some(departed),
            Creation::Exists => None,
        }
    }

    pub(super) async fn load(&self, key: &Key, now: Timestamp) -> Option<Record> {
        done("load", self.store.load(key, now).await)
    }

    pub(super) async fn commit(&self, expected: u64, sample: &Sample, now: Timestamp) -> Commit {
        done("commit", self.store.commit(expected, sample.record(), now).await)
    }

    /// Commits `next` over `sample`, which must be what is kept.
    pub(super) async fn replace(&self, sample: &Sample, next: &Sample, now: Timestamp) {
        let commit = self.commit(sample.revision, next, now).await;
        assert!(
            matches!(&commit, Commit::Landed(departed) if departed.is_empty()),
            "commit that expects the kept revision did not land: {commit:?}"
        );
    }

    pub(super) async fn touch(&self, key: &Key, last_accessed: Timestamp, confirmed: bool) {
        done("touch", self.store.touch(key, Activity { last_accessed, confirmed }).await);
    }

    pub(super) async fn remove(&self, key: &Key, now: Timestamp) -> Option<Record> {
        done("remove", self.store.remove(key, now).await)
    }

    pub(super) async fn count(&self, now: Timestamp) -> u64 {
        done("count", self.store.count(self.namespace, now).await)
    }

    pub(super) async fn bump(&self, principal: &str) -> u64 {
        done("bump_epoch", self.store.bump_epoch(self.namespace, principal).await)
    }

    pub(super) async fn epoch(&self, principal: &str) -> u64 {
        done("epoch", self.store.epoch(self.namespace, principal).await)
    }

    /// The locators of a principal's records, sorted.
    pub(super) async fn of(&self, principal: &str, now: Timestamp) -> Vec<Locator> {
        let found = done("of_principal", self.store.of_principal(self.namespace, principal, now).await);
        sorted(found.iter())
    }

    /// All pages, one behind the other.
    pub(super) async fn list(&self, limit: usize, now: Timestamp) -> Vec<Record> {
        let (mut records, mut after) = (Vec::new(), None);
        for _ in 0..MANY_CALLS {
            let page = done("page", self.store.page(self.namespace, after, limit, now).await);
            assert!(page.records.len() <= limit, "a page of limit {limit} has {}", page.records.len());
            records.extend(page.records);
            match page.next {
                Some(next) => after = Some(next),
                None => return records,
            }
        }
        panic!("{MANY_CALLS} pages in a row had a next one");
    }

    /// Claims until there is no more, under a lease of an hour.
    pub(super) async fn claim(&self, now: Timestamp, limit: usize) -> Vec<Record> {
        let mut records = Vec::new();
        for _ in 0..MANY_CALLS {
            let claim = self.store.claim_expired(self.namespace, now, now + HOUR, limit).await;
            let claim = done("claim_expired", claim);
            assert!(claim.records.len() <= limit, "a claim of limit {limit} has {}", claim.records.len());
            records.extend(claim.records);
            if !claim.more {
                return records;
            }
        }
        panic!("{MANY_CALLS} claims in a row said that there is more");
    }

    pub(super) async fn settle(&self, claimed: Vec<Record>) {
        done("settle", self.store.settle(claimed).await);
    }

    /// A load finds the sample, bytes and activity.
    pub(super) async fn assert_holds(&self, sample: &Sample, now: Timestamp) {
        let found = self.load(&sample.key, now).await;
        let found = found.unwrap_or_else(|| panic!("load found nothing under a live record's key"));
        assert_eq!(Seen::from(&found), Seen::from(sample), "load found another record (left)");
    }

    /// A load finds nothing.
    pub(super) async fn assert_absent(&self, key: &Key, now: Timestamp) {
        let found = self.load(key, now).await;
        assert!(found.is_none(), "load found {found:?} where there is no live record");
    }
}

/// A walk over pages or claims that takes more calls than this does not end.
const MANY_CALLS: usize = 10_000;

/// The locators of records, sorted.
pub(super) fn sorted<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Locator> {
    let mut locators: Vec<_> = records.into_iter().map(|record| record.key().locator).collect();
    locators.sort();
    locators
}

/// The locators of samples, sorted.
pub(super) fn locators<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Vec<Locator> {
    let mut locators: Vec<_> = samples.into_iter().map(|sample| sample.key.locator).collect();
    locators.sort();
    locators
}

/// A store under test is healthy: any failure is a finding.
pub(super) fn done<T>(operation: &str, result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("{operation} failed: {error}"))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
