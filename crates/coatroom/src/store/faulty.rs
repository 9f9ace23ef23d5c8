//! A store that errs when it is told to: for tests of what stands on stores.

mod gate;
mod script;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

pub use self::gate::Gate;
use self::script::{Fault, Script, after, before, lost};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};
use crate::store::{Claim, Commit, Creation, Page, Store, StoreFuture};

/// Another store, with faults at the calls that a test names, and a count of all calls.
///
/// A fault is for one call: the `nth` of an operation from the moment it is injected, where 1 is
/// the next. Several faults of one call happen in this order: those before the work, the failure in
/// place of it, those after it, the lost answer; a call without a fault goes to the store as it is.
/// A call with one does its work when it is polled, and is at rest at a gate, not in a sleep, so
/// a test decides what happens in which order. Features `conformance` and `test-util`.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use coatroom::store::{FaultyStore, MemoryStore, Operation, Store};
/// use coatroom::{Namespace, StoreError, Timestamp};
///
/// let store = FaultyStore::new(Arc::new(MemoryStore::new()));
/// store.fail(Operation::Count, 2, StoreError::unavailable("counting failed: unplugged"));
///
/// let count = || pollster::block_on(store.count(Namespace::new("shop"), Timestamp::default()));
/// assert!(count().is_ok());
/// assert!(count().is_err());
/// assert!(count().is_ok());
/// assert_eq!(store.calls(Operation::Count), 3);
/// ```
#[derive(Debug)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    yielding: bool,
    script: Mutex<Script>,
    late: Mutex<Late>,
}

/// Work that is still on its way to the store.
#[derive(Default)]
struct Late(BTreeMap<Operation, Vec<LateWork>>);

type LateWork = Box<dyn FnOnce(&dyn Store) -> StoreFuture<()> + Send>;

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The methods of [`Store`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(missing_docs)] // Each is named after its method.
#[non_exhaustive]
pub enum Operation {
    BumpEpoch,
    Check,
    ClaimExpired,
    Commit,
    Count,
    Create,
    Epoch,
    Flush,
    Load,
    Namespaces,
    OfPrincipal,
    Page,
    Remove,
    Settle,
    Touch,
}

impl FaultyStore {
    /// `inner`, without a fault so far.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, yielding: false, script: Mutex::default(), late: Mutex::default() }
    }

    /// Has every call of every operation pend once before its work and once after it.
    #[must_use]
    pub fn yielding(mut self) -> Self {
        self.yielding = true;
        self
    }

    /// How often an operation was called, with or without a fault, polled or not.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> usize {
        self.script.lock().calls(operation)
    }

    /// Holds a call before its work until the gate is opened. Dropped there, nothing was done.
    #[must_use = "the call is held until this gate is opened"]
    pub fn hold_before(&self, operation: Operation, nth: usize) -> Gate {
        let gate = Gate::default();
        self.inject(operation, nth, Fault::HoldBefore(gate.clone()));
        gate
    }

    /// Holds a call after its work, before its answer, until the gate is opened. Dropped there, the
    /// work is done.
    #[must_use = "the call is held until this gate is opened"]
    pub fn hold_after(&self, operation: Operation, nth: usize) -> Gate {
        let gate = Gate::default();
        self.inject(operation, nth, Fault::HoldAfter(gate.clone()));
        gate
    }

    /// Has a call pend once before its work, as if the network took its time.
    pub fn pend_before(&self, operation: Operation, nth: usize) {
        self.inject(operation, nth, Fault::PendBefore);
    }

    /// Has a call pend once after its work.
    pub fn pend_after(&self, operation: Operation, nth: usize) {
        self.inject(operation, nth, Fault::PendAfter);
    }

    /// Fails a call in place of its work: nothing is done.
    pub fn fail(&self, operation: Operation, nth: usize, error: StoreError) {
        self.inject(operation, nth, Fault::Fail(error));
    }

    /// Does the work of a call and loses the answer: it is [`StoreError::OutcomeUnknown`].
    pub fn lose_answer(&self, operation: Operation, nth: usize) {
        self.inject(operation, nth, Fault::LoseAnswer);
    }

    /// Loses the answer of a call at once, and does its work just before the next call of the
    /// operation, as a command does that was still on its way when the caller gave up.
    pub fn land_late(&self, operation: Operation, nth: usize) {
        self.inject(operation, nth, Fault::LandLate);
    }

    /// Forgets all faults that have not happened yet; calls that are held stay so.
    pub fn heal(&self) {
        self.script.lock().heal();
    }

    fn inject(&self, operation: Operation, nth: usize, fault: Fault) {
        self.script.lock().inject(operation, nth, fault);
    }

    fn call<T: Send + Unpin + 'static>(
        &self,
        operation: Operation,
        work: impl FnOnce(&dyn Store) -> StoreFuture<T> + Send + 'static,
    ) -> StoreFuture<T> {
        let mut faults = self.script.lock().call(operation);
        let late = self.late.lock().0.remove(&operation).unwrap_or_default();
        if faults.iter().any(|fault| matches!(fault, Fault::LandLate)) {
            let work = |store: &dyn Store| {
                let answer = work(store);
                StoreFuture::boxed(async move { answer.await.map(drop) })
            };
            self.late.lock().0.entry(operation).or_default().push(Box::new(work));
            return StoreFuture::failed(lost(operation));
        }
        if self.yielding {
            faults.extend([Fault::PendBefore, Fault::PendAfter]);
        }
        if faults.is_empty() && late.is_empty() {
            return work(&*self.inner);
        }
        let inner = Arc::clone(&self.inner);
        StoreFuture::boxed(async move {
            for work in late {
                let _ = work(&*inner).await;
            }
            before(&faults).await?;
            let answer = work(&*inner).await;
            after(operation, &faults).await?;
            answer
        })
    }
}

