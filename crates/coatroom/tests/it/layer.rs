//! HTTP through the layer: cookies, headers, roll-back, streaming, and what goes wrong.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::{Answer, Client};
use coatroom::{
    CookieOptions, ErrorResponse, Event, IdSource, PassiveLayer, Session, SessionError, SessionHandle,
    SessionId, Slot, StoreError, Suspicion,
};

use crate::support::{Fixture, MINUTE, SECOND, memory, on_each_store};

const COUNT: Slot<u64> = Slot::new("count");
const COOKIE: &str = "__Host-session";

async fn read(session: Session) -> Result<String, SessionError> {
    Ok(session.get(COUNT)?.unwrap_or(0).to_string())
}

async fn add(session: Session) -> Result<String, SessionError> {
    session.edit(COUNT, |count| *count += 1)?;
    Ok(session.get(COUNT)?.unwrap_or(0).to_string())
}

async fn fail(session: Session) -> Result<StatusCode, SessionError> {
    session.edit(COUNT, |count| *count += 100)?;
    session.login("mallory")?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn update_and_fail(session: Session) -> Result<StatusCode, SessionError> {
    session.update(COUNT, |count| count + 1).await?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn login(session: Session) -> Result<(), SessionError> {
    session.login("alice")
}

async fn logout(session: Session) -> Result<(), SessionError> {
    session.logout().await
}

fn app(fixture: &Fixture) -> Router {
    Router::new()
        .route("/", get(read).post(add))
        .route("/plain", get(|| async { "no session taken" }))
        .route("/fail", post(fail))
        .route("/update-and-fail", post(update_and_fail))
        .route(
            "/panic",
            post(async |session: Session| -> () {
                drop(session.set(COUNT, &7));
                panic!("as it does")
            }),
        )
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/optional", get(async |session: Option<Session>| session.is_some().to_string()))
        .route("/poll", get(read).route_layer(PassiveLayer))
        .layer(fixture.sessions.layer())
}

fn unplugged() -> StoreError {
    StoreError::unavailable("the store was unplugged")
}

fn set_cookie(answer: &Answer) -> Option<&str> {
    let lines: Vec<_> = answer.headers.get_all(header::SET_COOKIE).iter().collect();
    assert!(lines.len() <= 1, "one Set-Cookie of a name in a response (RFC 6265bis)");
    lines.first().map(|line| line.to_str().unwrap())
}

on_each_store! {
    async fn a_session_begins_with_the_first_write_and_its_cookie(place) {
        let fixture = Fixture::new(place);
        let mut visitor = Client::new(app(&fixture));
        let answer = visitor.get("/").await;
        assert_eq!((answer.text(), set_cookie(&answer)), ("0", None));
        let answer = visitor.post("/", "").await;
        let cookie = set_cookie(&answer).unwrap();
        assert!(cookie.starts_with("__Host-session="), "{cookie}");
        for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("Max-Age") && !cookie.contains("Domain"));
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(answer.headers[header::VARY], "cookie");
        let answer = visitor.post("/", "").await;
        assert_eq!((answer.text(), set_cookie(&answer)), ("2", None));
        assert_eq!(fixture.sessions.count().await.unwrap(), 1);
    }

    async fn a_handler_without_a_session_answers_as_if_there_were_no_layer(place) {
        let fixture = Fixture::new(place);
        let answer = Client::new(app(&fixture)).signed_in(&fixture.sessions, "alice").await.unwrap().get("/plain").await;
        assert!(!answer.headers.contains_key(header::VARY) && set_cookie(&answer).is_none());
    }

    async fn a_failed_handler_leaves_the_session_as_it_was(place) {
        let fixture = Fixture::new(place);
        let mut visitor = Client::new(app(&fixture));
        visitor.post("/", "").await;
        let before = visitor.cookie(COOKIE).map(str::to_owned);
        let answer = visitor.post("/fail", "").await;
        assert_eq!((answer.status.as_u16(), set_cookie(&answer)), (500, None));
        assert_eq!(visitor.cookie(COOKIE).map(str::to_owned), before);
        assert_eq!(visitor.get("/").await.text(), "1");
        assert!(fixture.sessions.of("mallory").await.unwrap().is_empty());
    }

    async fn a_handler_that_panics_leaves_the_session_as_it_was(place) {
        let fixture = Fixture::new(place);
        let mut visitor = Client::new(app(&fixture));
        visitor.post("/", "").await;
        let mut doomed = visitor.clone();
        assert!(tokio::spawn(async move { doomed.post("/panic", "").await }).await.is_err());
        assert_eq!(visitor.get("/").await.text(), "1");
    }

    async fn an_update_holds_and_its_cookie_is_sent_though_the_handler_failed(place) {
        let fixture = Fixture::new(place);
        let mut visitor = Client::new(app(&fixture));
        let answer = visitor.post("/update-and-fail", "").await;
        assert_eq!(answer.status, 500);
        assert!(set_cookie(&answer).is_some());
        assert_eq!(visitor.get("/").await.text(), "1");
    }

    async fn login_changes_the_cookie_and_logout_expires_it(place) {
        let fixture = Fixture::new(place);
        let mut visitor = Client::new(app(&fixture));
        visitor.post("/", "").await;
        let anonymous = visitor.cookie(COOKIE).unwrap().to_owned();
        let answer = visitor.post("/login", "").await;
        assert!(set_cookie(&answer).is_some());
        let signed_in = visitor.cookie(COOKIE).unwrap().to_owned();
        assert_ne!(signed_in, anonymous);
        assert_eq!(visitor.get("/").await.text(), "1");
        let answer = visitor.post("/logout", "").await;
        let removal = set_cookie(&answer).unwrap();
        assert!(removal.starts_with("__Host-session=;") && removal.contains("Max-Age=0") && removal.contains("Secure"));
        visitor.set_cookie(COOKIE, &signed_in);
        assert_eq!(visitor.get("/").await.text(), "0");
        assert_eq!(fixture.sessions.count().await.unwrap(), 0);
    }

    async fn a_straggler_with_the_cookie_from_before_a_login_reads_nothing_and_overwrites_nothing(place) {
        let fixture = Fixture::new(place);
        let mut visitor = Client::new(app(&fixture));
        visitor.post("/", "").await;
        let mut straggler = visitor.clone();
        visitor.post("/login", "").await;
        fixture.clock.advance(59 * SECOND);
        let answer = straggler.get("/").await;
        assert_eq!((answer.text(), set_cookie(&answer)), ("0", None));
        for path in ["/", "/update-and-fail", "/login", "/logout"] {
            let answer = straggler.post(path, "").await;
            assert_eq!((answer.status.as_u16(), set_cookie(&answer)), (409, None), "{path}");
        }
        fixture.clock.advance(SECOND);
        let answer = straggler.post("/", "").await;
        assert!(answer.status == 200 && set_cookie(&answer).is_some());
        assert_eq!(visitor.get("/").await.text(), "1");
    }

    async fn a_passive_route_does_not_extend_the_session(place) {
        let fixture = Fixture::new(place);
        let mut visitor = Client::new(app(&fixture));
        visitor.post("/", "").await;
        visitor.get("/").await;
        for expected in ["1", "1", "1", "0"] {
            fixture.clock.advance(6 * MINUTE);
            assert_eq!(visitor.get("/poll").await.text(), expected);
        }
    }
}

#[tokio::test]
async fn ids_that_the_server_did_not_issue_are_never_adopted() {
    let fixture = Fixture::new(memory());
    let mut visitor = Client::new(app(&fixture));
    let own = SessionId::generate().unwrap().expose();
    visitor.set_cookie(COOKIE, &own);
    visitor.post("/", "").await;
    assert_ne!(visitor.cookie(COOKIE).unwrap(), own);
}

#[tokio::test]
async fn two_different_cookies_are_no_session_and_an_event() {
    let heard = Arc::new(AtomicBool::new(false));
    let hears = heard.clone();
    let fixture = Fixture::with(memory(), |builder| {
        builder.on_event(move |event: &Event<'_>| {
            let duplicate = matches!(event, Event::Suspicious { reason: Suspicion::Duplicate, .. });
            hears.fetch_or(duplicate, Ordering::SeqCst);
        })
    });
    let mut visitor = Client::new(app(&fixture));
    visitor.post("/", "").await;
    let id = visitor.cookie(COOKIE).unwrap().to_owned();
    let tossed = Request::get("/")
        .header(header::COOKIE, format!("{COOKIE}={}", SessionId::generate().unwrap().expose()));
    let answer = visitor.send(tossed.body(String::new()).unwrap()).await;
    assert_eq!(answer.text(), "0");
    assert!(heard.load(Ordering::SeqCst));
    assert_eq!(visitor.cookie(COOKIE).unwrap(), id);
}

