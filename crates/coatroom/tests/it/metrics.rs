//! What the counters count.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use coatroom::{ManualClock, MemoryStore, SessionManager, Slot, TryUpdateError, Wait};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

type Counts = Arc<Mutex<BTreeMap<String, u64>>>;
type Sizes = Arc<Mutex<Vec<f64>>>;

/// Counts under the value of their one label what one counter counts, and keeps what the histogram is given.
struct Counting {
    name: &'static str,
    counts: Counts,
    sizes: Sizes,
}

impl Counting {
    fn of(name: &'static str) -> Self {
        Self { name, counts: Counts::default(), sizes: Sizes::default() }
    }

    fn counts(&self) -> Vec<(String, u64)> {
        self.counts.lock().unwrap().clone().into_iter().collect()
    }
}

struct Recording(Sizes);

impl HistogramFn for Recording {
    fn record(&self, value: f64) {
        self.0.lock().unwrap().push(value);
    }
}

struct One(String, Counts);

impl CounterFn for One {
    fn increment(&self, value: u64) {
        *self.1.lock().unwrap().entry(self.0.clone()).or_default() += value;
    }

    fn absolute(&self, _: u64) {}
}

impl Recorder for Counting {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if key.name() != self.name {
            return Counter::noop();
        }
        let label = key.labels().next().unwrap().value().to_owned();
        Counter::from_arc(Arc::new(One(label, self.counts.clone())))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        assert_eq!((key.name(), key.labels().count()), ("coatroom_record_bytes", 0));
        Histogram::from_arc(Arc::new(Recording(self.sizes.clone())))
    }
}

/// The commits that `work` made, by outcome.
fn commits(work: impl FnOnce(&SessionManager)) -> Vec<(String, u64)> {
    let recorder = Counting::of("coatroom_commits_total");
    let sessions = SessionManager::builder(MemoryStore::new()).build().unwrap();
    metrics::with_local_recorder(&recorder, || work(&sessions));
    recorder.counts()
}

fn counted(outcome: &str, times: u64) -> (String, u64) {
    (outcome.to_owned(), times)
}

const N: Slot<u64> = Slot::new("n");

#[test]
fn commits_and_updates_that_landed_are_counted() {
    let counts = commits(|sessions| {
        let session = sessions.keyed("visitor").wait().unwrap();
        session.set(N, &1).unwrap();
        session.save().wait().unwrap();
        session.update(N, |n| n + 1).wait().unwrap();
        session.update(N, |n| n + 1).wait().unwrap();
    });
    assert_eq!(counts, [counted("landed", 3)]);
}

#[test]
fn an_update_that_its_closure_refuses_is_no_commit() {
    let counts = commits(|sessions| {
        let session = sessions.keyed("visitor").wait().unwrap();
        let refused = session.try_update(N, |_| Err("no")).wait();
        assert!(matches!(refused, Err(TryUpdateError::Refused("no"))));
    });
    assert_eq!(counts, []);
}

#[test]
fn an_update_of_a_session_that_was_ended_has_failed() {
    let counts = commits(|sessions| {
        let session = sessions.keyed("visitor").wait().unwrap();
        session.update(N, |n| n + 1).wait().unwrap();
        sessions.end(&session.locator().unwrap()).wait().unwrap();
        assert!(session.update(N, |n| n + 1).wait().is_err());
    });
    assert_eq!(counts, [counted("failed", 1), counted("landed", 1)]);
}

#[test]
fn a_commit_that_changes_nothing_and_one_that_fails_are_counted_as_such() {
    let counts = commits(|sessions| {
        let session = sessions.keyed("visitor").wait().unwrap();
        session.set(N, &1).unwrap();
        session.save().wait().unwrap();
        session.set(N, &1).unwrap();
        session.save().wait().unwrap();
        session.set(N, &2).unwrap();
        sessions.end(&session.locator().unwrap()).wait().unwrap();
        session.save().wait().unwrap_err();
    });
    assert_eq!(counts, [counted("failed", 1), counted("landed", 1), counted("unchanged", 1)]);
}

#[test]
fn each_event_is_counted_by_its_name() {
    let recorder = Counting::of("coatroom_events_total");
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::builder().max_bytes(64 << 10).build();
    let builder = SessionManager::builder(store).clock(clock.clone()).sweep_every(None);
    let sessions = builder.build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        let (id, session) = sessions.create().unwrap();
        session.login("alice").unwrap();
        sessions.commit(&session).wait().unwrap();
        session.renew().unwrap();
        sessions.commit(&session).wait().unwrap();
        clock.advance(std::time::Duration::from_secs(61));
        assert!(sessions.open(&id).wait().unwrap().is_none());
        sessions.end(&id.locator()).wait().unwrap();
        let (_, session) = sessions.create().unwrap();
        sessions.commit(&session).wait().unwrap();
        clock.advance(std::time::Duration::from_secs(21 * 60));
        sessions.sweep().wait().unwrap();
    });
    let expected = [("created", 2), ("ended", 1), ("expired", 1), ("renewed", 2), ("suspicious", 1)];
    assert_eq!(recorder.counts(), expected.map(|(event, times)| counted(event, times)));
    metrics::with_local_recorder(&recorder, || {
        while !recorder.counts().iter().any(|(event, _)| event == "evicted") {
            let (_, session) = sessions.create().unwrap();
            session.set(Slot::new("note"), &"x".repeat(1_000)).unwrap();
            sessions.commit(&session).wait().unwrap();
            assert!(recorder.counts().iter().all(|(_, times)| *times < 1_000));
        }
    });
}

#[test]
fn a_confirmed_session_is_counted_once() {
    let recorder = Counting::of("coatroom_events_total");
    let sessions = SessionManager::builder(MemoryStore::new()).sweep_every(None).build().unwrap();
    let app = axum::Router::new()
        .route("/", axum::routing::post(async |session: coatroom::Session| session.set(N, &1)))
        .layer(sessions.layer());
    let mut visitor = coatroom::testing::Client::new(app);
    metrics::with_local_recorder(&recorder, || (0..3).for_each(|_| drop(visitor.post("/", "").wait())));
    assert_eq!(recorder.counts(), [counted("confirmed", 1), counted("created", 1)]);
}

#[test]
fn the_size_of_each_record_that_landed_is_recorded() {
    let recorder = Counting::of("none");
    let sessions = SessionManager::builder(MemoryStore::new()).sweep_every(None).build().unwrap();
    let mut sizes = Vec::new();
    metrics::with_local_recorder(&recorder, || {
        let session = sessions.keyed("visitor").wait().unwrap();
        for n in [1, 1 << 20, 1 << 20] {
            session.set(N, &n).unwrap();
            session.save().wait().unwrap();
            sizes.push(sessions.list(None, 1).wait().unwrap().0[0].bytes as f64);
        }
        session.update(N, |_| 2).wait().unwrap();
        sizes.push(sessions.list(None, 1).wait().unwrap().0[0].bytes as f64);
    });
    // The third save changed nothing.
    sizes.remove(2);
    assert_eq!(*recorder.sizes.lock().unwrap(), sizes);
}
