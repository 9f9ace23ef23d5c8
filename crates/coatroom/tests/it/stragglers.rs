//! Requests from before a login that change the session after it.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::{get, post};
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::Client;
use coatroom::{Session, SessionError, SessionId, Slot, StoreError};

use crate::support::{Fixture, MINUTE, Place, memory, on_each_store};

const VISITS: Slot<u64> = Slot::new("visits");
const NOTE: Slot<String> = Slot::new("note");
const ADDRESS: Slot<String> = Slot::new("address");

/// A request that loaded a session, and the id that its principal holds since.
async fn overtaken(fixture: &Fixture) -> (Session, SessionId) {
    let (id, session) = fixture.sessions.create().unwrap();
    session.set(NOTE, &"from before".to_owned()).unwrap();
    fixture.sessions.commit(&session).await.unwrap();
    let straggler = fixture.sessions.open(&id).await.unwrap().unwrap();
    let session = fixture.sessions.open(&id).await.unwrap().unwrap();
    session.login("alice").unwrap();
    session.set(ADDRESS, &"Rosengarten 1".to_owned()).unwrap();
    let alice = fixture.sessions.commit(&session).await.unwrap().unwrap();
    (straggler, alice)
}

async fn assert_it_gains_nothing(fixture: &Fixture, straggler: &Session, alice: &SessionId) {
    assert_eq!((straggler.principal(), straggler.authenticated()), (None, None));
    assert_eq!(straggler.get(ADDRESS).unwrap(), None);
    assert_eq!(straggler.names().len(), 2);
    straggler.renew().unwrap();
    assert!(matches!(fixture.sessions.commit(straggler).await, Err(SessionError::Superseded)));
    straggler.discard();
    straggler.login("bob").unwrap();
    assert!(matches!(fixture.sessions.commit(straggler).await, Err(SessionError::Superseded)));
    straggler.discard();
    let session = fixture.sessions.open(alice).await.unwrap().unwrap();
    assert_eq!(session.principal().as_deref(), Some("alice"));
    assert_eq!(session.get(ADDRESS).unwrap().as_deref(), Some("Rosengarten 1"));
}

/// What a straggler writes lands, again and again, and shows or gives it nothing of the principal.
async fn lands_and_gains_nothing(place: Place, count: impl AsyncFn(&Session)) {
    let fixture = Fixture::new(place);
    let (straggler, alice) = overtaken(&fixture).await;
    for expected in 1..=2 {
        count(&straggler).await;
        assert_eq!(straggler.get(VISITS).unwrap(), Some(expected));
        assert_it_gains_nothing(&fixture, &straggler, &alice).await;
    }
    let session = fixture.sessions.open(&alice).await.unwrap().unwrap();
    assert_eq!(session.get(VISITS).unwrap(), Some(2));
}

on_each_store! {
    async fn an_update_lands_and_hands_over_nothing_of_the_principal(place) {
        lands_and_gains_nothing(place, async |straggler| {
            straggler.update(VISITS, |n| n + 1).await.unwrap();
        })
        .await;
    }

    async fn a_save_lands_and_hands_over_nothing_of_the_principal(place) {
        lands_and_gains_nothing(place, async |straggler| {
            straggler.edit(VISITS, |n| *n += 1).unwrap();
            straggler.save().await.unwrap();
        })
        .await;
    }

    async fn its_later_changes_are_still_merged_with_those_of_the_principal(place) {
        let fixture = Fixture::new(place);
        let (straggler, alice) = overtaken(&fixture).await;
        let hers = fixture.sessions.open(&alice).await.unwrap().unwrap();
        for expected in [2, 4, 6] {
            straggler.edit(VISITS, |n| *n += 1).unwrap();
            straggler.save().await.unwrap();
            assert_eq!(hers.update(VISITS, |n| n + 1).await.unwrap(), expected);
        }
        straggler.clear().unwrap();
        straggler.save().await.unwrap();
        assert!(straggler.names().is_empty());
        let session = fixture.sessions.open(&alice).await.unwrap().unwrap();
        assert!(session.names().is_empty() && session.principal().as_deref() == Some("alice"));
    }

    async fn its_own_renewal_is_no_login_of_another(place) {
        let fixture = Fixture::new(place);
        let (_, alice) = overtaken(&fixture).await;
        let session = fixture.sessions.open(&alice).await.unwrap().unwrap();
        let mut id = alice;
        for _ in 0..3 {
            session.renew().unwrap();
            id = fixture.sessions.commit(&session).await.unwrap().unwrap();
            session.update(VISITS, |n| n + 1).await.unwrap();
            assert_eq!(session.get(ADDRESS).unwrap().as_deref(), Some("Rosengarten 1"));
        }
        assert!(fixture.sessions.open(&id).await.unwrap().is_some());
    }

    async fn it_is_handed_no_id_for_changing_how_long_the_cookie_lasts(place) {
        let fixture = Fixture::new(place);
        let (straggler, alice) = overtaken(&fixture).await;
        straggler.set_lifetime(30 * MINUTE).unwrap();
        assert_eq!(fixture.sessions.commit(&straggler).await.unwrap(), None);
        straggler.update(VISITS, |n| n + 1).await.unwrap();
        straggler.set_persistent(true).unwrap();
        assert_eq!(fixture.sessions.commit(&straggler).await.unwrap(), None);
        let session = fixture.sessions.open(&alice).await.unwrap().unwrap();
        assert_eq!(session.deadline().unwrap().since(session.authenticated().unwrap()), 30 * MINUTE);
    }
}

