mod at_hand;
mod budget;
mod eviction;

use std::time::Duration;

use super::*;
use crate::error::StoreError;
use crate::record::{Draft, Extensions, HashAlgorithm, Header};
use crate::store::{Departed, Departure};

const IDLE: Duration = Duration::from_secs(1_200);
const UNCONFIRMED: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);

/// What differs between the records of these tests.
#[derive(Clone, Copy)]
struct Made<'a> {
    locator: [u8; 2],
    revision: u64,
    at: Timestamp,
    idle: Duration,
    confirmed: bool,
    unconfirmed: Option<Duration>,
    principal: Option<&'a str>,
    bytes: usize,
}

const ONE: Made<'_> = Made {
    locator: [1, 1],
    revision: 1,
    at: START,
    idle: IDLE,
    confirmed: true,
    unconfirmed: Some(UNCONFIRMED),
    principal: None,
    bytes: 8,
};
const START: Timestamp = Timestamp::from_millis(1_893_456_000_000);

impl Made<'_> {
    fn record(&self) -> Record {
        let header = Header {
            persistent: false,
            algorithm: HashAlgorithm::Sha256,
            revision: self.revision,
            generation: 0,
            unconfirmed_timeout: self.unconfirmed,
            created: self.at,
            deadline: Timestamp::NEVER,
            idle_timeout: self.idle,
            nonce: 0,
            secret_hash: [0; 32],
            renewal: None,
        };
        let value = vec![0; self.bytes];
        let value = crate::RawValue { format: crate::ValueFormat::MESSAGE_PACK, bytes: &value };
        let extensions = Extensions::new(&[]).with_principal(self.principal.map(|name| (0, name)));
        let edits = [crate::record::AttributeEdit { name: "value", value: Some(value) }];
        Draft {
            key: self.key(),
            activity: Activity { last_accessed: self.at, confirmed: self.confirmed },
            header: crate::record::HeaderEdit::Whole(&header),
            extensions: &extensions,
            base: None,
            edits: &edits,
        }
        .assemble()
        .unwrap()
    }

    fn key(&self) -> Key {
        let mut locator = [0; 16];
        locator[..2].copy_from_slice(&self.locator);
        Key { namespace: namespace(), locator: Locator::from_bytes(locator) }
    }
}

fn namespace() -> Namespace {
    Namespace::new("test")
}

fn now<T: Unpin>(answer: StoreFuture<T>) -> T {
    pollster::block_on(answer).unwrap()
}

#[track_caller]
fn create(store: &MemoryStore, made: Made<'_>) -> Vec<Departed> {
    match now(store.create(made.record(), made.at)) {
        Creation::Created(departed) => departed,
        Creation::Exists => panic!("there is a live record"),
    }
}

fn claim(store: &MemoryStore, at: Timestamp, limit: usize) -> Claim {
    now(store.claim_expired(namespace(), at, at + 60 * SECOND, limit))
}

fn names(store: &MemoryStore, principal: &str) -> usize {
    now(store.of_principal(namespace(), principal, START)).len()
}

#[test]
fn create_keeps_what_is_alive() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let again = Made { revision: 9, ..ONE }.record();
    assert!(matches!(now(store.create(again, START)), Creation::Exists));
    assert_eq!(now(store.load(&ONE.key(), START)).unwrap().revision(), 1);
}

#[test]
fn create_over_a_dead_record_reports_it_once() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let departed = create(&store, Made { at: START + IDLE, revision: 2, ..ONE });
    assert_eq!((departed.len(), departed[0].reason), (1, Departure::Expired));
    let claimed = claim(&store, START + 2 * IDLE + 5 * SECOND, 9);
    assert_eq!(claimed.records.len(), 1);
    assert!(create(&store, Made { at: START + 3 * IDLE, revision: 3, ..ONE }).is_empty());
}

#[test]
fn a_commit_must_name_the_revision_it_replaces() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let second = Made { revision: 2, ..ONE };
    assert!(matches!(now(store.commit(1, second.record(), START)), Commit::Landed(_)));
    match now(store.commit(1, Made { revision: 3, ..ONE }.record(), START)) {
        Commit::Conflict(newest) => assert_eq!(newest.revision(), 2),
        other => panic!("{other:?}"),
    }
    assert!(matches!(now(store.commit(2, second.record(), START + IDLE)), Commit::Gone));
    let absent = Made { locator: [2, 2], ..ONE };
    assert!(matches!(now(store.commit(1, absent.record(), START)), Commit::Gone));
}

