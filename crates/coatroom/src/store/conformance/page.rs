//! Listings and counts.

use super::scene::{LATENESS, START, Sample, Scene, Seen, done, just_before, locators, sorted};
use crate::id::{Key, Locator};
use crate::record::Record;
use crate::store::{Page, Store};

/// "The namespaces that have live records, each once", whichever others the store serves.
pub async fn every_namespace_with_records_is_named_once(store: &dyn Store) {
    let scenes: Vec<_> = (0..5).map(|_| Scene::new(store)).collect();
    for scene in &scenes {
        scene.put_all(&[scene.sample(), scene.sample()]).await;
    }
    let named = done("namespaces", store.namespaces().await);
    for scene in &scenes {
        let times = named.iter().filter(|namespace| **namespace == scene.namespace).count();
        assert_eq!(times, 1, "a namespace with two records was named {times} times");
    }
}

/// "In the order of their locators", each with its data.
pub async fn pages_are_in_the_order_of_locators(store: &dyn Store) {
    let scene = Scene::new(store);
    let mut samples: Vec<_> = (0..20).map(|_| scene.sample()).collect();
    samples.extend([[0; 16], [0xff; 16]].map(|bytes| Sample::new(at(&scene, bytes))));
    scene.put_all(&samples).await;
    samples.sort_by_key(|sample| sample.key);
    for limit in [1, 3, 22, 100] {
        let found: Vec<_> = scene.list(limit, START).await.iter().map(Seen::from).collect();
        assert_eq!(found, samples.iter().map(Seen::from).collect::<Vec<_>>(), "pages of {limit}");
    }
}

/// "Up to `limit` (at least 1)": never more, and any number will do.
pub async fn a_page_has_at_most_its_limit(store: &dyn Store) {
    let scene = Scene::new(store);
    let samples: Vec<_> = (0..7).map(|_| scene.sample()).collect();
    scene.put_all(&samples).await;
    for limit in [1, 2, 7, 8, usize::MAX] {
        assert_eq!(scene.list(limit, START).await.len(), 7, "pages of {limit}");
    }
}

/// "Behind `after`", whether a record lies there or not.
pub async fn a_page_starts_behind_its_start(store: &dyn Store) {
    let scene = Scene::new(store);
    let places = [[0x10; 16], [0x20; 16], [0x30; 16]].map(|bytes| at(&scene, bytes));
    scene.put_all(&places.map(Sample::new)).await;
    let [one, two, three] = places.map(|key| key.locator);
    assert_eq!(behind(&scene, [0x00; 16]).await, [one, two, three]);
    assert_eq!(behind(&scene, [0x10; 16]).await, [two, three]);
    assert_eq!(behind(&scene, [0x1f; 16]).await, [two, three]);
    assert_eq!(behind(&scene, [0x20; 16]).await, [three]);
    assert_eq!(behind(&scene, [0x30; 16]).await, []);
    assert_eq!(behind(&scene, [0xff; 16]).await, []);
}

/// "Where the next page starts; `None` on the last one": a page that is not full is the last.
pub async fn the_last_page_has_no_next(store: &dyn Store) {
    let scene = Scene::new(store);
    let empty = page(&scene, None, 10).await;
    assert!(empty.records.is_empty() && empty.next.is_none(), "an empty namespace has one empty page");
    scene.put_all(&[scene.sample(), scene.sample()]).await;
    let whole = page(&scene, None, 10).await;
    assert!(whole.records.len() == 2 && whole.next.is_none(), "two records fit a page of ten");
}

/// "A record that lives through the whole of a listing is on exactly one page", whatever is created
/// and removed between the pages.
pub async fn a_listing_shows_once_what_lives_through_it(store: &dyn Store) {
    let scene = Scene::new(store);
    let steady: Vec<_> = (0..20).map(|_| scene.sample()).collect();
    let mut passing: Vec<_> = (0..20).map(|_| scene.sample()).collect();
    scene.put_all(&steady).await;
    scene.put_all(&passing).await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = page(&scene, after, 3).await;
        found.extend(page.records);
        // Also the very record that the next page starts behind.
        let gone = passing.iter().position(|sample| Some(sample.key.locator) == page.next).unwrap_or(0);
        if gone < passing.len() {
            scene.remove(&passing.swap_remove(gone).key, START).await;
        }
        scene.put(&scene.sample()).await;
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let once = locators(&steady);
    let seen: Vec<_> = sorted(&found).into_iter().filter(|locator| once.contains(locator)).collect();
    assert_eq!(seen, once, "each steady record (right) is seen once");
    assert!(found.is_sorted_by_key(|record| record.key().locator), "the pages are in order");
}

