//! Any sequence of steps against a plain map: what the store answers, the map would have.

mod compare;
mod held;
mod step;

use std::collections::BTreeMap;
use std::thread;

use pollster::block_on;

use self::held::{Held, Lease};
pub use self::step::Step;
use self::step::{Draw, PRINCIPALS};
use super::scene::{LATENESS, START, Sample, Scene, Seen, done};
use crate::clock::Timestamp;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};
use crate::store::{Commit, Creation, Departure, Store};

/// Takes a store and a map through the same steps and compares every answer.
///
/// `open` makes the store, called with `None`. At a step that reopens it is called with the store,
/// flushed: one that survives its process drops it and opens it again, any other gives it back.
/// Time passes by the steps alone, forward only; there is no eviction, so a bounded store needs room
/// for a hundred MiB.
///
/// # Panics
///
/// Where store and map differ; the step is printed.
///
/// # Example
///
/// ```
/// use coatroom::store::MemoryStore;
/// use coatroom::store::conformance::model::{Step, check};
///
/// let random = [[4, 1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]];
/// check(&random.map(Step::pick), |open: Option<MemoryStore>| open.unwrap_or_default());
/// ```
pub fn check<S: Store>(steps: &[Step], mut open: impl FnMut(Option<S>) -> S) {
    let mut store = open(None);
    let mut model = Model::new(&store);
    for (number, step) in steps.iter().enumerate() {
        let _doing = Doing { number, step };
        if matches!(step, Step::Reopen) {
            done("flush", block_on(store.flush()));
            store = open(Some(store));
            model.reopen();
        } else {
            block_on(model.play(&store, step));
        }
    }
    block_on(model.compare_all(&store));
}

/// Says at which step a comparison failed.
struct Doing<'a> {
    number: usize,
    step: &'a Step,
}

impl Drop for Doing<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("store and model differ at step {}: {:?}", self.number, self.step);
        }
    }
}

/// What a store should hold.
struct Model {
    namespaces: [Namespace; 2],
    now: Timestamp,
    records: BTreeMap<Key, Held>,
    epochs: BTreeMap<(Namespace, &'static str), u64>,
    /// All that was ever claimed.
    claimed: Vec<Record>,
}

impl Model {
    fn new(store: &dyn Store) -> Self {
        let namespaces = [Scene::new(store).namespace, Scene::new(store).namespace];
        Self {
            namespaces,
            now: START,
            records: BTreeMap::new(),
            epochs: BTreeMap::new(),
            claimed: Vec::new(),
        }
    }

    async fn play(&mut self, store: &dyn Store, step: &Step) {
        match *step {
            Step::Advance { by } => self.now = self.now + by,
            Step::BumpEpoch { namespace, principal } => self.bump(store, namespace, principal).await,
            Step::Claim { namespace, limit, lease } => {
                self.claim(store, namespace, limit, self.now + lease).await;
            }
            Step::Commit { key, stale, ref draw } => self.commit(store, key, stale, draw).await,
            Step::Count { namespace } => self.compare_count(store, namespace).await,
            Step::Create { key, ref draw } => self.create(store, key, draw).await,
            Step::Epoch { namespace, principal } => self.compare_epoch(store, namespace, principal).await,
            Step::Load { key } => self.compare_load(store, self.key(key)).await,
            Step::OfPrincipal { namespace, principal } => {
                self.compare_principal(store, namespace, principal).await;
            }
            Step::Page { after, namespace, limit } => {
                let after = after.map(|key| self.key(key).locator);
                self.compare_page(store, namespace, after, limit).await;
            }
            Step::Remove { key } => self.remove(store, key).await,
            Step::Reopen => {}
            Step::Settle { skip } => self.settle(store, skip).await,
            Step::Touch { key, ago, confirmed } => self.touch(store, key, ago, confirmed).await,
        }
    }

    /// Nothing is lost but, perhaps, leases.
    fn reopen(&mut self) {
        self.records.values_mut().for_each(Held::doubt_lease);
    }

    async fn create(&mut self, store: &dyn Store, key: u8, draw: &Draw) {
        let sample = draw.sample(self.key(key), self.now, self.now);
        let creation = done("create", store.create(sample.record(), self.now).await);
        let old = self.records.get(&sample.key);
        match (&creation, old) {
            (Creation::Exists, Some(old)) if old.is_live(self.now) => return,
            (Creation::Created(departed), None) => assert!(departed.is_empty(), "{departed:?}"),
            (Creation::Created(departed), Some(old)) if !old.is_live(self.now) => {
                // One that was claimed has been reported already.
                assert!(departed.len() == 1 || departed.is_empty() && old.lease != Lease::None);
                for departed in departed {
                    assert_eq!(departed.reason, Departure::Expired);
                    assert_eq!(Seen::from(&departed.record), old.seen());
                }
            }
            _ => panic!("create gave {creation:?} over {old:?}"),
        }
        self.records.insert(sample.key, Held::new(&sample));
    }

