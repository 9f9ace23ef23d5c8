//! Settling what was claimed.

use super::claim::assert_claims;
use super::scene::{HOUR, LATENESS, MINUTE, START, Sample, Scene, just_before, locators, sorted};
use crate::store::Store;

/// "Deletes claimed records": they never come again.
pub async fn a_settled_record_is_never_claimed_again(store: &dyn Store) {
    let scene = Scene::new(store);
    let samples = scene.mortals();
    scene.put_all(&samples).await;
    let now = START + 2 * HOUR;
    let claimed = scene.claim(now, 10).await;
    assert_eq!(claimed.len(), 3);
    scene.settle(claimed).await;
    assert_claims(&scene, now, &[]).await;
    assert_claims(&scene, now + HOUR + LATENESS, &[]).await;
    assert_eq!(scene.count(START).await, 0, "a settled record is not there at any time");
}

/// Only what is settled goes: the rest of a claim comes again.
pub async fn settle_leaves_the_rest_of_a_claim(store: &dyn Store) {
    let scene = Scene::new(store);
    let samples = scene.mortals();
    scene.put_all(&samples).await;
    let now = START + 2 * HOUR;
    let mut claimed = scene.claim(now, 10).await;
    let rest = claimed.split_off(1);
    scene.settle(claimed).await;
    let again = scene.claim(now + HOUR + LATENESS, 10).await;
    assert_eq!(sorted(&again), sorted(&rest));
}

/// "Each only if what lies under its key is still the record of that revision, so that one created
/// again under the key stays."
pub async fn settle_leaves_a_record_created_again(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample().with_principal("alice");
    scene.put(&sample).await;
    let now = sample.expires_at() + LATENESS;
    let claimed = scene.claim(now, 10).await;
    assert_eq!(claimed.len(), 1);
    let anew = Sample { created: now, ..Sample::new(sample.key) }.accessed(now).with_principal("alice");
    assert!(scene.create(&anew, now).await.is_some());
    scene.settle(claimed).await;
    scene.assert_holds(&anew, now).await;
    assert_eq!(scene.of("alice", now).await, locators([&anew]));
    assert_claims(&scene, anew.expires_at() + LATENESS, &[&anew]).await;
}

/// Nor is its lease touched, where it has died and was claimed by now: it is "not claimed again before
/// `lease_until`".
pub async fn a_late_settle_leaves_the_lease_of_a_record_created_again(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    let first = sample.expires_at() + LATENESS;
    let claimed = scene.claim(first, 10).await;
    assert_eq!(claimed.len(), 1);
    let anew = Sample { idle_timeout: MINUTE, ..Sample::new(sample.key).accessed(first) };
    assert!(scene.create(&anew, first).await.is_some());
    let second = anew.expires_at() + LATENESS;
    assert_claims(&scene, second, &[&anew]).await;
    scene.settle(claimed).await;
    assert_claims(&scene, just_before(second + HOUR), &[]).await;
    assert_claims(&scene, second + HOUR + LATENESS, &[&anew]).await;
}

/// "Idempotent", and settling nothing is fine.
pub async fn settle_is_idempotent(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    let claimed = scene.claim(sample.expires_at() + LATENESS, 10).await;
    scene.settle(Vec::new()).await;
    for _ in 0..3 {
        scene.settle(claimed.clone()).await;
    }
    let anew = sample.next();
    scene.put(&anew).await;
    scene.settle(claimed).await;
    scene.assert_holds(&anew, START).await;
}
