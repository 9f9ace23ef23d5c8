//! What the one listener hears of a life.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{Request, header};
use axum::routing::{get, post};
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::{Client, signed_in};
use coatroom::{
    Event, Locator, MemoryStore, Session, SessionId, SessionManagerBuilder, Slot, StoreError, Suspicion,
};

use crate::support::{Fixture, MINUTE, Place, memory, on_each_store};

const COOKIE: &str = "__Host-session";
const COUNT: Slot<u64> = Slot::new("count");

/// An event, and what it says beside its session.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Heard {
    Confirmed(Locator),
    Created(Locator),
    Ended(Locator, Option<String>),
    Evicted(Locator),
    Expired(Locator),
    Renewed(Locator, Option<String>),
    Suspicious(Suspicion, Option<Locator>),
}

#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<Heard>>>);

impl Ear {
    fn on(&self, builder: SessionManagerBuilder) -> SessionManagerBuilder {
        let ear = self.clone();
        builder.on_event(move |event: &Event<'_>| ear.0.lock().unwrap().push(Heard::from(event)))
    }

    /// What was heard since the last call.
    fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl From<&Event<'_>> for Heard {
    fn from(event: &Event<'_>) -> Self {
        match event {
            Event::Confirmed { locator } => Self::Confirmed(*locator),
            Event::Created { locator } => Self::Created(*locator),
            Event::Ended { locator, principal } => Self::Ended(*locator, principal.map(str::to_owned)),
            Event::Evicted(session) => Self::Evicted(session.info().locator),
            Event::Expired(session) => Self::Expired(session.info().locator),
            Event::Renewed { locator, principal } => Self::Renewed(*locator, principal.map(str::to_owned)),
            Event::Suspicious { reason, locator } => Self::Suspicious(*reason, *locator),
            other => panic!("an event of another kind: {other:?}"),
        }
    }
}

fn visitor(fixture: &Fixture) -> Client<Router> {
    let add = async |session: Session| session.update(COUNT, |n| n + 1).await.map(|n| n.to_string());
    let app = Router::new()
        .route("/", get(async |session: Session| session.exists().to_string()).post(add))
        .route("/renew", post(async |session: Session| session.renew()))
        .route("/login", post(async |session: Session| session.login("alice")))
        .route("/logout", post(async |session: Session| session.logout().await));
    Client::new(app.layer(fixture.sessions.layer()))
}

fn listening(place: Place) -> (Fixture, Ear) {
    let ear = Ear::default();
    (Fixture::with(place, |builder| ear.on(builder)), ear)
}

fn id_of(visitor: &Client<Router>) -> SessionId {
    SessionId::parse(visitor.cookie(COOKIE).unwrap().as_bytes()).unwrap()
}

on_each_store! {
    async fn a_life_is_told_from_its_creation_to_its_end(place) {
        let (fixture, ear) = listening(place);
        let mut visitor = visitor(&fixture);
        visitor.get("/").await;
        assert_eq!(ear.take(), []);
        visitor.post("/", "").await;
        let locator = id_of(&visitor).locator();
        assert_eq!(ear.take(), [Heard::Created(locator)]);
        visitor.get("/").await;
        assert_eq!(ear.take(), [Heard::Confirmed(locator)]);
        visitor.get("/").await;
        visitor.post("/", "").await;
        assert_eq!(ear.take(), []);
        visitor.post("/renew", "").await;
        assert_eq!(ear.take(), [Heard::Renewed(locator, None)]);
        visitor.post("/login", "").await;
        assert_eq!(ear.take(), [Heard::Renewed(locator, Some("alice".into()))]);
        visitor.post("/logout", "").await;
        assert_eq!(ear.take(), [Heard::Ended(locator, Some("alice".into()))]);
        visitor.post("/logout", "").await;
        assert_eq!(ear.take(), []);
    }

    async fn a_login_is_told_also_where_it_begins_its_session_or_renews_no_secret(place) {
        let (fixture, ear) = listening(place);
        let mut visitor = visitor(&fixture);
        visitor.post("/login", "").await;
        let locator = id_of(&visitor).locator();
        assert_eq!(ear.take(), [Heard::Created(locator), Heard::Renewed(locator, Some("alice".into()))]);
        let session = fixture.sessions.keyed("k").await.unwrap();
        session.set(COUNT, &1).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        let locator = session.locator().unwrap();
        assert_eq!(ear.take(), [Heard::Created(locator)]);
        session.login("bob").unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        assert_eq!(ear.take(), [Heard::Renewed(locator, Some("bob".into()))]);
    }

    async fn a_keyed_session_that_two_begin_at_once_is_told_once(place) {
        let (fixture, ear) = listening(place);
        let (one, two) = (fixture.sessions.keyed("k").await.unwrap(), fixture.sessions.keyed("k").await.unwrap());
        one.set(COUNT, &1).unwrap();
        two.set(COUNT, &2).unwrap();
        fixture.sessions.commit(&one).await.unwrap();
        fixture.sessions.commit(&two).await.unwrap();
        assert_eq!(ear.take(), [Heard::Created(one.locator().unwrap())]);
    }

    async fn ending_by_locator_and_by_principal_is_told_once_for_each_session(place) {
        let (fixture, ear) = listening(place);
        let mut locators = Vec::new();
        for _ in 0..3 {
            locators.push(signed_in(&fixture.sessions, "alice").await.unwrap().locator());
        }
        ear.take();
        fixture.sessions.end(&locators[0]).await.unwrap();
        fixture.sessions.end(&locators[0]).await.unwrap();
        assert_eq!(ear.take(), [Heard::Ended(locators[0], Some("alice".into()))]);
        fixture.sessions.end_all("alice").await.unwrap();
        let mut heard = ear.take();
        heard.sort_by_key(|heard| locators.iter().position(|l| *heard == Heard::Ended(*l, Some("alice".into()))));
        assert_eq!(heard, [1, 2].map(|n| Heard::Ended(locators[n], Some("alice".into()))));
    }

    async fn a_wrong_secret_is_told_with_the_session_it_was_tried_on_and_a_late_one_too(place) {
        let (fixture, ear) = listening(place);
        let mut visitor = visitor(&fixture);
        visitor.post("/", "").await;
        let (old, locator) = (id_of(&visitor), id_of(&visitor).locator());
        let other = SessionId::generate().unwrap().expose();
        let forged = format!("{}{}", &old.expose()[..22], &other[22..]);
        // The 22nd character belongs to both halves, and here to the right locator.
        let forged = SessionId::parse(forged.as_bytes()).unwrap();
        assert_eq!(forged.locator(), locator);
        visitor.post("/login", "").await;
        ear.take();
        assert!(fixture.sessions.open(&forged).await.unwrap().is_none());
        assert_eq!(ear.take(), [Heard::Suspicious(Suspicion::WrongSecret, Some(locator))]);
        // The previous secret is a straggler's for a minute.
        assert!(fixture.sessions.open(&old).await.unwrap().is_none());
        assert_eq!(ear.take(), []);
        fixture.clock.advance(MINUTE);
        assert!(fixture.sessions.open(&old).await.unwrap().is_none());
        assert_eq!(ear.take(), [Heard::Suspicious(Suspicion::WrongSecret, Some(locator))]);
    }

    /// Case 32 of the hostile cookies: an id that was good once. It is no session, adopts nothing and
    /// changes no cookie; and it is no event, since every honest browser sends it after its lunch.
    async fn the_id_of_a_session_that_is_over_is_unknown_and_not_suspicious(place) {
        let (fixture, ear) = listening(place.clone());
        let blog = Fixture::with(place, |b| b.namespace("blog"));
        let mut ids = Vec::new();
        for _ in 0..3 {
            let mut visitor = visitor(&fixture);
            visitor.post("/", "").await;
            ids.push(id_of(&visitor));
        }
        fixture.sessions.end(&ids[0].locator()).await.unwrap();
        fixture.clock.advance(21 * MINUTE);
        // Expired and not swept, expired and swept.
        let foreign = signed_in(&blog.sessions, "alice").await.unwrap();
        ear.take();
        for swept in [false, true] {
            if swept {
                fixture.sessions.sweep().await.unwrap();
                ear.take();
            }
            for id in ids.iter().chain([&foreign]) {
                let mut visitor = visitor(&fixture);
                visitor.set_cookie(COOKIE, &id.expose());
                let answer = visitor.get("/").await;
                assert_eq!((answer.text(), answer.headers.get(header::SET_COOKIE)), ("false", None));
            }
            assert_eq!(ear.take(), []);
        }
        assert!(blog.sessions.open(&foreign).await.unwrap().is_some());
        let mut visitor = visitor(&fixture);
        visitor.set_cookie(COOKIE, &ids[0].expose());
        visitor.post("/", "").await;
        assert_ne!(id_of(&visitor).locator(), ids[0].locator());
    }
}

#[tokio::test]
async fn what_a_full_store_puts_out_is_told() {
    let ear = Ear::default();
    let store = MemoryStore::builder().max_bytes(64 << 10).build();
    let faulty = Arc::new(FaultyStore::new(Arc::new(store)));
    let fixture = Fixture::with_store(faulty.clone(), |builder| ear.on(builder));
    let mut created = Vec::new();
    while !ear.0.lock().unwrap().iter().any(|heard| matches!(heard, Heard::Evicted(_))) {
        assert!(created.len() < 1_000, "64 KiB hold no thousand records of a kilobyte");
        let (id, session) = fixture.sessions.create().unwrap();
        session.set(Slot::new("note"), &"x".repeat(1_000)).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        created.push(id.locator());
    }
    let evicted = ear.take().into_iter().filter_map(|heard| match heard {
        Heard::Evicted(locator) => Some(locator),
        _ => None,
    });
    for locator in evicted {
        assert!(created.contains(&locator));
        assert!(fixture.sessions.open_locator(&locator).await.unwrap().is_none());
    }
    let puts_out = || ear.take().iter().any(|heard| matches!(heard, Heard::Evicted(_)));
    let session = fixture.sessions.open_locator(created.last().unwrap()).await.unwrap().unwrap();
    session.update(Slot::<String>::new("note"), |note| note.repeat(10)).await.unwrap();
    assert!(puts_out());
    session.set(Slot::new("note"), &"x".repeat(20_000)).unwrap();
    let lost = StoreError::OutcomeUnknown { what: "committing".into(), source: None };
    faulty.fail(Operation::Commit, 1, lost);
    session.save().await.unwrap();
    assert!(puts_out(), "also where it was sent twice");
}

#[tokio::test]
async fn what_is_put_out_by_taking_back_is_told() {
    let ear = Ear::default();
    let store = Arc::new(MemoryStore::builder().max_bytes(64 << 10).build());
    let fixture = Fixture::with_store(store, |builder| ear.on(builder));
    let session = fixture.sessions.keyed("large").await.unwrap();
    session.set(Slot::new("note"), &"x".repeat(30_000)).unwrap();
    session.save().await.unwrap();
    for ends in [true, false] {
        let session = fixture.sessions.keyed("large").await.unwrap();
        session.remove(Slot::<String>::new("note")).unwrap();
        let undo = if ends { session.end_undoable().await } else { session.save_undoable().await };
        for _ in 0..30 {
            let (_, session) = fixture.sessions.create().unwrap();
            session.set(Slot::new("note"), &"x".repeat(1_000)).unwrap();
            fixture.sessions.commit(&session).await.unwrap();
        }
        ear.take();
        fixture.sessions.undo(&undo.unwrap().unwrap()).await.unwrap();
        assert!(ear.take().iter().any(|heard| matches!(heard, Heard::Evicted(_))), "{ends}");
    }
}

#[tokio::test]
async fn a_malformed_id_is_told_once_a_request_and_names_no_session() {
    let (fixture, ear) = listening(memory());
    let mut visitor = visitor(&fixture);
    for odd in ["", "planted", "../../etc/passwd"] {
        let request = Request::get("/").header(header::COOKIE, format!("{COOKIE}={odd}"));
        assert_eq!(visitor.send(request.body(String::new()).unwrap()).await.text(), "false");
        assert_eq!(ear.take(), [Heard::Suspicious(Suspicion::Malformed, None)]);
    }
}

#[tokio::test]
async fn a_creation_that_waits_for_nothing_is_told_once_and_the_session_is_free_meanwhile() {
    let (held, seen) = (Arc::new(Mutex::new(None::<Session>)), Arc::new(Mutex::new(Vec::new())));
    let (on_told, heard) = (held.clone(), seen.clone());
    let fixture = Fixture::with(memory(), |builder| {
        builder.on_event(move |event: &Event<'_>| {
            let session = on_told.lock().unwrap().clone().unwrap();
            heard.lock().unwrap().push((Heard::from(event), session.get(COUNT).unwrap()));
        })
    });
    let session = fixture.sessions.create_keyed("visitor");
    *held.lock().unwrap() = Some(session.clone());
    session.set(COUNT, &1).unwrap();
    assert!(session.save_undoable_at_hand().is_some());
    let locator = session.locator().unwrap();
    assert_eq!(*seen.lock().unwrap(), [(Heard::Created(locator), Some(1))]);
}