impl Store for FaultyStore {
    fn load(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        let key = *key;
        self.call(Operation::Load, move |store| store.load(&key, now))
    }

    fn create(&self, record: Record, now: Timestamp) -> StoreFuture<Creation> {
        self.call(Operation::Create, move |store| store.create(record, now))
    }

    fn commit(&self, expected: u64, record: Record, now: Timestamp) -> StoreFuture<Commit> {
        self.call(Operation::Commit, move |store| store.commit(expected, record, now))
    }

    fn touch(&self, key: &Key, activity: Activity) -> StoreFuture<()> {
        let key = *key;
        self.call(Operation::Touch, move |store| store.touch(&key, activity))
    }

    fn remove(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        let key = *key;
        self.call(Operation::Remove, move |store| store.remove(&key, now))
    }

    fn page(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> StoreFuture<Page> {
        self.call(Operation::Page, move |store| store.page(namespace, after, limit, now))
    }

    fn count(&self, namespace: Namespace, now: Timestamp) -> StoreFuture<u64> {
        self.call(Operation::Count, move |store| store.count(namespace, now))
    }

    fn namespaces(&self) -> StoreFuture<Vec<Namespace>> {
        self.call(Operation::Namespaces, |store| store.namespaces())
    }

    fn of_principal(
        &self,
        namespace: Namespace,
        principal: &str,
        now: Timestamp,
    ) -> StoreFuture<Vec<Record>> {
        let principal = principal.to_owned();
        self.call(Operation::OfPrincipal, move |store| store.of_principal(namespace, &principal, now))
    }

    fn epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let principal = principal.to_owned();
        self.call(Operation::Epoch, move |store| store.epoch(namespace, &principal))
    }

    fn bump_epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let principal = principal.to_owned();
        self.call(Operation::BumpEpoch, move |store| store.bump_epoch(namespace, &principal))
    }

    fn claim_expired(
        &self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Claim> {
        self.call(Operation::ClaimExpired, move |store| {
            store.claim_expired(namespace, now, lease_until, limit)
        })
    }

    fn settle(&self, claimed: Vec<Record>) -> StoreFuture<()> {
        self.call(Operation::Settle, move |store| store.settle(claimed))
    }

    fn check(&self) -> StoreFuture<()> {
        self.call(Operation::Check, |store| store.check())
    }

    fn flush(&self) -> StoreFuture<()> {
        self.call(Operation::Flush, |store| store.flush())
    }

    fn server_time(&self) -> Option<Timestamp> {
        self.inner.server_time()
    }
}

#[cfg(test)]
mod tests;
