//! How often a store speaks with its server.

use std::sync::Arc;

use coatroom::{ManualClock, SessionManager};
use coatroom_testbed::{Proxy, RedisOptions};

use super::{COUNT, TEXT, connect, manager, start};
use crate::support::MINUTE;

/// A manager behind a proxy.
struct Counted {
    sessions: SessionManager,
    clock: Arc<ManualClock>,
    proxy: Proxy,
    _server: coatroom_testbed::Redis,
}

impl Counted {
    async fn new() -> Option<Self> {
        let server = start(RedisOptions::new())?;
        let proxy = Proxy::start(&server.address());
        let clock = Arc::new(ManualClock::new());
        let sessions = manager(connect(&proxy.url(&server.url())).await, &clock);
        Some(Self { sessions, clock, proxy, _server: server })
    }

    /// Checks how many round trips it takes.
    async fn takes<T>(&self, round_trips: u64, what: &str, work: impl Future<Output = T>) -> T {
        let before = self.proxy.round_trips();
        let done = work.await;
        assert_eq!(self.proxy.round_trips() - before, round_trips, "{what}");
        done
    }
}

#[tokio::test]
async fn each_step_takes_as_few_round_trips_as_it_can() {
    let Some(fixture) = Counted::new().await else { return };
    let sessions = &fixture.sessions;
    let (id, session) = sessions.create().unwrap();
    session.set(COUNT, &1).unwrap();
    fixture.takes(1, "creating", sessions.commit(&session)).await.unwrap();
    let unchanged = fixture.takes(1, "loading", sessions.open(&id)).await.unwrap().unwrap();
    fixture.takes(0, "committing nothing", sessions.commit(&unchanged)).await.unwrap();
    fixture.clock.advance(2 * MINUTE);
    fixture.takes(2, "loading and touching", sessions.open(&id)).await.unwrap();
    let changed = fixture.takes(1, "loading again", sessions.open(&id)).await.unwrap().unwrap();
    changed.set(COUNT, &2).unwrap();
    fixture.takes(1, "committing", sessions.commit(&changed)).await.unwrap();
    unchanged.edit(COUNT, |count| *count += 1).unwrap();
    fixture.takes(2, "committing over another", sessions.commit(&unchanged)).await.unwrap();
    let renewed = sessions.open(&id).await.unwrap().unwrap();
    renewed.renew().unwrap();
    let id = fixture.takes(1, "renewing", sessions.commit(&renewed)).await.unwrap().unwrap();
    let ended = sessions.open(&id).await.unwrap().unwrap();
    fixture.takes(1, "ending", ended.logout()).await.unwrap();
    fixture.takes(1, "sweeping where nothing is due", sessions.sweep()).await.unwrap();
}

#[tokio::test]
async fn a_login_takes_one_round_trip_and_its_two_looks_at_the_epoch() {
    let Some(fixture) = Counted::new().await else { return };
    let (_, session) = fixture.sessions.create().unwrap();
    session.login("alice").unwrap();
    let id = fixture.takes(3, "signing in", fixture.sessions.commit(&session)).await.unwrap().unwrap();
    let session = fixture.sessions.open(&id).await.unwrap().unwrap();
    session.set(COUNT, &1).unwrap();
    fixture.takes(1, "committing", fixture.sessions.commit(&session)).await.unwrap();
    fixture.takes(1, "ending", session.logout()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_forgot_its_scripts_costs_one_round_trip_more_once() {
    let Some(fixture) = Counted::new().await else { return };
    fixture._server.command(&["SCRIPT", "FLUSH"]);
    for round_trips in [2, 1] {
        let (_, session) = fixture.sessions.create().unwrap();
        session.set(COUNT, &1).unwrap();
        fixture.takes(round_trips, "creating", fixture.sessions.commit(&session)).await.unwrap();
    }
    fixture._server.command(&["SCRIPT", "FLUSH"]);
    assert!(!fixture.sessions.sweep().await.unwrap().more);
}

#[tokio::test]
async fn a_large_commit_takes_one_round_trip_and_two_more_once_where_the_scripts_are_forgotten() {
    let Some(fixture) = Counted::new().await else { return };
    let sessions = &fixture.sessions;
    let (id, session) = sessions.create().unwrap();
    session.set(TEXT, &"x".repeat(20_000)).unwrap();
    sessions.commit(&session).await.unwrap();
    for (count, round_trips) in [(1, 1), (2, 3), (3, 1)] {
        let session = sessions.open(&id).await.unwrap().unwrap();
        session.set(COUNT, &count).unwrap();
        if round_trips == 3 {
            fixture._server.command(&["SCRIPT", "FLUSH"]);
        }
        fixture.takes(round_trips, "committing", sessions.commit(&session)).await.unwrap();
        let session = sessions.open(&id).await.unwrap().unwrap();
        assert_eq!(session.get(COUNT).unwrap(), Some(count));
        assert_eq!(session.get(TEXT).unwrap().unwrap().len(), 20_000);
    }
}
