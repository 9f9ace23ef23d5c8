//! How often a store speaks with its server.

use std::sync::Arc;

use coatroom::{ManualClock, SessionManager};
use coatroom_testbed::{Proxy, RedisOptions};

use super::{COUNT, connect, manager, start};
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
    let Some(house) = Counted::new().await else { return };
    let sessions = &house.sessions;
    let (id, session) = sessions.create().unwrap();
    session.set(COUNT, &1).unwrap();
    house.takes(1, "creating", sessions.commit(&session)).await.unwrap();
    let unchanged = house.takes(1, "loading", sessions.open(&id)).await.unwrap().unwrap();
    house.takes(0, "committing nothing", sessions.commit(&unchanged)).await.unwrap();
    house.clock.advance(2 * MINUTE);
    house.takes(2, "loading and touching", sessions.open(&id)).await.unwrap();
    let changed = house.takes(1, "loading again", sessions.open(&id)).await.unwrap().unwrap();
    changed.set(COUNT, &2).unwrap();
    house.takes(1, "committing", sessions.commit(&changed)).await.unwrap();
    unchanged.edit(COUNT, |count| *count += 1).unwrap();
    house.takes(2, "committing over another", sessions.commit(&unchanged)).await.unwrap();
    let renewed = sessions.open(&id).await.unwrap().unwrap();
    renewed.renew().unwrap();
    let id = house.takes(1, "renewing", sessions.commit(&renewed)).await.unwrap().unwrap();
    let ended = sessions.open(&id).await.unwrap().unwrap();
    house.takes(1, "ending", ended.logout()).await.unwrap();
    house.takes(1, "sweeping where nothing is due", sessions.sweep()).await.unwrap();
}

#[tokio::test]
async fn a_login_takes_one_round_trip_and_its_two_looks_at_the_epoch() {
    let Some(house) = Counted::new().await else { return };
    let (_, session) = house.sessions.create().unwrap();
    session.login("alice").unwrap();
    let id = house.takes(3, "signing in", house.sessions.commit(&session)).await.unwrap().unwrap();
    let session = house.sessions.open(&id).await.unwrap().unwrap();
    session.set(COUNT, &1).unwrap();
    house.takes(1, "committing", house.sessions.commit(&session)).await.unwrap();
    house.takes(1, "ending", session.logout()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_forgot_its_scripts_costs_one_round_trip_more_once() {
    let Some(house) = Counted::new().await else { return };
    house._server.command(&["SCRIPT", "FLUSH"]);
    for round_trips in [2, 1] {
        let (_, session) = house.sessions.create().unwrap();
        session.set(COUNT, &1).unwrap();
        house.takes(round_trips, "creating", house.sessions.commit(&session)).await.unwrap();
    }
    house._server.command(&["SCRIPT", "FLUSH"]);
    assert!(!house.sessions.sweep().await.unwrap().more);
}
