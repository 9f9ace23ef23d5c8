//! Claims of dead records.

use std::time::Duration;

use super::scene::{HOUR, LATENESS, MINUTE, START, Sample, Scene, Seen, just_before, locators, sorted};
use crate::clock::Timestamp;
use crate::id::Key;
use crate::record::Record;
use crate::store::Store;

/// "Claims records that are dead at `now` and returns them with their data", "at the latest 30 s
/// after its deadline", whichever deadline it was.
pub async fn a_dead_record_is_claimed_with_its_data(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        scene.put(&sample).await;
        assert_claims(&scene, sample.expires_at() + LATENESS, &[&sample]).await;
    }
}

/// Nothing is claimed that is not dead.
pub async fn a_live_record_is_not_claimed(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        scene.put(&sample).await;
        assert_claims(&scene, START, &[]).await;
        let last = just_before(sample.expires_at());
        assert_claims(&scene, last, &[]).await;
        scene.assert_holds(&sample, last).await;
        scene.remove(&sample.key, last).await;
    }
}

/// "A claimed record is not claimed again before `lease_until`."
pub async fn a_claimed_record_is_not_claimed_during_its_lease(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    let now = sample.expires_at() + LATENESS;
    assert_claims(&scene, now, &[&sample]).await;
    for later in [now, now + MINUTE, now + 30 * MINUTE, just_before(now + HOUR)] {
        assert_claims(&scene, later, &[]).await;
    }
}

/// "After it, unless settled, it is", with its data, and for another lease. (Within the same 30 s.)
pub async fn an_unsettled_record_is_claimed_again_after_its_lease(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    let mut now = sample.expires_at() + LATENESS;
    for _ in 0..4 {
        assert_claims(&scene, now, &[&sample]).await;
        assert_claims(&scene, just_before(now + HOUR), &[]).await;
        now = now + HOUR + LATENESS;
    }
}

/// A claimed record stays as dead as it was.
pub async fn a_claimed_record_stays_dead(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample().with_principal("alice");
    scene.put(&sample).await;
    let now = sample.expires_at() + LATENESS;
    assert_claims(&scene, now, &[&sample]).await;
    scene.touch(&sample.key, now, true).await;
    scene.assert_absent(&sample.key, now).await;
    assert!(scene.remove(&sample.key, now).await.is_none());
    assert_eq!(scene.count(now).await, 0);
    assert!(scene.of("alice", now).await.is_empty() && scene.list(10, now).await.is_empty());
}

/// "Up to `limit` (at least 1)", any number; "`more` says that another claim may find more at once",
/// so claiming until it says no finds all, and each once.
pub async fn claims_find_each_dead_record_once(store: &dyn Store) {
    for limit in [1, 4, 25, usize::MAX] {
        let scene = Scene::new(store);
        let seconds = |n| START + Duration::from_secs(n);
        let samples: Vec<_> = (1..=25).map(|n| Sample { deadline: seconds(n), ..scene.sample() }).collect();
        scene.put_all(&samples).await;
        let found = scene.claim(seconds(25) + LATENESS, limit).await;
        assert_eq!(sorted(&found), locators(&samples), "claims of {limit}");
    }
}

/// "Also where what is due turns out to be alive, having been touched": those are passed over, and
/// the dead among them found, at any limit.
pub async fn touched_records_do_not_hide_dead_ones(store: &dyn Store) {
    for limit in [1, 3, 100] {
        let scene = Scene::new(store);
        let samples: Vec<_> = (0..40).map(|_| scene.sample()).collect();
        scene.put_all(&samples).await;
        let at = START + 10 * MINUTE;
        for sample in samples.iter().skip(5) {
            scene.touch(&sample.key, at, true).await;
        }
        let now = samples[0].expires_at() + LATENESS;
        let found = scene.claim(now, limit).await;
        assert_eq!(sorted(&found), locators(&samples[..5]), "claims of {limit}");
        assert_eq!(scene.count(now).await, 35);
        let touched: Vec<_> = samples.into_iter().skip(5).map(|sample| sample.accessed(at)).collect();
        let found = scene.claim(touched[0].expires_at() + LATENESS, limit).await;
        assert_eq!(sorted(&found), locators(&touched), "claims of {limit} after the touched died too");
    }
}

/// A record that was kept alive by touches is claimed in time after the last of them, and shows it.
pub async fn a_touched_record_is_claimed_by_its_new_deadline(store: &dyn Store) {
    let scene = Scene::new(store);
    let mut sample = scene.sample();
    scene.put(&sample).await;
    for _ in 0..5 {
        let at = just_before(sample.expires_at());
        scene.touch(&sample.key, at, true).await;
        assert_claims(&scene, sample.expires_at() + LATENESS, &[]).await;
        sample = sample.accessed(at);
    }
    assert_claims(&scene, just_before(sample.expires_at()), &[]).await;
    assert_claims(&scene, sample.expires_at() + LATENESS, &[&sample]).await;
}

