//! Update-only compare-and-set.

use super::scene::{LATENESS, MINUTE, START, Sample, Scene, Seen, just_before};
use crate::store::{Commit, Store};

/// "Replaces the live record under the key of `record` if its revision is `expected`."
pub async fn commit_replaces_the_expected_revision(store: &dyn Store) {
    let scene = Scene::new(store);
    let mut sample = scene.sample();
    scene.put(&sample).await;
    for _ in 0..10 {
        let next = sample.next();
        scene.replace(&sample, &next, START).await;
        scene.assert_holds(&next, START).await;
        sample = next;
    }
    assert_eq!(scene.count(START).await, 1);
}

/// "Another commit was first; this is the newest record. Nothing changed."
pub async fn commit_on_another_revision_conflicts_and_shows_the_newest(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    let next = sample.next();
    scene.put(&sample).await;
    scene.replace(&sample, &next, START).await;
    for expected in [sample.revision, next.revision.wrapping_add(1), 0] {
        let commit = scene.commit(expected, &next.next(), START).await;
        let Commit::Conflict(newest) = &commit else { panic!("no conflict: {commit:?}") };
        assert_eq!(Seen::from(newest), Seen::from(&next), "the newest record (right) is handed back");
        scene.assert_holds(&next, START).await;
    }
}

/// "A commit never makes a record where there is none."
pub async fn commit_where_nothing_is_makes_nothing(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    assert_gone(&scene, &sample, &sample.next()).await;
}

/// "There is no live record under the key: ended": what was removed stays removed.
pub async fn commit_after_remove_does_not_revive(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    assert!(scene.remove(&sample.key, START).await.is_some());
    assert_gone(&scene, &sample, &sample.next()).await;
}

/// A commit meant for a record that was removed and created again meets another revision.
pub async fn commit_on_a_record_created_again_conflicts(store: &dyn Store) {
    let scene = Scene::new(store);
    let (sample, now) = (scene.sample(), START);
    scene.put(&sample).await;
    assert!(scene.remove(&sample.key, now).await.is_some());
    let anew = Sample::new(sample.key);
    scene.put(&anew).await;
    assert!(matches!(scene.commit(sample.revision, &sample.next(), now).await, Commit::Conflict(_)));
    scene.assert_holds(&anew, now).await;
}

/// A dead record is absent from its very deadline on, also for a commit that would lengthen it; one
/// millisecond before it is there.
pub async fn commit_on_a_dead_record_is_gone(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        scene.put(&sample).await;
        let (last, next) = (just_before(sample.expires_at()), sample.next());
        scene.replace(&sample, &next, last).await;
        scene.assert_holds(&next, last).await;
    }
    for sample in scene.mortals() {
        scene.put(&sample).await;
        let dead = sample.expires_at();
        let longer = Sample { created: dead, ..Sample::new(sample.key) }.accessed(dead);
        for now in [dead, dead + LATENESS] {
            assert!(matches!(scene.commit(sample.revision, &longer, now).await, Commit::Gone));
            scene.assert_absent(&sample.key, now).await;
        }
    }
}

/// "The activity that is kept is the merge of both, so that a commit never moves it back."
pub async fn commit_never_moves_the_activity_back(store: &dyn Store) {
    let scene = Scene::new(store);
    let (mut sample, at) = (scene.sample(), START + 5 * MINUTE);
    sample.activity.confirmed = false;
    scene.put(&sample).await;
    scene.touch(&sample.key, at, true).await;
    let next = sample.next();
    scene.replace(&sample, &next, at).await;
    let mut kept = next.accessed(at);
    kept.activity.confirmed = true;
    scene.assert_holds(&kept, at).await;
}

/// The merge of both: a later activity of the committed record is kept too.
pub async fn commit_moves_the_activity_forward(store: &dyn Store) {
    let scene = Scene::new(store);
    let (mut sample, at) = (scene.sample(), START + 5 * MINUTE);
    sample.activity.confirmed = false;
    scene.put(&sample).await;
    let mut next = sample.next().accessed(at);
    next.activity.confirmed = true;
    scene.replace(&sample, &next, at).await;
    scene.assert_holds(&next, just_before(next.expires_at())).await;
}

/// A revision begins at a random number and may run over the end: all 64 bits are compared, and
/// none of them is a sign.
pub async fn revisions_are_compared_in_all_64_bits(store: &dyn Store) {
    let scene = Scene::new(store);
    for revision in [0, 1 << 31, 1 << 32, 1 << 53, i64::MAX as u64, 1 << 63, u64::MAX] {
        let sample = Sample { revision, ..scene.sample() };
        scene.put(&sample).await;
        for near in [revision ^ 1, revision ^ (1 << 32), revision ^ (1 << 63)] {
            let commit = scene.commit(near, &sample.next(), START).await;
            assert!(matches!(commit, Commit::Conflict(_)), "{near} was taken for {revision}");
        }
        scene.replace(&sample, &sample.next(), START).await;
    }
}

async fn assert_gone(scene: &Scene<'_>, sample: &Sample, next: &Sample) {
    for expected in [sample.revision, next.revision, 0] {
        let commit = scene.commit(expected, next, START).await;
        assert!(matches!(commit, Commit::Gone), "commit without a record: {commit:?}");
        scene.assert_absent(&sample.key, START).await;
    }
    assert_eq!(scene.count(START).await, 0);
    assert!(scene.list(10, START).await.is_empty());
}
