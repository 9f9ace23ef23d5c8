//! The contract of a store, sentence by sentence.
//!
//! A store keeps [`Record`]s under [`Key`]s and knows nothing of cookies, secrets or slots. It never
//! reads the clock: whatever depends on time is told the time. `store/conformance.rs` (feature
//! `conformance`) tests each sentence below against any store.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(feature = "embedded")]
mod embedded;
mod examination;
#[cfg(any(test, feature = "conformance", feature = "test-util"))]
mod faulty;
mod future;
mod memory;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod network;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod shards;
mod url;

use std::fmt;

#[cfg(feature = "embedded")]
pub use self::embedded::{Durability, EmbeddedStore, EmbeddedStoreBuilder, OpenError};
pub use self::examination::Examination;
#[cfg(any(test, feature = "conformance", feature = "test-util"))]
pub use self::faulty::{FaultyStore, Gate, Operation};
pub use self::future::StoreFuture;
pub use self::memory::{MemoryStore, MemoryStoreBuilder};
#[cfg(any(feature = "postgres", feature = "redis"))]
pub use self::network::ConnectError;
#[cfg(feature = "postgres")]
pub use self::postgres::{PostgresStore, PostgresStoreBuilder, PostgresUrl, PostgresUrlError};
#[cfg(feature = "redis")]
pub use self::redis::{RedisStore, RedisStoreBuilder, RedisUrl, RedisUrlError};
pub use self::url::{OpenStore, OpenStoreError, StoreUrl, StoreUrlError};
use crate::clock::Timestamp;

use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};