/// A commit that shortens a deadline has it claimed by the new one.
pub async fn a_shortened_deadline_is_claimed_in_time(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        let shorter = [
            Sample { deadline: START + MINUTE, ..sample.next() },
            Sample { idle_timeout: MINUTE, ..sample.next() },
        ];
        for next in shorter {
            let (sample, next) = rekeyed(&scene, &sample, &next);
            scene.put(&sample).await;
            scene.replace(&sample, &next, START).await;
            assert_eq!(next.expires_at(), START + MINUTE);
            assert_claims(&scene, just_before(next.expires_at()), &[]).await;
            assert_claims(&scene, next.expires_at() + LATENESS, &[&next]).await;
        }
    }
}

/// Nor is it claimed for the former deadline, where a claim comes after both.
pub async fn a_record_whose_deadline_was_shortened_is_claimed_once(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    let next = Sample { idle_timeout: MINUTE, ..sample.next() };
    scene.put(&sample).await;
    scene.replace(&sample, &next, START).await;
    let now = sample.expires_at() + LATENESS;
    assert_claims(&scene, now, &[&next]).await;
    assert_claims(&scene, now + 30 * MINUTE, &[]).await;
}

/// A commit that lengthens a deadline is not claimed by the former one.
pub async fn a_lengthened_deadline_is_claimed_in_time(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        let next = Sample { idle_timeout: 3 * HOUR, ..Sample::new(sample.key) };
        scene.put(&sample).await;
        scene.replace(&sample, &next, START).await;
        assert_claims(&scene, sample.expires_at() + LATENESS, &[]).await;
        scene.assert_holds(&next, just_before(next.expires_at())).await;
        assert_claims(&scene, next.expires_at() + LATENESS, &[&next]).await;
    }
}

/// "Of the namespace": the dead of another one stay there, to be claimed there, be it under the same
/// locator.
pub async fn a_claim_leaves_other_namespaces_alone(store: &dyn Store) {
    let (here, there) = (Scene::new(store), Scene::new(store));
    let ours = here.sample();
    let theirs = Sample::new(Key { namespace: there.namespace, ..ours.key });
    here.put(&ours).await;
    there.put(&theirs).await;
    let now = ours.expires_at() + LATENESS;
    assert_claims(&here, now, &[&ours]).await;
    assert_claims(&here, now, &[]).await;
    assert_claims(&there, now, &[&theirs]).await;
}

/// A clock may jump: what is filed for a time that a claim has already passed is claimed as well.
pub async fn a_claim_finds_what_was_filed_behind_an_earlier_one(store: &dyn Store) {
    let scene = Scene::new(store);
    let (before, after) = (scene.sample(), scene.sample());
    scene.put(&before).await;
    assert_claims(&scene, START + 24 * HOUR, &[&before]).await;
    scene.put(&after).await;
    assert_claims(&scene, after.expires_at() + LATENESS, &[&after]).await;
}

/// The work of a claim is bounded, also after a hundred years without one.
pub async fn a_claim_after_a_hundred_years_finds_the_dead(store: &dyn Store) {
    let scene = Scene::new(store);
    let samples = scene.mortals();
    scene.put_all(&samples).await;
    let found = scene.claim(START + 100 * 365 * 24 * HOUR, 2).await;
    assert_eq!(sorted(&found), locators(&samples));
}

/// The lease was of the former record: one created again under the key and dead again is claimed.
pub async fn a_record_created_over_a_leased_one_is_claimed_in_time(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    let now = sample.expires_at() + LATENESS;
    assert_claims(&scene, now, &[&sample]).await;
    let anew = Sample { idle_timeout: MINUTE, ..Sample::new(sample.key).accessed(now) };
    assert!(scene.create(&anew, now).await.is_some());
    assert_claims(&scene, anew.expires_at() + LATENESS, &[&anew]).await;
}

/// And leased on its own: the end of the former lease does not free it.
pub async fn a_former_lease_does_not_end_a_later_one(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    let first = sample.expires_at() + LATENESS;
    assert_claims(&scene, first, &[&sample]).await;
    let anew = Sample { idle_timeout: MINUTE, ..Sample::new(sample.key).accessed(first) };
    assert!(scene.create(&anew, first).await.is_some());
    let second = anew.expires_at() + LATENESS;
    assert_claims(&scene, second, &[&anew]).await;
    assert_claims(&scene, just_before(second + HOUR), &[]).await;
    assert_claims(&scene, second + HOUR + LATENESS, &[&anew]).await;
}

/// What may be claimed is claimed, whole.
pub(super) async fn assert_claims(scene: &Scene<'_>, now: Timestamp, expected: &[&Sample]) {
    let found: Vec<Record> = scene.claim(now, 10).await;
    let expected: Vec<_> = expected.iter().map(|sample| Seen::from(*sample)).collect();
    assert_eq!(found.iter().map(Seen::from).collect::<Vec<_>>(), expected, "claimed (left)");
}

/// Both under a key of their own.
fn rekeyed(scene: &Scene<'_>, one: &Sample, two: &Sample) -> (Sample, Sample) {
    let key = scene.key();
    (Sample { key, ..one.clone() }, Sample { key, ..two.clone() })
}
