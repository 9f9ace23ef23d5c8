//! What the counters count.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use coatroom::{MemoryStore, SessionManager, Slot, TryUpdateError, Wait};
use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

/// Counts commits by their outcome.
#[derive(Default)]
struct Counting(Counts);

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
        if key.name() != "coatroom_commits_total" {
            return Counter::noop();
        }
        let outcome = key.labels().next().unwrap().value().to_owned();
        Counter::from_arc(Arc::new(One(outcome, self.0.clone())))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// The commits that `work` made, by outcome.
fn commits(work: impl FnOnce(&SessionManager)) -> Vec<(String, u64)> {
    let recorder = Counting::default();
    let sessions = SessionManager::builder(MemoryStore::new()).build().unwrap();
    metrics::with_local_recorder(&recorder, || work(&sessions));
    recorder.0.lock().unwrap().clone().into_iter().collect()
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