#[tokio::test]
async fn a_missing_layer_is_named_with_the_remedy() {
    let routes: Router = Router::new().route("/", get(read));
    let answer = Client::new(routes).get("/").await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains(".layer(sessions.layer())"), "{}", answer.text());
}

#[tokio::test]
async fn a_layer_that_is_there_twice_is_refused() {
    let fixture = Fixture::new(memory());
    let answer = Client::new(app(&fixture).layer(fixture.sessions.layer())).get("/").await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("Keep one"), "{}", answer.text());
}

#[tokio::test]
async fn two_managers_with_cookies_of_their_own_stand_in_one_another() {
    let outer = Fixture::with(memory(), |b| b.cookie(CookieOptions::new().name("outer")));
    let inner = Fixture::new(memory());
    let answer = Client::new(app(&inner).layer(outer.sessions.layer())).post("/", "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_failing_store_is_a_503_without_a_cookie_and_nothing_is_kept() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let mut visitor = Client::new(app(&fixture));
    visitor.post("/", "").await;
    for operation in [Operation::Load, Operation::Commit] {
        faulty.fail(operation, 1, unplugged());
        let answer = visitor.post("/", "").await;
        assert_eq!((answer.status.as_u16(), set_cookie(&answer)), (503, None));
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
    }
    faulty.fail(Operation::Create, 1, unplugged());
    let answer = Client::new(app(&fixture)).post("/", "").await;
    assert_eq!((answer.status.as_u16(), set_cookie(&answer)), (503, None));
    assert_eq!(visitor.get("/").await.text(), "1");
}

#[tokio::test]
async fn a_store_that_cannot_write_still_serves_its_readers() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let mut visitor = Client::new(app(&fixture));
    visitor.post("/", "").await;
    for minute in 1..=10 {
        fixture.clock.advance(MINUTE);
        faulty.fail(Operation::Touch, 1, unplugged());
        let answer = visitor.get("/").await;
        // Never confirmed, it ends at the unconfirmed timeout: early, and not late.
        let expected = if minute < 10 { "1" } else { "0" };
        assert_eq!((answer.status.as_u16(), answer.text()), (200, expected));
    }
}

