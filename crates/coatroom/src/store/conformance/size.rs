//! Records of all sizes come back as they were.

use super::scene::{LATENESS, START, Sample, Scene, Seen, sorted};
use crate::store::Store;

/// A record without an attribute is a record.
pub async fn a_record_without_attributes_is_kept(store: &dyn Store) {
    round_trip(store, &[]).await;
}

/// An attribute may have no bytes.
pub async fn an_empty_value_is_kept(store: &dyn Store) {
    round_trip(store, &[("empty", Vec::new())]).await;
}

/// Values are bytes, all of them.
pub async fn every_byte_is_kept(store: &dyn Store) {
    round_trip(store, &[("bytes", (0..=255).collect()), ("n\u{e4}me\0'\"%", vec![0; 3])]).await;
}

/// A thousand attributes.
pub async fn many_attributes_are_kept(store: &dyn Store) {
    let names: Vec<_> = (0..1_000).map(|n| format!("{n:04}")).collect();
    let attributes: Vec<_> = names.iter().map(|name| (name.as_str(), name.repeat(3).into_bytes())).collect();
    round_trip(store, &attributes).await;
}

/// 64 KiB, and a byte more and less.
pub async fn records_of_64_kib_are_kept(store: &dyn Store) {
    for size in [65_535, 65_536, 65_537] {
        round_trip(store, &[("large", noise(size))]).await;
    }
}

/// 1 MiB.
pub async fn records_of_1_mib_are_kept(store: &dyn Store) {
    round_trip(store, &[("huge", noise(1 << 20))]).await;
}

/// A record may grow and shrink with each commit.
pub async fn a_record_grows_and_shrinks(store: &dyn Store) {
    let scene = Scene::new(store);
    let mut sample = scene.sample();
    scene.put(&sample).await;
    for size in [0, 100, 1 << 20, 1, 70_000, 0, 5_000] {
        let next = sample.next().with_value(noise(size));
        scene.replace(&sample, &next, START).await;
        scene.assert_holds(&next, START).await;
        sample = next;
    }
}

/// Created, committed, listed, found by its principal, claimed: the same bytes each time.
async fn round_trip(store: &dyn Store, attributes: &[(&str, Vec<u8>)]) {
    let scene = Scene::new(store);
    let mut attributes: Vec<_> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    attributes.sort();
    let sample = Sample { attributes: attributes.clone(), ..scene.sample().with_principal("alice") };
    scene.put(&sample).await;
    scene.assert_holds(&sample, START).await;
    let next = Sample { attributes, ..sample.next() };
    scene.replace(&sample, &next, START).await;
    scene.assert_holds(&next, START).await;
    assert_eq!(scene.of("alice", START).await, [next.key.locator]);
    assert!(scene.list(10, START).await.iter().map(Seen::from).eq([Seen::from(&next)]));
    let claimed = scene.claim(next.expires_at() + LATENESS, 10).await;
    assert_eq!(sorted(&claimed), [next.key.locator]);
    assert!(claimed.iter().map(Seen::from).eq([Seen::from(&next)]));
}

/// Bytes that do not compress.
fn noise(size: usize) -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..)).take(size).collect()
}
