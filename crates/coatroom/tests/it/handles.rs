//! What clones of one handle do at once.

use std::sync::Arc;

use axum::Router;
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::Client;
use coatroom::{Session, SessionError, SessionHandle, Slot, StoreError};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tower::{Layer, ServiceExt};

use crate::support::{Fixture, memory};

const A: Slot<u64> = Slot::new("a");
const B: Slot<u64> = Slot::new("b");

/// A fixture whose store takes its time for every call.
fn slow() -> Fixture {
    Fixture::with_store(Arc::new(FaultyStore::new(memory().store).yielding()), |b| b)
}

async fn update_both(session: Session) -> Result<(), SessionError> {
    let (a, b) = tokio::join!(session.update(A, |n| n + 1), session.update(B, |n| n + 1));
    assert_eq!((a?, b?), (1, 1));
    assert_eq!((session.get(A)?, session.get(B)?), (Some(1), Some(1)));
    Ok(())
}

async fn update_and_save(session: Session) -> Result<(), SessionError> {
    session.set(A, &1)?;
    let (b, saved) = tokio::join!(session.update(B, |n| n + 1), session.save());
    assert_eq!((b?, saved?), (1, ()));
    assert_eq!((session.get(A)?, session.get(B)?), (Some(1), Some(1)));
    Ok(())
}

async fn read(session: Session) -> String {
    format!("{:?} {:?}", session.get(A).unwrap(), session.get(B).unwrap())
}

#[tokio::test]
async fn first_writes_at_once_begin_one_session_whose_cookie_is_sent() {
    let fixture = slow();
    let app = Router::new()
        .route("/", post(update_both).get(read))
        .route("/save", post(update_and_save))
        .layer(fixture.sessions.layer());
    for path in ["/", "/save"] {
        let mut visitor = Client::new(app.clone());
        let answer = visitor.post(path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(visitor.get("/").await.text(), "Some(1) Some(1)");
    }
    assert_eq!(fixture.sessions.count().await.unwrap(), 2);
}

#[tokio::test]
async fn an_update_that_ends_after_a_logout_brings_the_session_back_to_no_handle() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let (id, session) = fixture.sessions.create().unwrap();
    fixture.sessions.commit(&session).await.unwrap();
    let gate = faulty.hold_after(Operation::Commit, 1);
    let clone = session.clone();
    let update = tokio::spawn(async move { clone.update(A, |n| n + 1).await });
    gate.reached().await;
    session.logout().await.unwrap();
    gate.open();
    assert_eq!(update.await.unwrap().unwrap(), 1);
    assert!(!session.exists());
    // A write after a logout begins a new session.
    session.set(B, &1).unwrap();
    let new = fixture.sessions.commit(&session).await.unwrap().unwrap();
    assert_ne!(new.locator(), id.locator());
    assert!(fixture.sessions.open(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn updates_that_end_in_another_order_than_they_landed_take_nothing_from_the_view() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let (_, session) = fixture.sessions.create().unwrap();
    fixture.sessions.commit(&session).await.unwrap();
    let gate = faulty.hold_after(Operation::Commit, 1);
    let clone = session.clone();
    let update = tokio::spawn(async move { clone.update(A, |n| n + 1).await });
    gate.reached().await;
    session.update(B, |n| n + 1).await.unwrap();
    gate.open();
    update.await.unwrap().unwrap();
    assert_eq!((session.get(A).unwrap(), session.get(B).unwrap()), (Some(1), Some(1)));
}

/// Hands a detached clone out, after a write that came to nothing.
fn app(fixture: &Fixture, out: UnboundedSender<Session>) -> Router {
    let fail = async move |session: Session| {
        session.set(A, &1).unwrap();
        out.send(session.detach()).unwrap();
        StatusCode::INTERNAL_SERVER_ERROR
    };
    Router::new().route("/fail", post(fail)).layer(fixture.sessions.layer())
}

#[tokio::test]
async fn a_detached_session_that_was_not_stored_with_the_response_is_never_stored() {
    let (out, mut handed) = unbounded_channel();
    let fixture = Fixture::new(memory());
    Client::new(app(&fixture, out)).post("/fail", "").await;
    let detached = handed.recv().await.unwrap();
    let refusal = detached.set(A, &2);
    assert!(matches!(refusal, Err(SessionError::AfterResponse)), "{refusal:?}");
    let refusal = detached.update(A, |n| n + 1).await;
    assert!(matches!(refusal, Err(SessionError::AfterResponse)), "{refusal:?}");
    for refusal in [detached.login("alice"), detached.renew()] {
        assert!(matches!(refusal, Err(SessionError::AfterResponse)), "{refusal:?}");
    }
    detached.save().await.unwrap();
    assert_eq!(fixture.sessions.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_detached_session_is_changed_after_the_response_and_signs_nobody_in() {
    let (out, mut handed) = unbounded_channel();
    let fixture = Fixture::new(memory());
    let detach = async move |session: Session| {
        session.update(A, |n| n + 1).await.unwrap();
        out.send(session.detach()).unwrap();
    };
    let app = Router::new().route("/", post(detach).get(read)).layer(fixture.sessions.layer());
    let mut visitor = Client::new(app);
    visitor.post("/", "").await;
    let detached = handed.recv().await.unwrap();
    // The new secret could not reach the client, who would be locked out.
    for refusal in [detached.login("alice"), detached.renew()] {
        assert!(matches!(refusal, Err(SessionError::AfterResponse)), "{refusal:?}");
    }
    detached.set(B, &2).unwrap();
    detached.save().await.unwrap();
    assert_eq!(visitor.get("/").await.text(), "Some(1) Some(2)");
}

#[tokio::test]
async fn what_a_response_could_not_commit_is_not_committed_behind_it() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let (out, mut handed) = unbounded_channel();
    let write = async move |session: Session| {
        session.set(A, &1).unwrap();
        out.send(session.detach()).unwrap();
    };
    let app = Router::new().route("/", post(write)).layer(fixture.sessions.layer());
    faulty.fail(Operation::Create, 1, StoreError::unavailable("creating failed: unplugged"));
    let answer = Client::new(app).post("/", "").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let detached = handed.recv().await.unwrap();
    detached.save().await.unwrap();
    assert_eq!((detached.get(A).unwrap(), fixture.sessions.count().await.unwrap()), (None, 0));
}

#[tokio::test]
async fn what_is_changed_after_the_service_failed_is_an_error_and_not_lost() {
    let fixture = Fixture::new(memory());
    let (out, mut handed) = unbounded_channel();
    let fail = tower::service_fn(move |request: Request<String>| {
        let (out, handle) = (out.clone(), request.extensions().get::<SessionHandle>().unwrap().clone());
        async move {
            let session = handle.load().await.unwrap();
            session.set(A, &1).unwrap();
            out.send(session).unwrap();
            Err::<Response<String>, _>("unplugged")
        }
    });
    let service = fixture.sessions.layer().layer(fail);
    let answer = service.oneshot(Request::new(String::new())).await;
    assert_eq!(answer.unwrap_err(), "unplugged");
    let session = handed.recv().await.unwrap();
    assert_eq!(session.get(A).unwrap(), None);
    assert!(matches!(session.set(A, &2), Err(SessionError::AfterResponse)));
    assert!(matches!(session.save().await, Err(SessionError::AfterResponse)));
}