#[tokio::test]
async fn a_page_may_do_without_its_session_and_the_error_be_answered_otherwise() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| {
        b.on_error(|error| ErrorResponse {
            body: format!("sorry: {}", error.status()),
            ..ErrorResponse::of(error)
        })
    });
    let mut visitor = Client::new(app(&fixture)).signed_in(&fixture.sessions, "alice").await.unwrap();
    assert_eq!(visitor.get("/optional").await.text(), "true");
    faulty.fail(Operation::Load, 1, unplugged());
    assert_eq!(visitor.get("/optional").await.text(), "false");
    faulty.fail(Operation::Load, 1, unplugged());
    assert_eq!(visitor.get("/").await.text(), "sorry: 503");
}

#[tokio::test]
async fn an_api_carries_its_id_in_a_header_and_a_browser_in_its_cookie() {
    let fixture = Fixture::with(memory(), |b| b.id_source(IdSource::HeaderOrCookie("x-session".into())));
    let mut api = Client::new(app(&fixture));
    let mut send = async |method: &str, id: &str| {
        let request = Request::builder().method(method).uri("/").header("x-session", id);
        api.send(request.body(String::new()).unwrap()).await
    };
    let answer = send("POST", "").await;
    assert!(set_cookie(&answer).is_none());
    let id = answer.headers["x-session"].to_str().unwrap().to_owned();
    assert_eq!(send("GET", &id).await.text(), "1");
    let answer = Client::new(app(&fixture)).post("/", "").await;
    assert!(set_cookie(&answer).is_some());
}