/// "Live records": a dead one is on no page, and does not end the listing either.
pub async fn pages_show_live_records_only(store: &dyn Store) {
    let scene = Scene::new(store);
    for mortal in scene.mortals() {
        let dead = mortal.expires_at();
        scene.put(&mortal).await;
        assert!(sorted(&scene.list(1, just_before(dead)).await).contains(&mortal.key.locator));
        assert!(!sorted(&scene.list(1, dead).await).contains(&mortal.key.locator));
    }
}

/// Dead records among the live ones neither end a listing nor make a page longer.
pub async fn dead_records_do_not_end_a_listing(store: &dyn Store) {
    let scene = Scene::new(store);
    let living: Vec<_> = (0..15).map(|n| Sample::new(at(&scene, [16 * n + 1; 16]))).collect();
    let dying = (0..15).map(|n| Sample::new(at(&scene, [16 * n; 16])));
    let dying: Vec<_> = dying.map(|sample| Sample { deadline: START + LATENESS, ..sample }).collect();
    scene.put_all(&living).await;
    scene.put_all(&dying).await;
    for limit in [1, 2, 5, 100] {
        let found = scene.list(limit, START + LATENESS).await;
        assert_eq!(sorted(&found), locators(&living), "pages of {limit}");
    }
}

/// "Of the namespace": nothing of another one is listed or counted.
pub async fn pages_and_counts_keep_to_their_namespace(store: &dyn Store) {
    let (here, there) = (Scene::new(store), Scene::new(store));
    let (ours, theirs) = ([here.sample(), here.sample()], there.sample());
    here.put_all(&ours).await;
    there.put(&theirs).await;
    assert_eq!(sorted(&here.list(10, START).await), locators(&ours));
    assert_eq!(sorted(&there.list(10, START).await), locators([&theirs]));
    assert_eq!((here.count(START).await, there.count(START).await), (2, 1));
}

/// "The number of live records": creates and deadlines move it, commits and touches do not.
pub async fn count_is_the_number_of_live_records(store: &dyn Store) {
    let scene = Scene::new(store);
    assert_eq!(scene.count(START).await, 0);
    let [lifetime, idle, unconfirmed] = scene.mortals();
    scene.put_all(&[lifetime.clone(), idle.clone(), unconfirmed.clone()]).await;
    scene.replace(&lifetime, &lifetime.next(), START).await;
    scene.touch(&lifetime.key, START, true).await;
    let mut live = 3;
    for sample in [unconfirmed, idle, lifetime] {
        assert_eq!(scene.count(just_before(sample.expires_at())).await, live);
        live -= 1;
        assert_eq!(scene.count(sample.expires_at()).await, live);
    }
}

/// A removed record is not counted.
pub async fn count_falls_with_each_remove(store: &dyn Store) {
    let scene = Scene::new(store);
    let samples: Vec<_> = (0..5).map(|_| scene.sample()).collect();
    scene.put_all(&samples).await;
    for (sample, left) in samples.iter().zip((0..5).rev()) {
        scene.remove(&sample.key, START).await;
        assert_eq!(scene.count(START).await, left);
    }
}

async fn page(scene: &Scene<'_>, after: Option<Locator>, limit: usize) -> Page {
    done("page", scene.store.page(scene.namespace, after, limit, START).await)
}

async fn behind(scene: &Scene<'_>, after: [u8; 16]) -> Vec<Locator> {
    let page = page(scene, Some(Locator::from_bytes(after)), 10).await;
    page.records.iter().map(|record: &Record| record.key().locator).collect()
}

fn at(scene: &Scene<'_>, locator: [u8; 16]) -> Key {
    Key { namespace: scene.namespace, locator: Locator::from_bytes(locator) }
}
