//! What the traces of a session's life say, and what they must never say.

use std::sync::Arc;

use axum::http::{Request, header};
use axum::routing::{get, post};
use axum::{Extension, Router};
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::Client;
use coatroom::{
    Event, Listener, ListenerError, OnConflict, Session, SessionError, SessionId, SessionManager, Slot,
    StoreError,
};
use serde::{Deserialize, Serialize, Serializer};
use tracing::Level;

use crate::support::capture::Capture;
use crate::support::{Fixture, MINUTE, memory};

/// Stands in every value.
const MARK: &str = "mark-of-a-value";
const COOKIE: &str = "__Host-session";
const NOTE: Slot<String> = Slot::new("note");
const STRICT: Slot<String> = Slot::new("strict").on_conflict(OnConflict::Reject);

/// A value whose `Serialize` fails and quotes it.
#[derive(Default, Deserialize)]
struct Quoting;

impl Serialize for Quoting {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!("cannot write {MARK}")))
    }
}

/// Fails at each expiry.
struct Refusing;

impl Listener for Refusing {
    fn hear(&self, event: &Event<'_>) -> Result<(), ListenerError> {
        if let Event::Expired(snapshot) = event { Err(format!("{snapshot:?}").into()) } else { Ok(()) }
    }
}

async fn write(session: Session) -> Result<(), SessionError> {
    session.set(NOTE, &MARK.to_owned())?;
    session
        .update(Slot::<Vec<String>>::new("notes"), |notes| [&notes[..], &[MARK.to_owned()]].concat())
        .await?;
    tracing::trace!(target: "coatroom::test", ?session);
    session.save().await
}

/// Another request commits first.
async fn collide(
    session: Session,
    Extension(sessions): Extension<SessionManager>,
) -> Result<(), SessionError> {
    session.set(STRICT, &format!("{MARK} ours"))?;
    let other = sessions.open_locator(&session.locator().unwrap()).await?.unwrap();
    other.set(STRICT, &format!("{MARK} theirs"))?;
    sessions.commit(&other).await.map(drop)
}

async fn overfill(session: Session) -> Result<(), SessionError> {
    (0..9).try_for_each(|n| session.set(Slot::new(&format!("large.{n}")), &MARK.repeat(9)))
}

fn app(sessions: &SessionManager) -> Router {
    Router::new()
        .route("/", get(async |session: Session| session.get(NOTE).map(drop)).post(write))
        .route("/optional", get(async |_: Option<Session>| ()))
        .route("/login", post(async |session: Session| session.login("alice")))
        .route("/logout", post(async |session: Session| session.logout().await))
        .route("/collide", post(collide))
        .route("/overfill", post(overfill))
        .route("/large", post(async |session: Session| session.set(NOTE, &MARK.repeat(1_000))))
        .route("/decode", get(async |session: Session| session.get(Slot::<u64>::new("note")).map(drop)))
        .route("/encode", post(async |session: Session| session.set(Slot::new("quoting"), &Quoting)))
        .layer(sessions.layer())
        .layer(Extension(sessions.clone()))
}

/// Sends the request and keeps the secret that the client then holds.
async fn send(visitor: &mut Client<Router>, secrets: &mut Vec<String>, request: &str) -> u16 {
    let (method, path) = request.split_once(' ').unwrap();
    let status = visitor.request(method.parse().unwrap(), path, "").await.status;
    secrets.extend(visitor.cookie(COOKIE).map(str::to_owned));
    status.as_u16()
}

/// Cookies that no honest browser sends, and what they carry.
async fn send_odd_cookies(visitor: &mut Client<Router>, secrets: &mut Vec<String>) {
    let (own, other) = (visitor.cookie(COOKIE).unwrap().to_owned(), SessionId::generate().unwrap().expose());
    let wrong_secret = format!("{}{}", &own[..22], &other[22..]);
    for odd in [format!("{own}x"), format!("{own}; {COOKIE}={other}"), wrong_secret.clone()] {
        let request = Request::get("/").header(header::COOKIE, format!("{COOKIE}={odd}"));
        visitor.forget_cookies();
        visitor.send(request.body(String::new()).unwrap()).await;
    }
    visitor.set_cookie(COOKIE, &own);
    secrets.extend([other, wrong_secret]);
}

