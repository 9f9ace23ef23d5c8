//! What clones of one handle do at once.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::Client;
use coatroom::{Session, SessionError, Slot};

use crate::support::{House, memory};

const A: Slot<u64> = Slot::new("a");
const B: Slot<u64> = Slot::new("b");

/// A house whose store takes its time for every call.
fn slow() -> House {
    House::with_store(Arc::new(FaultyStore::new(memory().store).yielding()), |b| b)
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
    let house = slow();
    let app = Router::new()
        .route("/", post(update_both).get(read))
        .route("/save", post(update_and_save))
        .layer(house.sessions.layer());
    for path in ["/", "/save"] {
        let mut visitor = Client::new(app.clone());
        let answer = visitor.post(path, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(visitor.get("/").await.text(), "Some(1) Some(1)");
    }
    assert_eq!(house.sessions.count().await.unwrap(), 2);
}

#[tokio::test]
async fn an_update_that_ends_after_a_logout_brings_the_session_back_to_no_handle() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let house = House::with_store(faulty.clone(), |b| b);
    let (id, session) = house.sessions.create().unwrap();
    house.sessions.commit(&session).await.unwrap();
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
    let new = house.sessions.commit(&session).await.unwrap().unwrap();
    assert_ne!(new.locator(), id.locator());
    assert!(house.sessions.open(&id).await.unwrap().is_none());
}
