//! Insert-only.

use super::scene::{LATENESS, START, Sample, Scene, Seen, just_before};
use crate::store::{Departure, Store};

/// "Keeps `record` under its key if there is no live record there": one that is there stays.
pub async fn create_leaves_a_live_record_as_it_is(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    assert!(scene.create(&sample.next(), START).await.is_none(), "create over a live record");
    assert!(scene.create(&sample, START).await.is_none(), "create of the same record again");
    scene.assert_holds(&sample, START).await;
    assert_eq!(scene.count(START).await, 1);
}

/// A dead record is absent, so a create takes its place; "because they lay dead under its key,
/// these went": the caller hears of it, with its data.
pub async fn create_takes_the_place_of_a_dead_record_and_reports_it(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        scene.put(&sample).await;
        let dead = sample.expires_at();
        let anew = Sample { created: dead, ..Sample::new(sample.key) }.accessed(dead);
        let departed = scene.create(&anew, dead).await.expect("create over a dead record gave Exists");
        let [departed] = &departed[..] else { panic!("one record departed, reported: {departed:?}") };
        assert_eq!(departed.reason, Departure::Expired);
        assert_eq!(Seen::from(&departed.record), Seen::from(&sample));
        scene.assert_holds(&anew, dead).await;
        scene.assert_holds(&anew, just_before(anew.expires_at())).await;
    }
}

/// The record is live to the last millisecond before its deadline.
pub async fn create_respects_a_record_in_its_last_millisecond(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        scene.put(&sample).await;
        let last = just_before(sample.expires_at());
        assert!(scene.create(&sample.next(), last).await.is_none(), "create over a live record");
        scene.assert_holds(&sample, last).await;
    }
}

/// The dead record that was replaced was reported by the create, so it is not claimed as well, and
/// what is under its key lives by its own deadlines.
pub async fn a_record_created_over_a_dead_one_lives_by_its_own_deadlines(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    let dead = sample.expires_at();
    let anew = sample.next().accessed(dead);
    assert!(scene.create(&anew, dead).await.is_some());
    assert!(scene.claim(just_before(anew.expires_at()), 10).await.is_empty());
    let claimed = scene.claim(anew.expires_at() + LATENESS, 10).await;
    assert_eq!(claimed.iter().map(Seen::from).collect::<Vec<_>>(), [Seen::from(&anew)]);
}

/// A removed record is absent, so its key is free.
pub async fn create_after_remove_creates(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    assert!(scene.remove(&sample.key, START).await.is_some());
    let anew = Sample::new(sample.key);
    scene.put(&anew).await;
    scene.assert_holds(&anew, START).await;
}
