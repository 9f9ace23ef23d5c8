//! What a load sees.

use std::thread;
use std::time::Duration;

use super::scene::{HOUR, LATENESS, MINUTE, START, Sample, Scene, just_before};
use crate::clock::Timestamp;
use crate::id::Key;
use crate::store::Store;

/// "The live record under `key`": what was created is loaded, bytes and activity.
pub async fn load_returns_what_create_kept(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    scene.assert_holds(&sample, START).await;
}

/// "... or `None`."
pub async fn load_of_an_unknown_key_is_none(store: &dyn Store) {
    let scene = Scene::new(store);
    scene.put(&scene.sample()).await;
    scene.assert_absent(&scene.key(), START).await;
}

/// Loading is not an access: the activity stays where it is.
pub async fn load_changes_nothing(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    for minutes in 1..20 {
        scene.assert_holds(&sample, START + minutes * MINUTE).await;
    }
    scene.assert_absent(&sample.key, START + 20 * MINUTE).await;
}

/// "Whatever a completed `create`, `commit`, `touch` or `remove` did is seen by every later load",
/// on any thread.
pub async fn load_sees_what_other_threads_completed(store: &dyn Store) {
    let scene = Scene::new(store);
    let (sample, at) = (scene.sample(), START + MINUTE);
    let next = Sample { activity: sample.activity, ..sample.next() };
    elsewhere(scene.put(&sample));
    scene.assert_holds(&sample, START).await;
    elsewhere(scene.replace(&sample, &next, START));
    scene.assert_holds(&next, START).await;
    elsewhere(scene.touch(&sample.key, at, true));
    scene.assert_holds(&next.accessed(at), at).await;
    elsewhere(scene.remove(&sample.key, at));
    scene.assert_absent(&sample.key, at).await;
}

/// "A record that is dead at `now` is as absent", and one that is not yet dead is there: lifetime,
/// idle timeout and unconfirmed timeout each end it at the very millisecond.
pub async fn load_finds_a_record_until_the_millisecond_of_its_deadline(store: &dyn Store) {
    let scene = Scene::new(store);
    for sample in scene.mortals() {
        scene.put(&sample).await;
        scene.assert_holds(&sample, just_before(sample.expires_at())).await;
        scene.assert_absent(&sample.key, sample.expires_at()).await;
        scene.assert_absent(&sample.key, sample.expires_at() + LATENESS).await;
    }
}

/// A record without a lifetime and an idle timeout is live at any time.
pub async fn a_record_without_limits_never_dies(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = Sample { deadline: Timestamp::NEVER, idle_timeout: Duration::MAX, ..scene.sample() };
    let late = START + 24 * 365_000 * HOUR;
    scene.put(&sample).await;
    assert!(scene.claim(late, 10).await.is_empty(), "a record without limits was claimed");
    scene.assert_holds(&sample, late).await;
    assert_eq!(scene.count(late).await, 1);
}

/// Keys carry the namespace: one locator in two of them is two records.
pub async fn namespaces_never_meet(store: &dyn Store) {
    let (here, there) = (Scene::new(store), Scene::new(store));
    let sample = here.sample();
    let other = Sample::new(Key { namespace: there.namespace, ..sample.key });
    here.put(&sample).await;
    there.assert_absent(&other.key, START).await;
    there.put(&other).await;
    here.assert_holds(&sample, START).await;
    there.assert_holds(&other, START).await;
    assert!(here.remove(&sample.key, START).await.is_some());
    there.assert_holds(&other, START).await;
}

/// "Whether the store can answer": a healthy one can.
pub async fn check_succeeds(store: &dyn Store) {
    super::scene::done("check", store.check().await);
}

/// "Completes when all that was acknowledged is as durable as this store makes it", and changes
/// nothing.
pub async fn flush_completes_and_changes_nothing(store: &dyn Store) {
    let scene = Scene::new(store);
    let sample = scene.sample();
    scene.put(&sample).await;
    super::scene::done("flush", store.flush().await);
    scene.assert_holds(&sample, START).await;
    super::scene::done("flush", store.flush().await);
}

fn elsewhere<T: Send>(work: impl Future<Output = T> + Send) -> T {
    thread::scope(|scope| scope.spawn(|| pollster::block_on(work)).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
