//! Activity.

use super::scene::{LATENESS, MINUTE, START, Scene, Seen, just_before};
use crate::store::{Commit, Store};

/// "Moves the activity of the live record under `key` forward": it lives an idle timeout from then.
pub async fn touch_moves_the_idle_deadline(store: &dyn Store) {
    let scene = Scene::new(store);
    let (sample, at) = (scene.sample(), START + 10 * MINUTE);
    scene.put(&sample).await;
    scene.touch(&sample.key, at, true).await;
    let touched = sample.accessed(at);
    scene.assert_holds(&touched, just_before(touched.expires_at())).await;
    scene.assert_absent(&touched.key, touched.expires_at()).await;
}

/// Forward only.
pub async fn touch_never_moves_the_activity_back(store: &dyn Store) {
    let scene = Scene::new(store);
    let (sample, at) = (scene.sample(), START + 10 * MINUTE);
    scene.put(&sample).await;
    scene.touch(&sample.key, at, true).await;
    scene.touch(&sample.key, START + MINUTE, false).await;
    scene.assert_holds(&sample.accessed(at), at).await;
}

/// A touch that confirms lifts the unconfirmed timeout, and none takes it back.
pub async fn touch_confirms_for_good(store: &dyn Store) {
    let scene = Scene::new(store);
    let [_, _, mut sample] = scene.mortals();
    let (dead, at) = (sample.expires_at(), START + MINUTE);
    scene.put(&sample).await;
    scene.touch(&sample.key, at, true).await;
    scene.touch(&sample.key, at + MINUTE, false).await;
    sample.activity.confirmed = true;
    scene.assert_holds(&sample.accessed(at + MINUTE), dead).await;
}

/// The lifetime holds whatever the activity.
pub async fn touch_never_moves_the_lifetime(store: &dyn Store) {
    let scene = Scene::new(store);
    let [sample, ..] = scene.mortals();
    let dead = sample.expires_at();
    scene.put(&sample).await;
    scene.touch(&sample.key, just_before(dead), true).await;
    scene.assert_holds(&sample.clone().accessed(just_before(dead)), just_before(dead)).await;
    scene.assert_absent(&sample.key, dead).await;
}

/// "Rewrites no data, raises no revision": a commit that loaded before the touch lands after it.
pub async fn touch_raises_no_revision(store: &dyn Store) {
    let scene = Scene::new(store);
    let (sample, at) = (scene.sample(), START + MINUTE);
    let next = sample.next();
    scene.put(&sample).await;
    scene.touch(&sample.key, at, true).await;
    assert!(matches!(scene.commit(sample.revision, &next, at).await, Commit::Landed(_)));
    scene.assert_holds(&next.accessed(at), at).await;
}

/// "Judged live at `activity.last_accessed`", "revives nothing": at the deadline it is too late, one
/// millisecond before it is not.
pub async fn touch_never_revives_a_dead_record(store: &dyn Store) {
    let scene = Scene::new(store);
    for late in [0, 1, 1_000] {
        let [_, idle, unconfirmed] = scene.mortals();
        for sample in [idle, unconfirmed] {
            scene.put(&sample).await;
            let at = sample.expires_at() + std::time::Duration::from_millis(late);
            scene.touch(&sample.key, at, true).await;
            scene.assert_absent(&sample.key, at).await;
            let found = scene.claim(at + LATENESS, 10).await;
            assert_eq!(found.iter().map(Seen::from).collect::<Vec<_>>(), [Seen::from(&sample)]);
        }
    }
    let sample = scene.sample();
    let last = just_before(sample.expires_at());
    scene.put(&sample).await;
    scene.touch(&sample.key, last, true).await;
    scene.assert_holds(&sample.accessed(last), last + LATENESS).await;
}

/// "On an absent record it does nothing."
pub async fn touch_of_an_absent_record_does_nothing(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.touch(&sample.key, START, true).await;
    scene.assert_absent(&sample.key, START).await;
    scene.put(&sample).await;
    assert!(scene.remove(&sample.key, START).await.is_some());
    scene.touch(&sample.key, START, true).await;
    scene.assert_absent(&sample.key, START).await;
    assert_eq!(scene.count(START).await, 0);
}