    async fn commit(&mut self, store: &dyn Store, key: u8, stale: bool, draw: &Draw) {
        let (key, now) = (self.key(key), self.now);
        let live = self.records.get_mut(&key).filter(|held| held.is_live(now));
        let created = live.as_ref().map_or(now, |held| held.record.created());
        let newest = live.as_ref().map_or(0, |held| held.record.revision());
        let mut sample = draw.sample(key, created, now);
        sample.revision = newest.wrapping_add(1);
        // No commit that is dead on arrival.
        sample.unconfirmed_timeout = None;
        let expected = if stale { newest ^ 2 } else { newest };
        match (done("commit", store.commit(expected, sample.record(), now).await), live) {
            (Commit::Gone, None) => {}
            (Commit::Conflict(found), Some(held)) if stale => assert_eq!(Seen::from(&found), held.seen()),
            (Commit::Landed(departed), Some(held)) if !stale && departed.is_empty() => held.replace(&sample),
            (commit, live) => panic!("commit gave {commit:?} over {live:?}"),
        }
    }

    async fn touch(&mut self, store: &dyn Store, key: u8, ago: u64, confirmed: bool) {
        let (key, now) = (self.key(key), self.now);
        let live = self.records.get_mut(&key).filter(|held| held.is_live(now));
        // A touch from before its time is tried on live records alone: a dead one it might have met
        // alive.
        let ago = if live.is_some() { ago } else { 0 };
        let last_accessed = Timestamp::from_millis(now.as_millis() - ago);
        let activity = Activity { last_accessed, confirmed };
        done("touch", store.touch(&key, activity).await);
        if let Some(held) = live {
            held.record.touch(activity);
        }
    }

    async fn remove(&mut self, store: &dyn Store, key: u8) {
        let (key, now) = (self.key(key), self.now);
        let removed = done("remove", store.remove(&key, now).await);
        assert_eq!(removed.as_ref().map(Seen::from), self.live(&key).map(Held::seen));
        if removed.is_some() {
            self.records.remove(&key);
        }
    }

    async fn bump(&mut self, store: &dyn Store, namespace: usize, principal: usize) {
        let (namespace, principal) = (self.namespaces[namespace], PRINCIPALS[principal]);
        let epoch = self.epochs.entry((namespace, principal)).or_default();
        *epoch += 1;
        assert_eq!(done("bump_epoch", store.bump_epoch(namespace, principal).await), *epoch);
    }

    /// Claims may be late, and never early; whether one was complete tells `more`.
    async fn claim(&mut self, store: &dyn Store, namespace: usize, limit: usize, lease_until: Timestamp) {
        let (namespace, now) = (self.namespaces[namespace], self.now);
        let claim = done("claim_expired", store.claim_expired(namespace, now, lease_until, limit).await);
        assert!(claim.records.len() <= limit, "claimed {} of {limit}", claim.records.len());
        for record in &claim.records {
            let held = self.records.get_mut(record.key()).filter(|_| record.key().namespace == namespace);
            let held = held.unwrap_or_else(|| panic!("claimed {record:?}, which is not kept there"));
            assert!(held.may_be_claimed(now), "claimed {held:?}");
            assert_eq!(Seen::from(record), held.seen());
            held.lease = Lease::Until(lease_until);
        }
        if !claim.more {
            let ours = self.records.values().filter(|held| held.record.key().namespace == namespace);
            let missed: Vec<_> = ours.filter(|held| held.must_be_claimed(now)).collect();
            assert!(missed.is_empty(), "there was more: {missed:?}");
        }
        self.claimed.extend(claim.records);
    }

    /// Settles what was claimed but for the first few, again and again.
    async fn settle(&mut self, store: &dyn Store, skip: usize) {
        let settled: Vec<_> = self.claimed.iter().skip(skip).cloned().collect();
        for record in &settled {
            let same = |held: &Held| held.record.revision() == record.revision();
            if self.records.get(record.key()).is_some_and(same) {
                self.records.remove(record.key());
            }
        }
        done("settle", store.settle(settled).await);
    }

    fn live(&self, key: &Key) -> Option<&Held> {
        self.records.get(key).filter(|held| held.is_live(self.now))
    }

    /// In the order of their locators.
    fn living(&self, namespace: Namespace) -> impl Iterator<Item = &Held> {
        let ours = move |held: &&Held| held.record.key().namespace == namespace;
        self.records.values().filter(ours).filter(|held| held.is_live(self.now))
    }

    /// One of eight keys, so that steps meet.
    fn key(&self, number: u8) -> Key {
        let namespace = self.namespaces[usize::from(number) % 2];
        let locator = [[0; 16], [0x7f; 16], [0x80; 16], [0xff; 16]][usize::from(number) / 2 % 4];
        Key { namespace, locator: Locator::from_bytes(locator) }
    }
}
