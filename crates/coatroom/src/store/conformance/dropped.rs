//! "A future that is dropped leaves the record as before or as after, never between": dropped
//! unpolled, and after one poll and two.

use std::pin::Pin;
use std::task::{Context, Waker};

use super::scene::{HOUR, LATENESS, START, Sample, Scene, Seen};
use crate::store::{Commit, Store, StoreFuture};

const POLLS: [usize; 3] = [0, 1, 2];

/// There is no record, or the whole one; another create then has its one outcome.
pub async fn a_dropped_create_leaves_nothing_or_the_record(store: &dyn Store) {
    let scene = Scene::new(store);
    for polls in POLLS {
        let sample = scene.sample();
        drop_after(polls, store.create(sample.record(), START));
        assert_one_of(&scene, &sample, &[None, Some(Seen::from(&sample))]).await;
        scene.create(&sample, START).await;
        scene.assert_holds(&sample, START).await;
        scene.replace(&sample, &sample.next(), START).await;
    }
}

/// The record is the former one or the next one, whole; a repeated commit then lands.
pub async fn a_dropped_commit_leaves_the_former_record_or_the_next(store: &dyn Store) {
    let scene = Scene::new(store);
    for polls in POLLS {
        let sample = scene.sample().with_principal("alice");
        let next = sample.next().with_principal("bob");
        scene.put(&sample).await;
        drop_after(polls, store.commit(sample.revision, next.record(), START));
        let either = [Some(Seen::from(&sample)), Some(Seen::from(&next))];
        assert_one_of(&scene, &sample, &either).await;
        let last = Sample { revision: next.revision.wrapping_add(1), ..next.clone() };
        let mut expected = sample.revision;
        while let Commit::Conflict(newest) = scene.commit(expected, &last, START).await {
            assert!(either.contains(&Some(Seen::from(&newest))), "a commit left {newest:?}");
            expected = newest.revision();
        }
        scene.assert_holds(&last, START).await;
    }
}

/// The activity is the former one or the next one, and nothing else has moved.
pub async fn a_dropped_touch_leaves_the_former_activity_or_the_next(store: &dyn Store) {
    let scene = Scene::new(store);
    for polls in POLLS {
        let sample = scene.sample();
        let touched = sample.clone().accessed(START + LATENESS);
        scene.put(&sample).await;
        drop_after(polls, store.touch(&sample.key, touched.activity));
        let either = [Some(Seen::from(&sample)), Some(Seen::from(&touched))];
        assert_one_of(&scene, &sample, &either).await;
        scene.touch(&sample.key, touched.activity.last_accessed, true).await;
        scene.assert_holds(&touched, START + LATENESS).await;
    }
}

/// The record is whole or gone; another remove leaves it gone.
pub async fn a_dropped_remove_leaves_the_record_or_nothing(store: &dyn Store) {
    let scene = Scene::new(store);
    for polls in POLLS {
        let sample = scene.sample();
        scene.put(&sample).await;
        drop_after(polls, store.remove(&sample.key, START));
        assert_one_of(&scene, &sample, &[Some(Seen::from(&sample)), None]).await;
        scene.remove(&sample.key, START).await;
        scene.assert_absent(&sample.key, START).await;
    }
    assert_eq!(scene.count(START).await, 0);
}

/// The epoch is the former one or the next one.
pub async fn a_dropped_bump_raises_by_one_or_not_at_all(store: &dyn Store) {
    let scene = Scene::new(store);
    for polls in POLLS {
        let before = scene.bump("alice").await;
        drop_after(polls, store.bump_epoch(scene.namespace, "alice"));
        let after = scene.epoch("alice").await;
        assert!((before..=before + 1).contains(&after), "the epoch went from {before} to {after}");
    }
}

/// What a claim took and never handed over comes again, at the latest after its lease.
pub async fn a_dropped_claim_loses_no_record(store: &dyn Store) {
    for polls in POLLS {
        let scene = Scene::new(store);
        let sample = scene.sample();
        scene.put(&sample).await;
        let now = sample.expires_at() + LATENESS;
        drop_after(polls, store.claim_expired(scene.namespace, now, now + HOUR, 10));
        let mut found = scene.claim(now, 10).await;
        found.extend(scene.claim(now + HOUR + LATENESS, 10).await);
        let found: Vec<_> = found.iter().map(Seen::from).collect();
        // Once, or twice where the lease of the first of the two claims has passed.
        assert!(!found.is_empty() && found.iter().all(|found| *found == Seen::from(&sample)));
    }
}

/// A claimed record is there, to come again, or gone; settling it again is fine.
pub async fn a_dropped_settle_can_be_repeated(store: &dyn Store) {
    for polls in POLLS {
        let scene = Scene::new(store);
        let sample = scene.sample();
        scene.put(&sample).await;
        let now = sample.expires_at() + LATENESS;
        let claimed = scene.claim(now, 10).await;
        drop_after(polls, store.settle(claimed.clone()));
        scene.settle(claimed).await;
        assert!(scene.claim(now + HOUR + LATENESS, 10).await.is_empty());
    }
}

/// Reads that are dropped change nothing, and what comes after them is answered.
pub async fn dropped_reads_change_nothing(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample().with_principal("alice");
    scene.put(&sample).await;
    for polls in POLLS {
        drop_after(polls, store.load(&sample.key, START));
        drop_after(polls, store.page(scene.namespace, None, 10, START));
        drop_after(polls, store.count(scene.namespace, START));
        drop_after(polls, store.of_principal(scene.namespace, "alice", START));
        drop_after(polls, store.epoch(scene.namespace, "alice"));
        drop_after(polls, store.check());
        drop_after(polls, store.flush());
        scene.assert_holds(&sample, START).await;
        assert_eq!(scene.count(START).await, 1);
    }
}

/// Work that was begun may complete behind a drop, so several looks.
async fn assert_one_of(scene: &Scene<'_>, sample: &Sample, either: &[Option<Seen>; 2]) {
    for _ in 0..10 {
        let found = scene.load(&sample.key, START).await.as_ref().map(Seen::from);
        assert!(either.contains(&found), "found {found:?}, neither before nor after of {either:?}");
    }
}

fn drop_after<T: Unpin>(polls: usize, mut future: StoreFuture<T>) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if Pin::new(&mut future).poll(&mut cx).is_ready() {
            return;
        }
    }
}
