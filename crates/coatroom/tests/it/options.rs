//! How the layer can be told to meet HTTP otherwise.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::{Request, StatusCode, header};
use axum::routing::{get, post};
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::{Answer, Client};
use coatroom::{
    ConfigError, ErrorResponse, IdSource, MemoryStore, Session, SessionError, SessionManager, Slot,
    StoreError,
};

use crate::support::{Fixture, memory};

const COUNT: Slot<u64> = Slot::new("count");

async fn add(session: Session) -> Result<String, SessionError> {
    session.edit(COUNT, |count| *count += 1)?;
    Ok(session.get(COUNT)?.unwrap_or(0).to_string())
}

fn app(fixture: &Fixture) -> Router {
    let read = async |session: Session| session.get(COUNT).map(|count| count.unwrap_or(0).to_string());
    let refuse = async |session: Session| add(session).await.map(|count| (StatusCode::IM_A_TEAPOT, count));
    let fail = async |session: Session| add(session).await.map(|n| (StatusCode::INTERNAL_SERVER_ERROR, n));
    Router::new()
        .route("/", get(read).post(add))
        .route("/refuse", post(refuse))
        .route("/fail", post(fail))
        .route("/logout", post(async |session: Session| session.logout().await))
        .layer(fixture.sessions.layer())
}

async fn send(client: &mut Client<Router>, method: &str, path: &str, id: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(id) = id {
        request = request.header("x-session", id);
    }
    client.send(request.body(String::new()).unwrap()).await
}

fn varies_by(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all(header::VARY).iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn the_application_says_which_responses_leave_the_session_as_it_was() {
    let fixture = Fixture::with(memory(), |b| b.roll_back_on(|status| status == StatusCode::IM_A_TEAPOT));
    let mut visitor = Client::new(app(&fixture));
    visitor.post("/", "").await;
    assert_eq!(visitor.post("/refuse", "").await.status, 418);
    assert_eq!(visitor.get("/").await.text(), "1");
    assert_eq!(visitor.post("/fail", "").await.status, 500);
    assert_eq!(visitor.get("/").await.text(), "2");
}

#[tokio::test]
async fn a_header_alone_carries_the_id_and_no_cookie_is_read_or_set() {
    let fixture = Fixture::with(memory(), |b| b.id_source(IdSource::Header("X-Session".into())));
    let mut api = Client::new(app(&fixture));
    let answer = send(&mut api, "POST", "/", None).await;
    let id = answer.headers["x-session"].to_str().unwrap().to_owned();
    assert!(!answer.headers.contains_key(header::SET_COOKIE));
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(varies_by(&answer), ["x-session"]);
    let answer = send(&mut api, "GET", "/", Some(&id)).await;
    assert_eq!((answer.text(), answer.headers.get("x-session")), ("1", None));
    api.set_cookie("__Host-session", &id);
    assert_eq!(send(&mut api, "GET", "/", None).await.text(), "0");
    api.forget_cookies();
    let two = Request::get("/").header("x-session", &id).header("x-session", "another");
    assert_eq!(api.send(two.body(String::new()).unwrap()).await.text(), "0");
    let answer = send(&mut api, "POST", "/logout", Some(&id)).await;
    assert_eq!(answer.headers["x-session"], "");
    assert_eq!(send(&mut api, "GET", "/", Some(&id)).await.text(), "0");
}

#[tokio::test]
async fn a_test_signs_its_client_in_by_the_header_too() {
    let fixture = Fixture::with(memory(), |b| b.id_source(IdSource::Header("x-session".into())));
    let mut alice = Client::new(app(&fixture)).signed_in(&fixture.sessions, "alice").await.unwrap();
    alice.post("/", "").await;
    let sessions = fixture.sessions.of("alice").await.unwrap();
    assert_eq!((alice.get("/").await.text(), sessions.len()), ("1", 1));
    alice.post("/logout", "").await;
    assert_eq!((alice.get("/").await.text(), alice.post("/", "").await.text()), ("0", "1"));
    assert_eq!(alice.get("/").await.text(), "1");
}

#[tokio::test]
async fn a_tests_client_keeps_the_id_of_a_header() {
    for source in [IdSource::Header, IdSource::HeaderOrCookie] {
        let fixture = Fixture::with(memory(), |b| b.id_source(source("x-session".into())));
        let mut visitor = Client::new(app(&fixture)).with_id_header("x-session");
        visitor.post("/", "").await;
        assert_eq!(visitor.post("/", "").await.text(), "2");
        let own = visitor.get("/").await;
        let strangers = send(&mut visitor, "GET", "/", Some("")).await;
        assert_eq!((own.text(), strangers.text()), ("2", "0"), "a request's own header goes before");
        assert!(!own.headers.contains_key(header::SET_COOKIE));
        visitor.forget_cookies();
        assert_eq!(visitor.get("/").await.text(), "0");
    }
}

#[tokio::test]
async fn an_answer_varies_by_header_and_cookie_where_either_may_bring_the_id() {
    let fixture = Fixture::with(memory(), |b| b.id_source(IdSource::HeaderOrCookie("x-session".into())));
    let mut visitor = Client::new(app(&fixture));
    for (method, id) in [("GET", None), ("GET", Some("")), ("POST", None), ("POST", Some(""))] {
        let answer = send(&mut visitor, method, "/", id).await;
        assert_eq!(varies_by(&answer), ["x-session", "cookie"], "{method} {id:?}");
    }
}

#[tokio::test]
async fn the_applications_answer_takes_the_place_of_a_response_whose_commit_failed() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| {
        b.on_error(|error| ErrorResponse {
            status: StatusCode::IM_A_TEAPOT,
            body: format!("sorry: {error}"),
            ..ErrorResponse::of(error)
        })
    });
    let mut visitor = Client::new(app(&fixture));
    visitor.post("/", "").await;
    for operation in [Operation::Commit, Operation::Create] {
        faulty.fail(operation, 1, StoreError::unavailable("the store was unplugged"));
        let answer = visitor.post("/", "").await;
        assert_eq!((answer.status.as_u16(), answer.text()), (418, "sorry: the store was unplugged"));
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        visitor.forget_cookies();
    }
}

