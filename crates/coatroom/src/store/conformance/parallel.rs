//! Many at once: threads on one store.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pollster::block_on;

use super::scene::{LATENESS, START, Sample, Scene, Seen, done, locators, sorted};
use crate::record::Record;
use crate::store::{Commit, Store};

const THREADS: usize = 8;
const ROUNDS: usize = 20;

/// "Of any number of parallel creates of one key exactly one is `Created`", and that one is kept.
pub async fn exactly_one_of_many_creates_is_created(store: &dyn Store) {
    let scene = Scene::new(store);
    for _ in 0..ROUNDS {
        let key = scene.key();
        let created = at_once(|_| {
            let sample = Sample::new(key);
            block_on(scene.create(&sample, START)).map(|_| sample)
        });
        let [created] = &created.into_iter().flatten().collect::<Vec<_>>()[..] else {
            panic!("exactly one of {THREADS} creates of one key is created")
        };
        scene.assert_holds(created, START).await;
    }
    assert_eq!(scene.count(START).await, ROUNDS as u64);
}

/// The same over a dead record: one takes its place and reports it, once.
pub async fn exactly_one_of_many_creates_takes_the_place_of_a_dead_record(store: &dyn Store) {
    let scene = Scene::new(store);
    for _ in 0..ROUNDS {
        let sample = scene.sample();
        scene.put(&sample).await;
        let dead = sample.expires_at();
        let departed = at_once(|_| block_on(scene.create(&Sample::new(sample.key).accessed(dead), dead)));
        let departed: Vec<_> = departed.into_iter().flatten().collect();
        assert_eq!(departed.len(), 1, "exactly one of {THREADS} creates over a dead record is created");
        assert_eq!(departed[0].len(), 1, "the dead record is reported once");
    }
}

/// "Of any number of parallel commits that expect one revision exactly one lands", and the others
/// are shown it.
pub async fn exactly_one_of_many_commits_lands(store: &dyn Store) {
    let scene = Scene::new(store);
    for _ in 0..ROUNDS {
        let sample = scene.sample();
        scene.put(&sample).await;
        let commits = at_once(|_| {
            let next = sample.next();
            (block_on(scene.commit(sample.revision, &next, START)), next)
        });
        let landed: Vec<_> =
            commits.iter().filter(|(commit, _)| matches!(commit, Commit::Landed(_))).collect();
        assert_eq!(landed.len(), 1, "exactly one of {THREADS} commits of one revision lands");
        let (_, winner) = landed[0];
        scene.assert_holds(winner, START).await;
        for (commit, _) in &commits {
            if let Commit::Conflict(newest) = commit {
                assert_eq!(Seen::from(newest), Seen::from(winner));
            }
        }
    }
}

/// No compare-and-set that landed is lost: a counter comes out right.
pub async fn parallel_increments_lose_nothing(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample().with_value(0_u64.to_le_bytes().to_vec());
    scene.put(&sample).await;
    at_once(|_| (0..INCREMENTS).for_each(|_| block_on(increment(&scene, &sample))));
    let found = scene.load(&sample.key, START).await.expect("the counter is there");
    assert_eq!(counter(&found), THREADS as u64 * INCREMENTS);
    assert_eq!(found.revision(), sample.revision.wrapping_add(THREADS as u64 * INCREMENTS));
}

/// Nor do touches in between lose a commit, or commits a touch.
pub async fn parallel_touches_and_commits_lose_neither(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample().with_value(0_u64.to_le_bytes().to_vec());
    scene.put(&sample).await;
    at_once(|thread| {
        for n in 1..=INCREMENTS {
            let millis = Duration::from_millis(n * THREADS as u64 + thread as u64);
            block_on(scene.touch(&sample.key, START + millis, true));
            block_on(increment(&scene, &sample));
            let at = block_on(scene.load(&sample.key, START)).map(|found| found.activity().last_accessed);
            assert!(at >= Some(START + millis), "a touch was lost, or taken back by a commit");
        }
    });
    let found = scene.load(&sample.key, START).await.expect("the counter is there");
    assert_eq!(counter(&found), THREADS as u64 * INCREMENTS);
}

/// A reader sees a record as some commit wrote it, never parts of two, and never an older one after
/// a newer one.
pub async fn readers_never_see_a_torn_record(store: &dyn Store) {
    let scene = Scene::new(store);
    let first = striped(Sample { revision: 0, ..scene.sample() });
    scene.put(&first).await;
    let writing = AtomicBool::new(true);
    at_once(|thread| {
        if thread == 0 {
            let mut sample = first.clone();
            for _ in 0..200 {
                let next = striped(sample.next());
                block_on(scene.replace(&sample, &next, START));
                sample = next;
            }
            writing.store(false, Ordering::Release);
        } else {
            let mut newest = 0;
            while writing.load(Ordering::Acquire) {
                let found = block_on(scene.load(&first.key, START)).expect("it is always there");
                assert!(found.revision() >= newest, "an older record after a newer one");
                newest = found.revision();
                assert!(is_striped(&found), "a torn record of revision {newest}");
            }
        }
    });
}

