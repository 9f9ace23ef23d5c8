//! Taking out.

use super::scene::{LATENESS, MINUTE, START, Scene, Seen, just_before};
use crate::store::Store;

/// "Takes out the live record under `key` and returns it", as it was last.
pub async fn remove_returns_the_record_and_takes_it_out(store: &dyn Store) {
    let scene = Scene::new(store);
    let (sample, at) = (scene.sample(), START + MINUTE);
    scene.put(&sample).await;
    scene.touch(&sample.key, at, true).await;
    let removed = scene.remove(&sample.key, at).await.expect("remove found nothing");
    assert_eq!(Seen::from(&removed), Seen::from(&sample.clone().accessed(at)));
    scene.assert_absent(&sample.key, at).await;
    assert_eq!(scene.count(at).await, 0);
    assert!(scene.list(10, at).await.is_empty());
}

/// "`None` if there is none."
pub async fn remove_of_an_absent_record_is_none(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    assert!(scene.remove(&sample.key, START).await.is_none());
    scene.put(&sample).await;
    assert!(scene.remove(&sample.key, START).await.is_some());
    assert!(scene.remove(&sample.key, START).await.is_none(), "a record was removed twice");
}

/// A dead record is not there to be removed; one that is about to die is.
pub async fn remove_of_a_dead_record_is_none(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        scene.put(&sample).await;
        let dead = sample.expires_at();
        assert!(scene.remove(&sample.key, dead).await.is_none(), "remove returned a dead record");
    }
    for sample in scene.mortals() {
        scene.put(&sample).await;
        let last = just_before(sample.expires_at());
        assert!(scene.remove(&sample.key, last).await.is_some(), "remove missed a live record");
    }
}

/// What a remove did not return was not ended by it: a dead record is still claimed afterwards.
pub async fn remove_leaves_a_dead_record_to_be_claimed(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    assert!(scene.remove(&sample.key, sample.expires_at()).await.is_none());
    let claimed = scene.claim(sample.expires_at() + LATENESS, 10).await;
    assert_eq!(claimed.iter().map(Seen::from).collect::<Vec<_>>(), [Seen::from(&sample)]);
}

/// "No expiry is reported for it."
pub async fn a_removed_record_is_never_claimed(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        scene.put(&sample).await;
        assert!(scene.remove(&sample.key, START).await.is_some());
        let claimed = scene.claim(sample.expires_at() + LATENESS, 10).await;
        assert!(claimed.is_empty(), "a removed record was claimed: {claimed:?}");
    }
}

/// Only the record under the key goes.
pub async fn remove_leaves_the_others(store: &dyn Store) {
    let scene = Scene::new(store);
    let samples = [scene.sample(), scene.sample(), scene.sample()];
    scene.put_all(&samples).await;
    assert!(scene.remove(&samples[1].key, START).await.is_some());
    scene.assert_holds(&samples[0], START).await;
    scene.assert_holds(&samples[2], START).await;
    assert_eq!(scene.count(START).await, 2);
}
