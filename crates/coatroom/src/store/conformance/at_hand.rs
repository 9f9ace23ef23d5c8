//! What a store can do without waiting. It may always say that it cannot.

use std::time::Duration;

use super::parallel::at_once;
use super::scene::{HOUR, LATENESS, MINUTE, START, Sample, Scene, Seen, just_before, locators, sorted};
use crate::store::Store;

/// "As `load`, where a live record is at hand": the same record, and never one that is not live.
pub async fn what_is_at_hand_is_what_load_gives(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    let dead = sample.expires_at();
    assert!(store.load_at_hand(&sample.key, START).is_none(), "nothing was created");
    scene.put(&sample).await;
    for now in [START, just_before(dead)] {
        let loaded = scene.load(&sample.key, now).await;
        if let Some(record) = store.load_at_hand(&sample.key, now) {
            assert_eq!(Some(Seen::from(&record)), loaded.as_ref().map(Seen::from));
        }
    }
    assert!(store.load_at_hand(&sample.key, dead).is_none(), "a dead record is as absent");
    scene.remove(&sample.key, START).await;
    assert!(store.load_at_hand(&sample.key, START).is_none(), "it was removed");
}

/// "As `commit`": what landed is what the commit would have left, the later activity included.
pub async fn a_commit_at_hand_is_a_commit(store: &dyn Store) {
    let scene = Scene::new(store);
    // Moments later too, of which an index of deadlines may know nothing.
    for now in [START + MINUTE, START + Duration::from_millis(1)] {
        let mut sample = scene.sample();
        scene.put(&sample).await;
        scene.touch(&sample.key, now, true).await;
        for round in 0..50 {
            let next = sample.next().with_principal(if round % 5 == 0 { "alice" } else { "bob" });
            if !store.commit_at_hand(sample.revision, &next.record(), now) {
                scene.replace(&sample, &next, now).await;
            }
            scene.assert_holds(&next.clone().accessed(now), now).await;
            let principal = next.principal.as_deref().unwrap_or_default();
            assert_eq!(scene.of(principal, now).await, [next.key.locator]);
            sample = next;
        }
        scene.remove(&sample.key, now).await;
    }
}

/// "Otherwise nothing was done": on another revision, on a dead record, and where there is none.
pub async fn a_commit_at_hand_replaces_the_expected_live_record_only(store: &dyn Store) {
    let scene = Scene::new(store);
    // Its value is as long as the next, else more than the revision may stand in the way.
    let sample = scene.sample().next();
    let next = sample.next();
    assert!(!store.commit_at_hand(sample.revision, &next.record(), START), "there is nothing");
    scene.assert_absent(&sample.key, START).await;
    scene.put(&sample).await;
    assert!(!store.commit_at_hand(sample.revision.wrapping_add(1), &next.record(), START), "a conflict");
    assert!(!store.commit_at_hand(sample.revision, &next.record(), sample.expires_at()), "it is dead");
    scene.assert_holds(&sample, START).await;
}

/// Of any number of parallel ones that expect one revision at most one lands, and stays.
pub async fn at_most_one_of_many_commits_at_hand_lands(store: &dyn Store) {
    let scene = Scene::new(store);
    for _ in 0..20 {
        let sample = scene.sample();
        scene.put(&sample).await;
        let landed = at_once(|_| {
            let next = sample.next();
            store.commit_at_hand(sample.revision, &next.record(), START).then_some(next)
        });
        let landed: Vec<_> = landed.into_iter().flatten().collect();
        assert!(landed.len() <= 1, "{} commits of one revision landed", landed.len());
        scene.assert_holds(landed.first().unwrap_or(&sample), START).await;
    }
}

/// "As `create`": what is kept is what the create would have left, to be claimed when it is dead.
pub async fn a_create_at_hand_is_a_create(store: &dyn Store) {
    let scene = Scene::new(store);
    let samples: Vec<_> = [1, 2, 3].into_iter().flat_map(|_| scene.mortals()).collect();
    let owned = scene.sample().with_principal("alice");
    for sample in samples.iter().chain([&owned]) {
        if !store.create_at_hand(&sample.record(), START) {
            scene.put(sample).await;
        }
        scene.assert_holds(sample, START).await;
    }
    assert_eq!(scene.count(START).await, 10);
    assert_eq!(scene.of("alice", START).await, [owned.key.locator]);
    let claimed = scene.claim(START + 2 * HOUR + LATENESS, 20).await;
    assert_eq!(sorted(claimed.iter()), locators(samples.iter().chain([&owned])));
}

/// "Otherwise nothing was done": over a live record, and over a dead one, of which the caller hears.
pub async fn a_create_at_hand_takes_no_place(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    assert!(!store.create_at_hand(&sample.next().record(), START), "create over a live record");
    scene.assert_holds(&sample, START).await;
    let dead = sample.expires_at();
    let anew = Sample { created: dead, ..Sample::new(sample.key) }.accessed(dead);
    assert!(!store.create_at_hand(&anew.record(), dead), "create over a dead record that nobody heard of");
    assert_eq!(scene.create(&anew, dead).await.map(|departed| departed.len()), Some(1));
    scene.assert_holds(&anew, dead).await;
}

/// Of any number of parallel ones at most one lands, and stays.
pub async fn at_most_one_of_many_creates_at_hand_lands(store: &dyn Store) {
    let scene = Scene::new(store);
    for _ in 0..20 {
        let key = scene.key();
        let landed = at_once(|_| {
            let sample = Sample::new(key);
            store.create_at_hand(&sample.record(), START).then_some(sample)
        });
        let landed: Vec<_> = landed.into_iter().flatten().collect();
        assert!(landed.len() <= 1, "{} creates of one key landed", landed.len());
        match landed.first() {
            Some(sample) => scene.assert_holds(sample, START).await,
            None => scene.assert_absent(&key, START).await,
        }
    }
}
