//! What the sentences share: a namespace of their own, records to put there, and short calls.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, AttributeEdit, Draft, Extensions, HashAlgorithm, Header};
use crate::record::{RawValue, Record, ValueFormat};
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

/// What a record is made of. The same sample makes the same bytes each time.
#[derive(Clone)]
pub(super) struct Sample {
    pub(super) key: Key,
    pub(super) revision: u64,
    pub(super) nonce: u64,
    pub(super) created: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) idle_timeout: Duration,
    pub(super) unconfirmed_timeout: Option<Duration>,
    pub(super) activity: Activity,
    pub(super) principal: Option<String>,
    /// Sorted by name.
    pub(super) attributes: Vec<(String, Vec<u8>)>,
}

impl Sample {
    pub(super) fn new(key: Key) -> Self {
        Self {
            key,
            revision: fastrand::u64(..),
            nonce: fastrand::u64(..),
            created: START,
            deadline: START + 12 * HOUR,
            idle_timeout: 20 * MINUTE,
            unconfirmed_timeout: None,
            activity: Activity { last_accessed: START, confirmed: true },
            principal: None,
            attributes: vec![("visits".to_owned(), b"1".to_vec())],
        }
    }

    /// What the next commit would write: one revision on, with another value.
    pub(super) fn next(&self) -> Self {
        let mut next = self.clone();
        next.revision = self.revision.wrapping_add(1);
        next.nonce = fastrand::u64(..);
        next.attributes = vec![("visits".to_owned(), next.nonce.to_le_bytes().to_vec())];
        next
    }

    pub(super) fn with_principal(mut self, principal: &str) -> Self {
        self.principal = Some(principal.to_owned());
        self
    }

    pub(super) fn with_value(mut self, value: Vec<u8>) -> Self {
        self.attributes = vec![("value".to_owned(), value)];
        self
    }

    /// The sample as it is after a touch, for comparing.
    pub(super) fn accessed(mut self, at: Timestamp) -> Self {
        self.activity.last_accessed = at;
        self
    }

    #[allow(clippy::expect_used)] // two attributes are far below any limit
    pub(super) fn record(&self) -> Record {
        let header = Header {
            persistent: false,
            algorithm: HashAlgorithm::Sha256,
            revision: self.revision,
            generation: 0,
            unconfirmed_timeout: self.unconfirmed_timeout,
            created: self.created,
            deadline: self.deadline,
            idle_timeout: self.idle_timeout,
            nonce: self.nonce,
            secret_hash: [7; 32],
            renewal: None,
        };
        let principal = self.principal.as_deref().map(|name| (0, name));
        let extensions = Extensions::new(&[]).with_principal(principal);
        let edits: Vec<_> = self
            .attributes
            .iter()
            .map(|(name, bytes)| AttributeEdit {
                name,
                value: Some(RawValue { format: ValueFormat::OPAQUE, bytes }),
            })
            .collect();
        Draft {
            key: self.key,
            activity: self.activity,
            header: &header,
            extensions: &extensions,
            base: None,
            edits: &edits,
        }
        .assemble()
        .expect("a test's record is within the format")
    }

    /// From when on it is dead.
    pub(super) fn expires_at(&self) -> Timestamp {
        self.record().expires_at()
    }
}

/// A record as it was at one moment: its activity does not move on.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Seen {
    key: Key,
    activity: Activity,
    bytes: Vec<u8>,
}

impl Seen {
    pub(super) fn key(&self) -> Key {
        self.key
    }
}

impl From<&Record> for Seen {
    fn from(record: &Record) -> Self {
        Self { key: *record.key(), activity: record.activity(), bytes: record.bytes().to_vec() }
    }
}

impl From<&Sample> for Seen {
    fn from(sample: &Sample) -> Self {
        Self::from(&sample.record())
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Record::decode(self.key, self.activity, &self.bytes) {
            Ok(record) => write!(f, "{record:?} {:?}", self.activity),
            Err(error) => write!(f, "{error}"),
        }
    }
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