#[test]
fn a_commit_never_moves_the_activity_back() {
    let store = MemoryStore::new();
    create(&store, Made { confirmed: false, ..ONE });
    let activity = Activity { last_accessed: START + SECOND, confirmed: true };
    now(store.touch(&ONE.key(), activity));
    now(store.commit(1, Made { revision: 2, confirmed: false, ..ONE }.record(), START));
    assert_eq!(now(store.load(&ONE.key(), START)).unwrap().activity(), activity);
}

#[test]
fn nothing_revives_a_record_whose_expiry_is_being_reported() {
    let store = MemoryStore::new();
    create(&store, ONE);
    assert_eq!(claim(&store, START + IDLE + 5 * SECOND, 9).records.len(), 1);
    let late = Activity { last_accessed: START + (IDLE - SECOND), confirmed: true };
    now(store.touch(&ONE.key(), late));
    assert!(now(store.load(&ONE.key(), late.last_accessed)).is_none());
    assert!(matches!(now(store.commit(1, ONE.record(), late.last_accessed)), Commit::Gone));
    assert!(now(store.remove(&ONE.key(), late.last_accessed)).is_none());
}

#[test]
fn a_record_that_was_reported_may_be_created_again() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let claimed = claim(&store, START + IDLE + 5 * SECOND, 9).records;
    now(store.settle(claimed.clone()));
    assert!(matches!(now(store.create(claimed[0].clone(), START)), Creation::Created(_)));
    assert!(now(store.load(&ONE.key(), START)).is_some());
}

#[test]
fn a_touched_record_is_claimed_when_its_time_has_come() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let later = START + IDLE / 2;
    now(store.touch(&ONE.key(), Activity { last_accessed: later, confirmed: true }));
    assert!(claim(&store, START + IDLE + 5 * SECOND, 9).records.is_empty());
    assert_eq!(claim(&store, later + IDLE + 5 * SECOND, 9).records.len(), 1);
}

#[test]
fn a_commit_that_shortens_the_life_is_noticed_in_time() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let shorter = Made { revision: 2, idle: 60 * SECOND, ..ONE };
    assert!(commit(&store, shorter).is_empty());
    assert_eq!(claim(&store, START + 65 * SECOND, 9).records.len(), 1);
    assert!(claim(&store, START + IDLE + 5 * SECOND, 9).records.len() == 1, "the lease has ended");
}

#[test]
fn a_claim_comes_again_when_its_lease_has_ended() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let at = START + IDLE + 5 * SECOND;
    assert_eq!(claim(&store, at, 9).records.len(), 1);
    assert!(claim(&store, at + 59 * SECOND, 9).records.is_empty());
    let again = claim(&store, at + 60 * SECOND, 9);
    assert_eq!((again.records.len(), again.more), (1, false));
    now(store.settle(again.records.clone()));
    now(store.settle(again.records));
    assert!(claim(&store, at + 999 * SECOND, 9).records.is_empty());
    assert_eq!(store.0.budget.used(), 0);
}

#[test]
fn settling_leaves_what_was_created_anew() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let at = START + IDLE + 5 * SECOND;
    let claimed = claim(&store, at, 9).records;
    create(&store, Made { revision: 2, at, ..ONE });
    now(store.settle(claimed));
    assert!(now(store.load(&ONE.key(), at)).is_some());
    assert!(claim(&store, at + 61 * SECOND, 9).records.is_empty());
    assert_eq!(claim(&store, at + IDLE + 5 * SECOND, 9).records.len(), 1);
}

#[test]
fn claims_are_bounded_and_say_when_there_is_more() {
    let store = MemoryStore::new();
    for number in 1..=255 {
        create(&store, Made { locator: [number, 0], ..ONE });
        create(&store, Made { locator: [7, number], ..ONE });
    }
    let at = START + IDLE + 5 * SECOND;
    let mut taken = 0;
    loop {
        let claim = claim(&store, at, 100);
        assert!(claim.records.len() <= 100);
        taken += claim.records.len();
        if !claim.more {
            break;
        }
    }
    assert_eq!(taken, 510);
    assert_eq!(now(store.count(namespace(), START)), 0);
}

#[test]
fn a_crowd_in_one_shard_does_not_keep_claims_from_the_others() {
    let store = MemoryStore::new();
    (0..10).for_each(|number| drop(create(&store, Made { locator: [0, number], ..ONE })));
    create(&store, Made { locator: [200, 0], ..ONE });
    let at = START + IDLE + 5 * SECOND;
    let shards = [(), ()].map(|()| claim(&store, at, 1).records[0].key().locator.as_bytes()[0]);
    assert_eq!(shards, [0, 200]);
}