#[tokio::test]
async fn no_secret_and_no_value_is_traced_in_a_whole_life_of_sessions() {
    let (capture, _guard) = Capture::begin();
    let faulty = Arc::new(FaultyStore::new(memory().store).yielding());
    let fixture = Fixture::with_store(faulty.clone(), |b| {
        b.max_value_bytes(1_024).max_record_bytes(1_024).on_event(Refusing)
    });
    let (mut visitor, mut secrets) = (Client::new(app(&fixture.sessions)), Vec::new());
    assert_eq!(send(&mut visitor, &mut secrets, "POST /").await, 200);
    let mut straggler = visitor.clone();
    for (request, status) in [
        ("GET /", 200),
        ("POST /login", 200),
        ("POST /", 200),
        ("POST /collide", 409),
        ("POST /overfill", 413),
        ("POST /large", 413),
        ("GET /decode", 500),
        ("POST /encode", 500),
    ] {
        assert_eq!(send(&mut visitor, &mut secrets, request).await, status, "{request}");
    }
    assert_eq!(send(&mut straggler, &mut secrets, "POST /").await, 409);
    send_odd_cookies(&mut visitor, &mut secrets).await;
    for (operation, request, status) in [
        (Operation::Load, "GET /", 503),
        (Operation::Load, "GET /optional", 200),
        (Operation::Commit, "POST /", 503),
        (Operation::Remove, "POST /logout", 503),
    ] {
        faulty.fail(operation, 1, StoreError::unavailable("the store was unplugged"));
        assert_eq!(send(&mut visitor, &mut secrets, request).await, status, "{request}");
    }
    let mut leaving = visitor.clone();
    assert_eq!(send(&mut leaving, &mut secrets, "POST /logout").await, 200);
    assert_eq!(send(&mut visitor, &mut secrets, "POST /").await, 200);
    fixture.clock.advance(21 * MINUTE);
    fixture.sessions.sweep().await.unwrap();

    for event in
        ["created", "confirmed", "renewed", "ended", "expired", "WrongSecret", "malformed", "duplicate"]
    {
        let shown = event.replace("WrongSecret", "wrong secret");
        assert!(capture.lines().iter().any(|(_, line)| line.contains(&shown)), "nothing says {shown}");
    }
    for said in
        ["load", "commit", "unplugged", "max_record_bytes", "max_value_bytes", "quoting", "a listener failed"]
    {
        assert!(capture.lines().iter().any(|(_, line)| line.contains(said)), "nothing says {said}");
    }
    for (_, line) in capture.lines() {
        assert!(!line.contains("mark-of"), "a value: {line}");
        for secret in &secrets {
            // From the 23rd character on there is nothing but secret.
            assert!(!line.contains(&secret[22..38]) && !line.contains(&secret[48..]), "a secret: {line}");
        }
    }
}

#[tokio::test]
async fn a_commit_refused_for_a_limit_is_a_warning_that_names_the_limit() {
    let (capture, _guard) = Capture::begin();
    let fixture = Fixture::with(memory(), |b| {
        b.max_record_bytes(1_024).max_sessions_per_principal(1, coatroom::AtLimit::Refuse)
    });
    let mut visitor = Client::new(app(&fixture.sessions));
    assert_eq!(visitor.post("/overfill", "").await.status, 413);
    assert!(capture.says(Level::WARN, "max_record_bytes = 1024"), "{:?}", capture.lines());
    visitor.post("/login", "").await;
    let answer = Client::new(app(&fixture.sessions)).post("/login", "").await;
    assert_eq!(answer.status, 409);
    assert!(capture.says(Level::WARN, "the principal has 1 sessions"), "{:?}", capture.lines());
    assert!(!answer.text().contains("try again"), "{}", answer.text());
}
