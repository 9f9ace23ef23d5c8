//! Handlers that fail with a status below 500.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::Client;
use coatroom::{ErrorResponse, RollBack, Session, SessionError, Slot, StoreError};

use crate::support::{Fixture, memory};

const COUNT: Slot<u64> = Slot::new("count");
const NOTE: Slot<String> = Slot::new("note");

/// An application's own error.
struct SoldOut;

impl IntoResponse for SoldOut {
    fn into_response(self) -> Response {
        let mut response = StatusCode::CONFLICT.into_response();
        response.extensions_mut().insert(RollBack);
        response
    }
}

async fn count(session: Session) -> Result<String, SessionError> {
    session.edit(COUNT, |count| *count += 1)?;
    Ok(session.get(COUNT)?.unwrap_or(0).to_string())
}

/// Counts, and then keeps more than may be kept.
async fn note(session: Session) -> Result<String, SessionError> {
    session.set(NOTE, &"x".repeat(1_000))?;
    count(session).await
}

async fn count_and_note(session: Session) -> Result<String, SessionError> {
    count(session.clone()).await?;
    note(session).await
}

async fn buy(session: Session) -> Result<(), SoldOut> {
    count(session).await.map_err(|_| SoldOut)?;
    Err(SoldOut)
}

async fn stamp(session: Session) -> Result<String, SessionError> {
    let stamps = session.update(COUNT, |count| count + 1).await?;
    session.set(NOTE, &"x".repeat(1_000))?;
    Ok(stamps.to_string())
}

fn app(fixture: &Fixture) -> Router {
    let routes = Router::new()
        .route("/", post(count))
        .route(
            "/",
            get(async |session: Session| session.get(COUNT).map(|count| count.unwrap_or(0).to_string())),
        )
        .route("/note", post(count_and_note))
        .route("/buy", post(buy))
        .route("/stamp", post(stamp));
    routes.layer(fixture.sessions.layer())
}

#[tokio::test]
async fn a_handler_that_fails_keeps_nothing_that_it_deferred_whatever_its_status() {
    let fixture = Fixture::with(memory(), |b| b.max_value_bytes(100));
    for (path, status) in [("/note", 413), ("/buy", 409)] {
        let mut visitor = Client::new(app(&fixture));
        let answer = visitor.post(path, "").await;
        assert_eq!(answer.status.as_u16(), status);
        assert!(!answer.headers.contains_key(header::SET_COOKIE), "no session began");
        assert_eq!(visitor.post("/", "").await.text(), "1");
        assert_eq!(visitor.post(path, "").await.status.as_u16(), status);
        assert_eq!(visitor.get("/").await.text(), "1", "{path}");
    }
}

#[tokio::test]
async fn what_a_failing_handler_did_at_once_stands_and_its_cookie_is_sent() {
    let fixture = Fixture::with(memory(), |b| b.max_value_bytes(100));
    let mut visitor = Client::new(app(&fixture));
    let answer = visitor.post("/stamp", "").await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.headers.contains_key(header::SET_COOKIE));
    assert_eq!(visitor.get("/").await.text(), "1");
}

#[tokio::test]
async fn an_error_that_a_handler_returns_is_answered_in_the_applications_words() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| {
        b.max_value_bytes(100)
            .on_error(|error| ErrorResponse { body: format!("sorry: {error}"), ..ErrorResponse::of(error) })
    });
    let mut visitor = Client::new(app(&fixture));
    let answer = visitor.post("/stamp", "").await;
    assert!(answer.text().starts_with("sorry: ") && answer.headers.contains_key(header::SET_COOKIE));
    faulty.fail(Operation::Commit, 1, StoreError::unavailable("the store was unplugged"));
    let answer = visitor.post("/stamp", "").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (503, "sorry: the store was unplugged"));
    assert_eq!(visitor.get("/").await.text(), "1");
}

#[tokio::test]
async fn an_error_in_our_words_keeps_what_the_application_added_to_its_answer() {
    let fixture = Fixture::with(memory(), |b| b.max_value_bytes(100));
    let allow = async |mut response: Response| {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    };
    let routes = Router::new().route("/note", post(note)).layer(map_response(allow));
    let routes = routes.layer(fixture.sessions.layer());
    let answer = Client::new(routes).post("/note", "").await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}
