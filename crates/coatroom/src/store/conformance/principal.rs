//! The index of principals, and their epochs.

use super::scene::{LATENESS, MINUTE, START, Sample, Scene, Seen, done, just_before, locators};
use crate::store::Store;

/// "All live records of the namespace whose principal is `principal`", with their data.
pub async fn of_principal_finds_all_records_of_a_principal(store: &dyn Store) {
    let scene = Scene::new(store);
    let alices: Vec<_> = (0..20).map(|_| scene.sample().with_principal("alice")).collect();
    scene.put_all(&alices).await;
    scene.put_all(&[scene.sample().with_principal("bob"), scene.sample()]).await;
    let found = done("of_principal", store.of_principal(scene.namespace, "alice", START).await);
    let mut found: Vec<_> = found.iter().map(Seen::from).collect();
    let mut kept: Vec<_> = alices.iter().map(Seen::from).collect();
    found.sort_by_key(Seen::key);
    kept.sort_by_key(Seen::key);
    assert_eq!(found, kept);
}

/// A principal is compared as a whole, whatever its characters.
pub async fn principals_are_compared_whole(store: &dyn Store) {
    let scene = Scene::new(store);
    let long = "x".repeat(255);
    let names = [
        "ann",
        "anna",
        "Ann",
        "an",
        "ann ",
        "a:b",
        "a/b",
        "a\0b",
        "a",
        "*",
        "%",
        "a_b",
        "\u{e4}nn",
        "{ann}",
        "a'b\"",
        &long,
        &long[1..],
    ];
    let samples = names.map(|name| scene.sample().with_principal(name));
    scene.put_all(&samples).await;
    for (name, sample) in names.iter().zip(&samples) {
        assert_eq!(scene.of(name, START).await, locators([sample]), "principal {name:?}");
    }
    assert!(scene.of("nobody", START).await.is_empty());
}

/// "Found from the moment its `create` or `commit` has completed": at login and at a change of
/// principal, and the former one no longer.
pub async fn of_principal_follows_every_change_of_principal(store: &dyn Store) {
    let scene = Scene::new(store);
    let guest = scene.sample();
    scene.put(&guest).await;
    let alice = guest.next().with_principal("alice");
    scene.replace(&guest, &alice, START).await;
    assert_eq!(scene.of("alice", START).await, locators([&alice]));
    let again = alice.next();
    scene.replace(&alice, &again, START).await;
    assert_eq!(scene.of("alice", START).await, locators([&alice]));
    let bob = again.next().with_principal("bob");
    scene.replace(&again, &bob, START).await;
    assert!(scene.of("alice", START).await.is_empty());
    assert_eq!(scene.of("bob", START).await, locators([&bob]));
    scene.replace(&bob, &Sample { principal: None, ..bob.next() }, START).await;
    assert!(scene.of("bob", START).await.is_empty());
}

/// A commit that did not land changes no principal.
pub async fn of_principal_ignores_a_commit_that_did_not_land(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample().with_principal("alice");
    scene.put(&sample).await;
    let other = sample.next().with_principal("mallory");
    scene.commit(other.revision, &other, START).await;
    scene.create(&other, START).await;
    assert_eq!(scene.of("alice", START).await, locators([&sample]));
    assert!(scene.of("mallory", START).await.is_empty());
}

/// A removed record is no longer found, and one created again under its key is found under its own
/// principal alone.
pub async fn of_principal_forgets_what_was_removed(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample().with_principal("alice");
    scene.put(&sample).await;
    assert!(scene.remove(&sample.key, START).await.is_some());
    assert!(scene.of("alice", START).await.is_empty());
    scene.put(&Sample::new(sample.key).with_principal("bob")).await;
    assert!(scene.of("alice", START).await.is_empty());
    assert_eq!(scene.of("bob", START).await, [sample.key.locator]);
}

/// Only live records are found; a create over a dead one brings its own principal.
pub async fn of_principal_finds_live_records_only(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        let sample = sample.with_principal("alice");
        let dead = sample.expires_at();
        scene.put(&sample).await;
        assert_eq!(scene.of("alice", just_before(dead)).await, locators([&sample]));
        assert!(scene.of("alice", dead).await.is_empty());
        let anew = Sample::new(sample.key).with_principal("bob").accessed(dead);
        assert!(scene.create(&anew, dead).await.is_some());
        assert!(scene.of("alice", dead).await.is_empty());
        assert_eq!(scene.of("bob", dead).await, locators([&anew]));
        assert!(scene.remove(&anew.key, dead).await.is_some());
    }
}

/// A touch keeps a record alive under its principal; a settled one is gone from there.
pub async fn of_principal_follows_touch_and_settle(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample().with_principal("alice");
    let at = START + 10 * MINUTE;
    scene.put(&sample).await;
    scene.touch(&sample.key, at, true).await;
    let touched = sample.accessed(at);
    assert_eq!(scene.of("alice", just_before(touched.expires_at())).await, locators([&touched]));
    let later = touched.expires_at() + LATENESS;
    let claimed = scene.claim(later, 10).await;
    scene.settle(claimed).await;
    assert!(scene.of("alice", later).await.is_empty());
}

/// "Of the namespace."
pub async fn principals_keep_to_their_namespace(store: &dyn Store) {
    let (here, there) = (Scene::new(store), Scene::new(store));
    let (ours, theirs) = (here.sample().with_principal("alice"), there.sample().with_principal("alice"));
    here.put(&ours).await;
    there.put(&theirs).await;
    assert_eq!(here.of("alice", START).await, locators([&ours]));
    assert_eq!(there.of("alice", START).await, locators([&theirs]));
}

/// "0 until it is first bumped"; "raises the epoch of a principal by one and returns the new one".
pub async fn epochs_begin_at_zero_and_rise_by_one(store: &dyn Store) {
    let scene = Scene::new(store);
    assert_eq!(scene.epoch("alice").await, 0);
    for epoch in 1..=5 {
        assert_eq!(scene.bump("alice").await, epoch);
        assert_eq!(scene.epoch("alice").await, epoch);
    }
}

/// An epoch belongs to one principal of one namespace.
pub async fn epochs_of_others_stay(store: &dyn Store) {
    let (here, there) = (Scene::new(store), Scene::new(store));
    here.bump("alice").await;
    for other in ["alic", "alice2", "Alice", "bob", ""] {
        assert_eq!(here.epoch(other).await, 0, "principal {other:?}");
    }
    assert_eq!(there.epoch("alice").await, 0);
    assert_eq!(there.bump("alice").await, 1);
    assert_eq!(here.epoch("alice").await, 1);
}

/// "It stays raised for as long as the store's data": also when no record of the principal is left.
pub async fn an_epoch_outlives_the_records_of_its_principal(store: &dyn Store) {
    let scene = Scene::new(store);
    let [removed, expired] = [scene.sample(), scene.sample()].map(|sample| sample.with_principal("alice"));
    scene.put_all(&[removed.clone(), expired.clone()]).await;
    scene.bump("alice").await;
    scene.remove(&removed.key, START).await;
    let claimed = scene.claim(expired.expires_at() + LATENESS, 10).await;
    scene.settle(claimed).await;
    assert_eq!(scene.epoch("alice").await, 1);
    assert_eq!(scene.bump("alice").await, 2);
}
