//! How often a store goes to its server.

use std::sync::Arc;
use std::time::Duration;

use coatroom::testing::Client;
use coatroom::{ManualClock, Session, SessionManager, Slot};
use coatroom_testbed::Proxy;

use crate::support::{Server, Shop, on_each_server, open};

const COUNT: Slot<u64> = Slot::new("count");

/// A manager whose store is reached through a proxy, on a clock of its own.
struct Counted {
    proxy: Proxy,
    sessions: SessionManager,
    clock: Arc<ManualClock>,
}

impl Counted {
    async fn new(server: &Server) -> Self {
        let proxy = Proxy::start(&server.address());
        let store = open(&proxy.url(&server.url())).await;
        let clock = Arc::new(ManualClock::new());
        let builder = SessionManager::builder_shared(store).clock(clock.clone()).sweep_every(None);
        let counted = Self { proxy, sessions: builder.follow_store_clock(false).build().unwrap(), clock };
        // What is prepared once is not counted.
        counted.live_once().await;
        counted
    }

    /// How many round trips this took.
    async fn trips<T>(&self, work: impl Future<Output = T>) -> (u64, T) {
        let before = self.proxy.round_trips();
        let done = work.await;
        (self.proxy.round_trips() - before, done)
    }

    /// Everything once.
    async fn live_once(&self) {
        let mut visitor = Client::new(Shop::router(&self.sessions));
        for path in ["/list/1", "/login/anna", "/list/2", "/login/anna", "/logout"] {
            assert_eq!(visitor.post(path, "").await.status, 204);
        }
        let (id, session) = self.sessions.create().unwrap();
        self.sessions.commit(&session).await.unwrap();
        let (one, other) = (self.opened(&id).await, self.opened(&id).await);
        edit(&one).await;
        edit(&other).await;
        self.clock.advance(Duration::from_secs(120));
        self.sessions.end(&self.opened(&id).await.locator().unwrap()).await.unwrap();
    }

    async fn opened(&self, id: &coatroom::SessionId) -> Session {
        self.sessions.open(id).await.unwrap().unwrap()
    }
}

async fn edit(session: &Session) {
    session.edit(COUNT, |count| *count += 1).unwrap();
    session.save().await.unwrap();
}

on_each_server! {
    async fn each_call_is_one_round_trip(server) {
        let counted = Counted::new(&server).await;
        let (id, session) = counted.sessions.create().unwrap();
        assert_eq!(counted.trips(counted.sessions.commit(&session)).await.0, 1, "creating");
        let (trips, one) = counted.trips(counted.opened(&id)).await;
        assert_eq!(trips, 1, "loading");
        let other = counted.opened(&id).await;
        assert_eq!(counted.trips(edit(&one)).await.0, 1, "committing");
        assert_eq!(counted.trips(edit(&other)).await.0, 2, "committing after a conflict");
        one.renew().unwrap();
        assert_eq!(counted.trips(one.save()).await.0, 2, "renewing after a conflict");
        one.renew().unwrap();
        assert_eq!(counted.trips(one.save()).await.0, 1, "renewing");
        let locator = one.locator().unwrap();
        assert_eq!(counted.trips(counted.sessions.end(&locator)).await.0, 1, "ending");
    }

    async fn a_request_that_changes_nothing_costs_its_load_and_a_touch_once_an_interval(server) {
        let counted = Counted::new(&server).await;
        let mut visitor = Client::new(Shop::router(&counted.sessions));
        visitor.post("/login/anna", "").await;
        assert_eq!(counted.trips(visitor.get("/owner")).await.0, 2, "the id comes back for the first time");
        for _ in 0..3 {
            assert_eq!(counted.trips(visitor.get("/owner")).await.0, 1);
            counted.clock.advance(Duration::from_secs(61));
            assert_eq!(counted.trips(visitor.get("/owner")).await.0, 2);
        }
        assert_eq!(counted.trips(visitor.get("/")).await.0, 0, "no session is asked for");
        assert_eq!(counted.trips(visitor.post("/list/1", "")).await.0, 2, "loading and committing");
        assert_eq!(counted.trips(visitor.post("/logout", "")).await.0, 2, "loading and ending");
    }
}