/// Of any number of parallel removes of one key exactly one returns the record.
pub async fn exactly_one_of_many_removes_returns_the_record(store: &dyn Store) {
    let scene = Scene::new(store);
    for _ in 0..ROUNDS {
        let sample = scene.sample();
        scene.put(&sample).await;
        let removed = at_once(|_| block_on(scene.remove(&sample.key, START)));
        assert_eq!(removed.iter().flatten().count(), 1);
        scene.assert_absent(&sample.key, START).await;
    }
}

/// Commits and touches that race a remove never bring the record back.
pub async fn a_remove_racing_commits_and_touches_is_final(store: &dyn Store) {
    let scene = Scene::new(store);
    for round in 0..ROUNDS {
        let sample = scene.sample().with_value(0_u64.to_le_bytes().to_vec()).with_principal("alice");
        scene.put(&sample).await;
        let removed = AtomicBool::new(false);
        at_once(|thread| {
            if thread == 0 {
                (0..round).for_each(|_| block_on(increment(&scene, &sample)));
                assert!(block_on(scene.remove(&sample.key, START)).is_some(), "nobody else removed it");
                removed.store(true, Ordering::Release);
                (0..50).for_each(|_| block_on(scene.assert_absent(&sample.key, START)));
                return;
            }
            // One more try after the remove has completed.
            let mut last = false;
            while !last {
                last = removed.load(Ordering::Acquire);
                block_on(scene.touch(&sample.key, START, true));
                let landed = block_on(try_increment(&scene, &sample));
                assert!(!(last && landed), "a commit landed after the remove had completed");
            }
        });
        scene.assert_absent(&sample.key, START).await;
        assert_eq!(scene.count(START).await, 0);
        assert!(scene.of("alice", START).await.is_empty());
    }
}

/// A lease holds against claims at the same time: each dead record goes to one of them.
pub async fn parallel_claims_never_share_a_record(store: &dyn Store) {
    let scene = Scene::new(store);
    let samples: Vec<_> = (0..100).map(|_| scene.sample()).collect();
    scene.put_all(&samples).await;
    let now = samples[0].expires_at() + LATENESS;
    let claimed: Vec<_> = at_once(|_| block_on(scene.claim(now, 7))).into_iter().flatten().collect();
    let distinct: BTreeSet<_> = sorted(&claimed).into_iter().collect();
    assert_eq!(distinct.len(), claimed.len(), "a record was claimed twice at once");
    assert_eq!(sorted(&claimed), locators(&samples));
}

/// "Raises the epoch by one", each call, however many at once.
pub async fn parallel_bumps_all_count(store: &dyn Store) {
    let scene = Scene::new(store);
    let bumped = at_once(|_| (0..10).map(|_| block_on(scene.bump("alice"))).collect::<Vec<_>>());
    let distinct: BTreeSet<_> = bumped.into_iter().flatten().collect();
    assert_eq!(distinct, (1..=10 * THREADS as u64).collect());
    assert_eq!(scene.epoch("alice").await, 10 * THREADS as u64);
}

/// Records of one principal that come and go at once leave its index right.
pub async fn parallel_logins_leave_the_index_of_principals_right(store: &dyn Store) {
    let scene = Scene::new(store);
    let kept = at_once(|_| {
        let samples: Vec<_> = (0..10).map(|_| scene.sample().with_principal("alice")).collect();
        block_on(scene.put_all(&samples));
        for sample in &samples[5..] {
            block_on(scene.remove(&sample.key, START));
        }
        samples.into_iter().take(5).collect::<Vec<_>>()
    });
    assert_eq!(scene.of("alice", START).await, locators(kept.iter().flatten()));
    assert_eq!(scene.count(START).await, 5 * THREADS as u64);
}

const INCREMENTS: u64 = 25;

async fn increment(scene: &Scene<'_>, sample: &Sample) {
    while !try_increment(scene, sample).await {}
}

/// Loads, adds one, commits; whether that landed.
async fn try_increment(scene: &Scene<'_>, sample: &Sample) -> bool {
    let Some(found) = scene.load(&sample.key, START).await else { return false };
    let value = (counter(&found) + 1).to_le_bytes().to_vec();
    let next = Sample { revision: found.revision().wrapping_add(1), ..sample.clone() }.with_value(value);
    let commit = scene.store.commit(found.revision(), next.record(), START).await;
    matches!(done("commit", commit), Commit::Landed(_))
}

fn counter(record: &Record) -> u64 {
    let value = record.get("value").expect("the counter is kept").bytes;
    u64::from_le_bytes(value.try_into().expect("the counter has eight bytes"))
}

/// Every value tells the revision; sizes differ from one to the next.
fn striped(sample: Sample) -> Sample {
    let size = 1 + sample.revision as usize % 5 * 300;
    let value = sample.revision.to_le_bytes().repeat(size);
    let attributes = ["a", "b", "c"].map(|name| (name.to_owned(), value.clone())).to_vec();
    Sample { attributes, ..sample }
}

fn is_striped(record: &Record) -> bool {
    let expected = striped(Sample { revision: record.revision(), ..Sample::new(*record.key()) });
    let expected = expected.attributes.iter().map(|(name, value)| (name.as_str(), &value[..]));
    record.attributes_iter().map(|(name, value)| (name, value.bytes)).eq(expected)
}

/// Runs `work` on many threads that start together.
pub(super) fn at_once<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    let (start, work) = (&start, &work);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    start.wait();
                    work(thread)
                })
            })
            .collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|joined| joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