#[tokio::test]
async fn a_persistent_cookie_has_the_lifetimes_max_age() {
    let fixture = Fixture::new(memory());
    let remember = async |session: Session| -> Result<(), SessionError> {
        session.login("alice")?;
        session.set_lifetime(30 * 24 * 60 * MINUTE)?;
        session.set_idle_timeout(7 * 24 * 60 * MINUTE)?;
        session.set_persistent(true)
    };
    let app = Router::new().route("/remember", post(remember)).layer(fixture.sessions.layer());
    let answer = Client::new(app).post("/remember", "").await;
    assert!(set_cookie(&answer).unwrap().contains("Max-Age=2592000"), "{:?}", set_cookie(&answer));
    fixture.clock.advance(6 * 24 * 60 * MINUTE);
    // It was never presented back, so it is gone by now; one that was lives on.
    assert_eq!(fixture.sessions.count().await.unwrap(), 0);
}

#[tokio::test]
async fn the_headers_of_a_stream_leave_while_its_body_is_still_made() {
    let fixture = Fixture::new(memory());
    let (open, mut opened) = tokio::sync::mpsc::channel::<Session>(1);
    let stream = move |session: Session| {
        let open = open.clone();
        async move {
            drop(session.set(COUNT, &1));
            let session = session.detach();
            open.send(session.clone()).await.unwrap();
            // A body that never ends: were it buffered, no answer would ever come.
            Response::new(Body::from_stream(endless()))
        }
    };
    let app: Router = Router::new().route("/stream", get(stream)).layer(fixture.sessions.layer());
    let response =
        tower::ServiceExt::oneshot(app, Request::get("/stream").body(Body::empty()).unwrap()).await.unwrap();
    assert!(response.headers().contains_key(header::SET_COOKIE));
    let session = opened.recv().await.unwrap();
    session.set(COUNT, &2).unwrap();
    session.save().await.unwrap();
    let again = fixture.sessions.open_locator(&session.locator().unwrap()).await.unwrap().unwrap();
    assert_eq!(again.get(COUNT).unwrap(), Some(2));
}

fn endless() -> impl futures_core::Stream<Item = Result<String, Infallible>> + Send {
    futures_util::stream::pending()
}

#[tokio::test]
async fn a_change_after_the_response_is_an_error_unless_detached() {
    let fixture = Fixture::new(memory());
    let (keep, mut kept) = tokio::sync::mpsc::channel::<Session>(1);
    let handler = move |session: Session| {
        let keep = keep.clone();
        async move {
            keep.send(session.clone()).await.unwrap();
            session.set(COUNT, &1).into_response()
        }
    };
    let app: Router = Router::new().route("/", post(handler)).layer(fixture.sessions.layer());
    Client::new(app).post("/", "").await;
    let session = kept.recv().await.unwrap();
    assert!(matches!(session.set(COUNT, &2), Err(SessionError::AfterResponse)));
    assert!(matches!(session.save().await, Err(SessionError::AfterResponse)));
    assert_eq!(session.get(COUNT).unwrap(), Some(1));
}

#[tokio::test]
async fn a_session_is_loaded_once_for_all_that_ask_and_never_for_a_handler_that_does_not() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let three = async |one: Session, _: Option<Session>, Extension(handle): Extension<SessionHandle>| {
        assert_eq!(one.locator(), handle.load().await.unwrap().locator());
    };
    let routes =
        Router::new().route("/", post(add)).route("/three", get(three)).route("/none", get(async || "none"));
    let mut visitor = Client::new(routes.layer(fixture.sessions.layer()));
    visitor.post("/", "").await;
    for (path, loads) in [("/none", 0), ("/three", 1)] {
        let before = faulty.calls(Operation::Load);
        assert_eq!(visitor.get(path).await.status, StatusCode::OK);
        assert_eq!(faulty.calls(Operation::Load) - before, loads, "{path}");
    }
}

#[tokio::test]
async fn a_service_that_is_not_axums_reaches_the_session_by_its_handle() {
    let fixture = Fixture::new(memory());
    let by_handle = async |Extension(handle): Extension<SessionHandle>| {
        let session = handle.load().await.unwrap();
        session.set(COUNT, &5).unwrap();
        handle.load().await.unwrap().get(COUNT).unwrap().unwrap().to_string()
    };
    let app: Router = Router::new().route("/", get(by_handle)).layer(fixture.sessions.layer());
    let answer = Client::new(app).get("/").await;
    assert_eq!(answer.text(), "5");
    assert!(set_cookie(&answer).is_some());
}