#[test]
fn pages_list_each_record_once_in_order() {
    let store = MemoryStore::new();
    let mut kept = Vec::new();
    for number in 0..100 {
        let made = Made { locator: [number / 7 * 3, number], ..ONE };
        create(&store, made);
        kept.push(made.key().locator);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = now(store.page(namespace(), after, 9, START));
        seen.extend(page.records.iter().map(|record| record.key().locator));
        after = page.next;
        if after.is_none() {
            break;
        }
        assert_eq!(page.records.len(), 9);
    }
    assert_eq!(seen, kept);
    assert_eq!(now(store.count(namespace(), START)), 100);
    assert!(now(store.page(namespace(), None, 100, START)).next.is_none());
    assert!(now(store.page(Namespace::new("other"), None, 9, START)).records.is_empty());
}

#[test]
fn a_principal_has_the_records_that_name_it() {
    let store = MemoryStore::new();
    create(&store, Made { principal: Some("alice"), ..ONE });
    create(&store, Made { principal: Some("alice"), locator: [2, 2], ..ONE });
    assert_eq!((names(&store, "alice"), names(&store, "bob")), (2, 0));
    now(store.commit(1, Made { principal: Some("bob"), revision: 2, ..ONE }.record(), START));
    assert_eq!((names(&store, "alice"), names(&store, "bob")), (1, 1));
    now(store.commit(2, Made { revision: 3, ..ONE }.record(), START));
    now(store.remove(&Made { locator: [2, 2], ..ONE }.key(), START));
    assert_eq!((names(&store, "alice"), names(&store, "bob")), (0, 0));
}

/// Between a look at the index and one at the record, it may have come to belong to somebody else.
#[test]
fn whose_a_record_is_is_told_by_the_record() {
    let store = MemoryStore::new();
    create(&store, Made { principal: Some("bob"), ..ONE });
    store.0.principals.add(&Made { principal: Some("alice"), ..ONE }.record());
    assert_eq!((names(&store, "alice"), names(&store, "bob")), (0, 1));
}

#[test]
fn epochs_rise_one_by_one_and_outlive_the_records() {
    let store = MemoryStore::new();
    create(&store, Made { principal: Some("alice"), ..ONE });
    assert_eq!(now(store.epoch(namespace(), "alice")), 0);
    assert_eq!(now(store.bump_epoch(namespace(), "alice")), 1);
    now(store.remove(&ONE.key(), START));
    assert_eq!(now(store.bump_epoch(namespace(), "alice")), 2);
    assert_eq!(now(store.epoch(namespace(), "alice")), 2);
    assert_eq!(now(store.epoch(Namespace::new("other"), "alice")), 0);
}

#[test]
fn creating_and_ending_one_keyed_session_over_and_over_piles_nothing_up() {
    let store = MemoryStore::new();
    for revision in 0..10_000 {
        create(&store, Made { revision, ..ONE });
        now(store.remove(&ONE.key(), START));
    }
    store.0.shards.with(&ONE.key().locator, |shard| assert!(shard.slices.len() < 2_000));
}

#[test]
fn a_record_stays_filed_while_the_filings_of_others_are_dropped() {
    let store = MemoryStore::new();
    for revision in 0..3_000 {
        create(&store, Made { revision, ..ONE });
        let due = |shard: &mut shards::Shard<Record>| shard.slices.has_due(namespace(), START + 2 * IDLE);
        assert!(store.0.shards.with(&ONE.key().locator, due));
        now(store.remove(&ONE.key(), START));
    }
}

#[test]
fn of_parallel_commits_of_one_revision_exactly_one_lands() {
    let store = MemoryStore::new();
    create(&store, Made { revision: 0, ..ONE });
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    raise(&store);
                }
            });
        }
    });
    assert_eq!(now(store.load(&ONE.key(), START)).unwrap().revision(), 4_000);
}

/// Commits one revision more, however often it takes.
fn raise(store: &MemoryStore) {
    loop {
        let expected = now(store.load(&ONE.key(), START)).unwrap().revision();
        let next = Made { revision: expected + 1, ..ONE }.record();
        if matches!(now(store.commit(expected, next, START)), Commit::Landed(_)) {
            return;
        }
    }
}

fn commit(store: &MemoryStore, made: Made<'_>) -> Vec<Departed> {
    match now(store.commit(made.revision - 1, made.record(), made.at)) {
        Commit::Landed(departed) => departed,
        other => panic!("{other:?}"),
    }
}

/// What a record counts for.
fn budget_of(made: Made<'_>) -> usize {
    let store = MemoryStore::new();
    create(&store, made);
    store.0.budget.used()
}
