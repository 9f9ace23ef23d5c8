//! Any row of calls to the memory store beside a plain map: every answer is the map's.

#![no_main]

use std::collections::BTreeMap;
use std::time::Duration;

use arbitrary::Arbitrary;
use coatroom::store::{Commit, Creation, MemoryStore, Store};
use coatroom::{Activity, Key, Locator, Namespace, Record, Timestamp, Wait};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Load(u8),
    Create { at: u8, revision: u8, lifetime: u8, idle: u8, principal: Option<bool> },
    Commit { at: u8, expected: u8, revision: u8, lifetime: u8, idle: u8, principal: Option<bool> },
    Touch(u8),
    Remove(u8),
    Page { limit: u8 },
    Count,
    OfPrincipal(bool),
    BumpEpoch(bool),
    Advance(u8),
    Sweep { settles: bool },
}

/// What must be true of the store: records by key, dead ones too until they are swept or replaced.
#[derive(Default)]
struct Model {
    records: BTreeMap<Key, Record>,
    epochs: [u64; 2],
    now: u64,
}

/// Few keys, so that calls meet; two namespaces.
fn key(at: u8) -> Key {
    Key { namespace: namespace(at), locator: Locator::from_bytes([at % 8 * 16 + at % 8; 16]) }
}

fn namespace(at: u8) -> Namespace {
    Namespace::from_bytes([at / 8 % 2; 8])
}

fn name(principal: bool) -> &'static str {
    if principal { "alice" } else { "bob" }
}

impl Model {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000 + self.now)
    }

    /// A record as `docs/format.md` says it is written.
    fn record(&self, at: u8, revision: u8, lifetime: u8, idle: u8, principal: Option<bool>) -> Record {
        let now = self.now().as_millis();
        let extension = principal.map_or(Vec::new(), |principal| {
            let body = [&[0; 8], name(principal).as_bytes()].concat();
            [&1_u16.to_le_bytes()[..], &(body.len() as u16).to_le_bytes(), &body].concat()
        });
        let mut bytes = vec![0; 88];
        bytes[0] = 1;
        bytes[6..8].copy_from_slice(&(extension.len() as u16).to_le_bytes());
        bytes[8..16].copy_from_slice(&u64::from(revision).to_le_bytes());
        bytes[24..32].copy_from_slice(&now.to_le_bytes());
        bytes[32..40].copy_from_slice(&(now + 1 + u64::from(lifetime) * 1_000).to_le_bytes());
        bytes[40..48].copy_from_slice(&(1 + u64::from(idle) * 1_000).to_le_bytes());
        bytes.extend_from_slice(&extension);
        Record::decode(key(at), self.active(), &bytes).expect("a record by the book")
    }

    fn active(&self) -> Activity {
        Activity { last_accessed: self.now(), confirmed: true }
    }

    fn live(&self, key: &Key) -> Option<&Record> {
        self.records.get(key).filter(|record| record.is_live(self.now()))
    }

    fn all_live(&self, namespace: Namespace) -> Vec<&Record> {
        let of_it = self.records.values().filter(|record| record.key().namespace == namespace);
        of_it.filter(|record| record.is_live(self.now())).collect()
    }
}

/// A copy that shares no activity with the record that the store has.
fn copy(record: &Record) -> Record {
    Record::decode(*record.key(), record.activity(), record.bytes()).expect("it was a record before")
}

fn same(a: &Record, b: &Record) -> bool {
    a.key() == b.key() && a.bytes() == b.bytes() && a.activity() == b.activity()
}

fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by_key(|record| *record.key());
    records
}

fn check(found: &[Record], expected: &[&Record]) {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(|(found, expected)| same(found, expected)));
}