#[tokio::test]
async fn a_login_over_another_principal_is_not_remembered() {
    let fixture = Fixture::new(memory());
    let remembered =
        async |session: Session| session.login("alice").and_then(|()| session.set_persistent(true));
    let routes = Router::new().route("/alice", post(remembered)).route(
        "/login/{user}",
        post(async |Path(user): Path<String>, session: Session| session.login(&user)),
    );
    let mut visitor = Client::new(routes.layer(fixture.sessions.layer()));
    for (path, is_remembered) in [("/alice", true), ("/login/alice", true), ("/login/bob", false)] {
        let answer = visitor.post(path, "").await;
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert_eq!(cookie.contains("Max-Age"), is_remembered, "{path}");
    }
}

#[tokio::test]
async fn a_remembered_visitor_stays_remembered_whatever_else_is_set() {
    let fixture = Fixture::new(memory());
    let routes = Router::new()
        .route("/", post(add))
        .route("/remember", post(async |session: Session| session.set_persistent(true)))
        .route("/renew", post(async |session: Session| session.renew()))
        .route("/lifetime", post(async |session: Session| session.set_lifetime(Duration::from_secs(77))));
    let mut visitor = Client::new(routes.layer(fixture.sessions.layer()));
    visitor.post("/", "").await;
    for (path, max_age) in
        [("/remember", 12 * 3_600), ("/renew", 12 * 3_600), ("/lifetime", 77), ("/renew", 77)]
    {
        let answer = visitor.post(path, "").await;
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.ends_with(&format!("; Max-Age={max_age}")), "{path}");
    }
}

#[test]
fn an_answer_asks_to_try_again_only_where_that_helps() {
    let again = [
        SessionError::Conflict { name: "cart".into() },
        SessionError::Contended { attempts: 500 },
        SessionError::Store(StoreError::unavailable("the store was unplugged")),
    ];
    let never = [
        SessionError::TooManySessions { limit: 3 },
        SessionError::RecordTooLarge { size: 2, limit: 1 },
        SessionError::TooManyAttributes { count: 2, limit: 1 },
        SessionError::NamesTooLong { size: 2, limit: 1 },
        SessionError::Gone,
        SessionError::PrincipalEnded,
        SessionError::SaveRunning,
    ];
    let text = |error: &SessionError| ErrorResponse::of(error).body;
    assert!(again.iter().all(|error| text(error).contains("try again")));
    for error in &never {
        assert!(!text(error).contains("try again"), "{}", text(error));
        assert!(!text(error).contains("session could not be used.") && text(error).contains("Please"));
    }
    assert!(text(&SessionError::PrincipalEnded).contains("sign in again"));
    assert!(text(&never[0]).contains("sign out"));
}

#[test]
fn a_sweep_interval_that_spins_is_refused_with_its_range() {
    let build = |interval| SessionManager::builder(MemoryStore::new()).sweep_every(Some(interval)).build();
    for spinning in [Duration::ZERO, Duration::from_micros(999)] {
        let error = build(spinning).unwrap_err();
        let named = matches!(&error, ConfigError::OutOfRange { setting: "sweep_every", range, .. } if range.contains("1 ms"));
        assert!(named, "{error}");
    }
    assert!(build(Duration::from_millis(1)).is_ok() && build(Duration::MAX).is_ok());
}

#[test]
fn a_header_that_means_something_else_carries_no_ids() {
    let build = |source| SessionManager::builder(MemoryStore::new()).id_source(source).build();
    let taken = [
        "Cookie",
        "set-cookie",
        "vary",
        "cache-control",
        "content-type",
        "content-length",
        "retry-after",
        "transfer-encoding",
        "connection",
        "upgrade",
        "host",
        "date",
        "location",
        "not a name",
        "",
    ];
    for name in taken {
        for source in [IdSource::Header, IdSource::HeaderOrCookie] {
            let error = build(source(name.to_owned())).unwrap_err();
            assert!(matches!(&error, ConfigError::InvalidHeader { name: told } if told == name), "{error}");
            assert!(error.to_string().contains("x-session"));
        }
    }
    assert!(build(IdSource::Header("X-Session".into())).is_ok());
}
