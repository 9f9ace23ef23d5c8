//! What an answer tells beside what the application says: cookies, `Vary`, and where it must not.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::{get, post};
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::{Answer, Client};
use coatroom::{CookieOptions, IdSource, PassiveLayer, Session, SessionError, Slot, StoreError};

use crate::support::{Fixture, MINUTE, memory};

const COUNT: Slot<u64> = Slot::new("count");

fn all(answer: &Answer, name: header::HeaderName) -> Vec<&str> {
    answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

async fn add(session: Session) -> Result<String, SessionError> {
    Ok(session.update(COUNT, |count| count + 1).await?.to_string())
}

async fn read(session: Session) -> String {
    session.get(COUNT).unwrap().unwrap_or(0).to_string()
}

#[tokio::test]
async fn the_applications_own_cookies_stay_beside_that_of_the_session() {
    let fixture = Fixture::new(memory());
    let write = async |session: Session| ([(header::SET_COOKIE, "theme=dark")], add(session).await);
    let app: Router = Router::new().route("/", post(write)).layer(fixture.sessions.layer());
    let answer = Client::new(app).post("/", "").await;
    let cookies = all(&answer, header::SET_COOKIE);
    assert_eq!((cookies.len(), cookies[0]), (2, "theme=dark"));
}

#[tokio::test]
async fn the_cookie_of_what_an_update_began_is_sent_though_the_commit_failed() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let write = async |session: Session| -> Result<(), SessionError> {
        session.update(COUNT, |count| count + 1).await?;
        session.set(Slot::new("note"), &"lost".to_owned())
    };
    let app = Router::new().route("/", get(read).post(write)).layer(fixture.sessions.layer());
    faulty.fail(Operation::Commit, 1, StoreError::unavailable("the store was unplugged"));
    let mut visitor = Client::new(app);
    assert_eq!(visitor.post("/", "").await.status, 503);
    assert_eq!(visitor.get("/").await.text(), "1");
}

#[tokio::test]
async fn a_session_that_begins_and_ends_in_one_request_is_never_told_of() {
    let fixture = Fixture::new(memory());
    let pass = async |session: Session| -> Result<(), SessionError> {
        session.update(COUNT, |count| count + 1).await?;
        session.logout().await
    };
    let app = Router::new().route("/", post(pass)).layer(fixture.sessions.layer());
    assert!(all(&Client::new(app).post("/", "").await, header::SET_COOKIE).is_empty());
    assert_eq!(fixture.sessions.count().await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_deferred_before_a_logout_is_in_no_session_after_it() {
    let fixture = Fixture::new(memory());
    let (id, session) = fixture.sessions.create().unwrap();
    session.save().await.unwrap();
    session.set(COUNT, &1).unwrap();
    session.login("alice").unwrap();
    session.logout().await.unwrap();
    session.set(Slot::new("note"), &1u64).unwrap();
    let new = fixture.sessions.commit(&session).await.unwrap().unwrap();
    assert!(fixture.sessions.open(&id).await.unwrap().is_none());
    let session = fixture.sessions.open(&new).await.unwrap().unwrap();
    assert_eq!((session.names(), session.principal()), (vec!["note".to_owned()], None));
}

#[tokio::test]
async fn an_answer_varies_by_the_cookie_once_however_the_application_says_so() {
    let fixture = Fixture::new(memory());
    for (named, expected) in
        [("*", vec!["*"]), ("Accept, Cookie", vec!["Accept, Cookie"]), ("accept", vec!["accept", "cookie"])]
    {
        let read = async move |session: Session| ([(header::VARY, named)], read(session).await);
        let app: Router = Router::new().route("/", get(read)).layer(fixture.sessions.layer());
        assert_eq!(all(&Client::new(app).get("/").await, header::VARY), expected);
    }
}

#[tokio::test]
async fn an_id_in_a_header_is_sensitive() {
    let fixture = Fixture::with(memory(), |b| b.id_source(IdSource::Header("X-Session".into())));
    let app = Router::new().route("/", post(add)).layer(fixture.sessions.layer());
    assert!(Client::new(app).post("/", "").await.headers["x-session"].is_sensitive());
}

#[tokio::test]
async fn a_cookie_that_outlives_the_browser_by_its_options_has_a_max_age() {
    let fixture = Fixture::with(memory(), |b| b.cookie(CookieOptions::new().persistent()));
    let app = Router::new().route("/", post(add)).layer(fixture.sessions.layer());
    let answer = Client::new(app).post("/", "").await;
    assert!(all(&answer, header::SET_COOKIE)[0].contains("; Max-Age="));
}

#[tokio::test]
async fn a_passive_layer_around_the_session_layer_holds_as_well() {
    let fixture = Fixture::new(memory());
    let active = Router::new().route("/", get(read).post(add)).layer(fixture.sessions.layer());
    let polled = Router::new().route("/poll", get(read)).layer(fixture.sessions.layer()).layer(PassiveLayer);
    let mut visitor = Client::new(active.merge(polled));
    visitor.post("/", "").await;
    visitor.get("/").await;
    for expected in ["1", "1", "1", "0"] {
        fixture.clock.advance(6 * MINUTE);
        assert_eq!(visitor.get("/poll").await.text(), expected);
    }
}

#[tokio::test]
async fn a_page_that_may_do_without_its_session_is_still_told_of_a_missing_layer() {
    let page = async |session: Option<Session>| session.is_some().to_string();
    let app: Router = Router::new().route("/", get(page));
    assert_eq!(Client::new(app).get("/").await.status, 500);
}