fn step(store: &MemoryStore, model: &mut Model, step: Step) {
    let now = model.now();
    match step {
        Step::Load(at) => {
            let found = store.load(&key(at), now).wait().expect("loads");
            check(&found.into_iter().collect::<Vec<_>>(), &model.live(&key(at)).into_iter().collect::<Vec<_>>());
        }
        Step::Create { at, revision, lifetime, idle, principal } => {
            let record = model.record(at, revision, lifetime, idle, principal);
            match store.create(copy(&record), now).wait().expect("creates") {
                Creation::Exists => assert!(model.live(&key(at)).is_some()),
                Creation::Created(_) => {
                    assert!(model.live(&key(at)).is_none());
                    model.records.insert(key(at), record);
                }
            }
        }
        Step::Commit { at, expected, revision, lifetime, idle, principal } => {
            let record = model.record(at, revision, lifetime, idle, principal);
            let known = model.live(&key(at)).cloned();
            match (store.commit(expected.into(), copy(&record), now).wait().expect("commits"), known) {
                (Commit::Gone, known) => assert!(known.is_none()),
                (Commit::Conflict(newest), Some(known)) => {
                    assert!(same(&newest, &known) && known.revision() != u64::from(expected));
                }
                (Commit::Landed(_), Some(known)) => {
                    assert_eq!(known.revision(), u64::from(expected));
                    record.touch(known.activity());
                    model.records.insert(key(at), record);
                }
                (_, None) => panic!("a commit met a record that is not there"),
            }
        }
        Step::Touch(at) => {
            store.touch(&key(at), model.active()).wait().expect("touches");
            if let Some(record) = model.live(&key(at)) {
                record.touch(model.active());
            }
        }
        Step::Remove(at) => {
            let found = store.remove(&key(at), now).wait().expect("removes");
            let known = model.live(&key(at)).map(copy);
            check(&found.into_iter().collect::<Vec<_>>(), &known.iter().collect::<Vec<_>>());
            if known.is_some() {
                model.records.remove(&key(at));
            }
        }
        Step::Page { limit } => {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = store.page(namespace(0), after, usize::from(limit % 4) + 1, now).wait().expect("pages");
                found.extend(page.records);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            check(&found, &model.all_live(namespace(0)));
        }
        Step::Count => {
            let count = store.count(namespace(8), now).wait().expect("counts");
            assert_eq!(count, model.all_live(namespace(8)).len() as u64);
        }
        Step::OfPrincipal(principal) => {
            let found = store.of_principal(namespace(0), name(principal), now).wait().expect("finds");
            let mut known = model.all_live(namespace(0));
            known.retain(|record| record.principal() == Some(name(principal)));
            check(&sorted(found), &known);
        }
        Step::BumpEpoch(principal) => {
            let epoch = &mut model.epochs[usize::from(principal)];
            *epoch += 1;
            assert_eq!(store.bump_epoch(namespace(0), name(principal)).wait().expect("bumps"), *epoch);
            assert_eq!(store.epoch(namespace(0), name(principal)).wait().expect("answers"), *epoch);
        }
        Step::Advance(seconds) => model.now += u64::from(seconds) * 1_000,
        Step::Sweep { settles } => sweep(store, model, settles),
    }
}

/// What is claimed is dead, and was reported to nobody before. What is not settled stays dead.
fn sweep(store: &MemoryStore, model: &mut Model, settles: bool) {
    let (now, lease) = (model.now(), model.now() + Duration::from_secs(60));
    let claim = store.claim_expired(namespace(0), now, lease, 3).wait().expect("claims");
    assert!(claim.records.len() <= 3);
    for record in &claim.records {
        let known = model.records.get(record.key()).expect("only what there was is claimed");
        assert!(record.bytes() == known.bytes() && !known.is_live(now), "only the dead are claimed");
    }
    if settles {
        claim.records.iter().for_each(|record| drop(model.records.remove(record.key())));
        store.settle(claim.records).wait().expect("settles");
    }
}

fuzz_target!(|steps: Vec<Step>| {
    let (store, mut model) = (MemoryStore::new(), Model::default());
    steps.into_iter().for_each(|next| step(&store, &mut model, next));
});