/// Keeps records.
///
/// Three rules hold for every method. A record that is dead at `now` ([`Record::is_live`]) is as
/// absent, swept or not. An `Err` means that the outcome is not known to be a success: the store
/// may have refused, or done the work and lost the answer
/// ([`is_outcome_unknown`](crate::StoreError::is_outcome_unknown)). A future that is dropped leaves
/// the record as before or as after, never between.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The live record under `key`, or `None`.
    ///
    /// Whatever a completed `create`, `commit`, `touch` or `remove` did is seen by every later load.
    fn load(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>>;

    /// Insert-only: keeps `record` under its key if there is no live record there.
    ///
    /// Of any number of parallel creates of one key exactly one is [`Creation::Created`].
    fn create(&self, record: Record, now: Timestamp) -> StoreFuture<Creation>;

    /// Update-only compare-and-set: replaces the live record under the key of `record` if its
    /// revision is `expected`.
    ///
    /// The activity that is kept is the merge of both, so that a commit never moves it back. Of any
    /// number of parallel commits that expect one revision exactly one lands. A commit never makes a
    /// record where there is none.
    fn commit(&self, expected: u64, record: Record, now: Timestamp) -> StoreFuture<Commit>;

    /// Moves the activity of the live record under `key` forward to `activity`, judged live at
    /// `activity.last_accessed`. Rewrites no data, raises no revision, revives nothing; on an absent
    /// record it does nothing. The index of deadlines need not be moved: a touch lengthens only.
    fn touch(&self, key: &Key, activity: Activity) -> StoreFuture<()>;

    /// Takes out the live record under `key` and returns it; `None` if there is none. No expiry is
    /// reported for it.
    fn remove(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>>;

    /// Up to `limit` (at least 1) live records of the namespace, in the order of their locators,
    /// behind `after`. A record that lives through the whole of a listing is on exactly one page.
    fn page(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> StoreFuture<Page>;

    /// The number of live records of the namespace.
    fn count(&self, namespace: Namespace, now: Timestamp) -> StoreFuture<u64>;

    /// The namespaces that have live records, each once, in no particular order. One whose records
    /// have all gone may still be among them.
    fn namespaces(&self) -> StoreFuture<Vec<Namespace>>;

    /// All live records of the namespace whose principal is `principal`, in no particular order.
    /// A record is found from the moment its `create` or `commit` has completed.
    fn of_principal(&self, namespace: Namespace, principal: &str, now: Timestamp)
    -> StoreFuture<Vec<Record>>;

    /// The epoch of a principal: 0 until it is first bumped.
    fn epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64>;

    /// Raises the epoch of a principal by one and returns the new one. It stays raised for as long
    /// as the store's data.
    fn bump_epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64>;

    /// Claims up to `limit` (at least 1) records of the namespace that are dead at `now` and
    /// returns them with their data. A claimed record is not claimed again before `lease_until`;
    /// after it, unless settled, it is. `more` says that another claim may find more at once.
    ///
    /// A dead record is claimed at the latest 30 s after its deadline. The work of one call is
    /// bounded by `limit`, also where what is due turns out to be alive, having been touched.
    fn claim_expired(
        &self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Claim>;

    /// Deletes claimed records: each only if what lies under its key is still the record of that
    /// revision, so that one created again under the key stays. Idempotent.
    fn settle(&self, claimed: Vec<Record>) -> StoreFuture<()>;

    /// Whether the store can answer.
    fn check(&self) -> StoreFuture<()>;

    /// Completes when all that was acknowledged is as durable as this store makes it.
    fn flush(&self) -> StoreFuture<()>;

    /// As [`load`](Self::load), where a live record is at hand: nothing is waited for, no lock that
    /// another thread holds and no file. `None` leaves it to `load`. For callers that hold others up
    /// while they wait, such as a binding that holds its interpreter's lock.
    fn load_at_hand(&self, key: &Key, now: Timestamp) -> Option<Record> {
        let _ = (key, now);
        None
    }

    /// As [`commit`](Self::commit), where that can be done without waiting for anything either:
    /// whether it landed, with nothing that had to go. Otherwise nothing was done, and it is left to
    /// `commit`.
    fn commit_at_hand(&self, expected: u64, record: &Record, now: Timestamp) -> bool {
        let _ = (expected, record, now);
        false
    }

    /// As [`create`](Self::create), where that can be done without waiting for anything either: whether
    /// the record is kept, with nothing that had to go or lay dead under its key. Otherwise nothing
    /// was done, and it is left to `create`.
    fn create_at_hand(&self, record: &Record, now: Timestamp) -> bool {
        let _ = (record, now);
        false
    }

    /// What the clock of the store's server shows, carried on from its latest reading without
    /// waiting; `None` where the store is of this machine alone. Managers correct their clock by it,
    /// so that machines whose clocks differ agree on every deadline.
    fn server_time(&self) -> Option<Timestamp> {
        None
    }
}

/// The outcome of [`Store::create`].
#[derive(Debug)]
pub enum Creation {
    /// The record is kept. To make room for it, or because they lay dead under its key, these went.
    Created(Vec<Departed>),
    /// There is a live record under the key; nothing changed.
    Exists,
}

/// The outcome of [`Store::commit`].
#[derive(Debug)]
pub enum Commit {
    /// The record is replaced. To make room for it, these went.
    Landed(Vec<Departed>),
    /// Another commit was first; this is the newest record. Nothing changed.
    Conflict(Record),
    /// There is no live record under the key: ended, evicted or expired. Nothing changed.
    Gone,
}

/// A record that left the store without being ended.
#[derive(Debug)]
pub struct Departed {
    /// The record with its data.
    pub record: Record,
    /// Why it went.
    pub reason: Departure,
}

/// Why a record left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Departure {
    /// The store is bounded and needed the room.
    Evicted,
    /// A deadline had passed.
    Expired,
}

/// One page of a listing.
#[derive(Debug, Default)]
pub struct Page {
    /// The records, in the order of their locators.
    pub records: Vec<Record>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<Locator>,
}

/// What [`Store::claim_expired`] found.
#[derive(Debug, Default)]
pub struct Claim {
    /// Dead records, now leased to the caller.
    pub records: Vec<Record>,
    /// Whether another call may find more at once.
    pub more: bool,
}