#[tokio::test]
async fn its_response_does_not_put_the_dead_secret_over_the_cookie_of_the_login() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let begin = async |session: Session| session.set(VISITS, &1);
    let remember = async |session: Session| session.set_persistent(true);
    let login = async |session: Session| session.login("alice");
    let app = Router::new()
        .route("/", get(begin))
        .route("/remember", post(remember))
        .route("/login", post(login))
        .layer(fixture.sessions.layer());
    let mut visitor = Client::new(app);
    visitor.get("/").await;
    let held = faulty.hold_before(Operation::Commit, 1);
    let mut straggler = visitor.clone();
    let straggling = tokio::spawn(async move { straggler.post("/remember", "").await });
    held.reached().await;
    assert!(visitor.post("/login", "").await.headers.contains_key(header::SET_COOKIE));
    held.open();
    let answer = straggling.await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.headers.get(header::SET_COOKIE)), (200, None));
}

#[tokio::test]
async fn a_save_that_outlasts_the_response_opens_the_session_to_no_later_change() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    for fails in [false, true] {
        let held = faulty.hold_before(Operation::Commit, 1);
        if fails {
            faulty.fail(Operation::Commit, 1, StoreError::unavailable("the store was unplugged"));
        }
        let (hand, mut handed) = tokio::sync::mpsc::channel(1);
        let gate = held.clone();
        let handler = async move |session: Session| {
            session.set(VISITS, &1).unwrap();
            let saving = session.clone();
            let saved = tokio::spawn(async move { saving.save().await });
            gate.reached().await;
            hand.send((session, saved)).await.unwrap();
        };
        let app: Router = Router::new().route("/", post(handler)).layer(fixture.sessions.layer());
        let mut visitor = Client::new(app).signed_in(&fixture.sessions, "alice").await.unwrap();
        assert_eq!(visitor.post("/", "").await.status, 200);
        let (session, saved) = handed.recv().await.unwrap();
        assert!(matches!(session.set(VISITS, &2), Err(SessionError::AfterResponse)));
        held.open();
        assert_eq!(saved.await.unwrap().is_err(), fails);
        assert!(matches!(session.set(VISITS, &2), Err(SessionError::AfterResponse)));
        assert!(matches!(session.save().await, Err(SessionError::AfterResponse)));
    }
}

#[tokio::test]
async fn a_detached_session_is_open_again_when_the_save_that_outlasted_the_response_is_done() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let held = faulty.hold_before(Operation::Commit, 1);
    let (hand, mut handed) = tokio::sync::mpsc::channel(1);
    let gate = held.clone();
    let handler = async move |session: Session| {
        let session = session.detach();
        session.set(VISITS, &1).unwrap();
        let saving = session.clone();
        let saved = tokio::spawn(async move { saving.save().await });
        gate.reached().await;
        hand.send((session, saved)).await.unwrap();
    };
    let app: Router = Router::new().route("/", post(handler)).layer(fixture.sessions.layer());
    let mut visitor = Client::new(app).signed_in(&fixture.sessions, "alice").await.unwrap();
    visitor.post("/", "").await;
    let (session, saved) = handed.recv().await.unwrap();
    assert!(matches!(session.set(VISITS, &2), Err(SessionError::SaveRunning)));
    held.open();
    saved.await.unwrap().unwrap();
    session.set(VISITS, &2).unwrap();
    session.save().await.unwrap();
    let stored = fixture.sessions.open_locator(&session.locator().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.get(VISITS).unwrap(), Some(2));
}
