//! The shop on a store that fails, or answers when a test lets it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Request, StatusCode};
use axum::middleware::from_fn;
use axum::routing::post;
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::{Answer, Client};
use coatroom::{MemoryStore, Session, SessionManager, Slot, StoreError};

use super::failure::{Failure, tell};
use super::users::Users;
use super::{App, open, routes};
use crate::cli::Demo;

struct Shop {
    store: Arc<FaultyStore>,
    sessions: SessionManager,
    router: Router,
}

impl Shop {
    fn open() -> Self {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let options = Demo::for_tests();
        let sessions = open::sessions(store.clone(), &options).unwrap();
        let limit = Duration::from_secs(3_600);
        let app = App {
            sessions: sessions.clone(),
            users: Users::new(),
            idle_timeout: limit,
            lifetime: limit,
            lab: true,
        };
        Self { store, sessions, router: routes::router(app) }
    }

    fn visitor(&self) -> Client<Router> {
        Client::new(self.router.clone())
    }

    fn fail(&self, operation: Operation) {
        self.store.fail(operation, 1, StoreError::unavailable("reaching the store failed: unplugged"));
    }
}

async fn page(visitor: &mut Client<Router>, method: &str, path: &str, form: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("accept", "text/html");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    visitor.send(request.body(form.to_owned()).unwrap()).await
}

#[tokio::test]
async fn a_failure_keeps_nothing_that_its_request_put_off() {
    let shop = Shop::open();
    let fails = async |session: Session| {
        session.set(Slot::new("n"), &1).unwrap();
        Failure::of(StatusCode::CONFLICT, None)
    };
    let routes = Router::new().route("/", post(fails)).layer(from_fn(tell)).layer(shop.sessions.layer());
    let answer = page(&mut Client::new(routes), "POST", "/", "").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("was not kept"), "{}", answer.text());
    assert_eq!((answer.headers.get("set-cookie"), shop.sessions.count().await.unwrap()), (None, 0));
}

#[tokio::test]
async fn a_store_that_fails_makes_a_page_that_says_so_and_sets_no_cookie() {
    let shop = Shop::open();
    let mut visitor = shop.visitor();
    visitor.post("/visits", "").await;
    for (operation, method, path) in [
        (Operation::Load, "GET", "/"),
        (Operation::Load, "GET", "/account"),
        (Operation::Commit, "POST", "/cart"),
        (Operation::Commit, "POST", "/visits"),
        (Operation::Remove, "POST", "/logout"),
    ] {
        shop.fail(operation);
        let answer = page(&mut visitor, method, path, "sku=hook&quantity=1").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{operation:?} {path}");
        assert!(answer.text().contains("The coatroom is shut for a moment"), "{}", answer.text());
        assert!(!answer.text().contains("unplugged"), "what went wrong is for the log");
        assert_eq!(answer.headers.get("set-cookie"), None);
    }
    assert!(visitor.get("/session").await.text().contains(r#""visits":1"#));
}

#[tokio::test]
async fn a_login_that_was_not_kept_signs_nobody_in() {
    let shop = Shop::open();
    let mut visitor = shop.visitor();
    shop.fail(Operation::Create);
    let answer = page(&mut visitor, "POST", "/login", "user=alice&password=wonderland").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(visitor.cookie("coatroom-demo"), None);
}

#[tokio::test]
async fn the_health_check_tells_of_the_store() {
    let shop = Shop::open();
    shop.fail(Operation::Check);
    assert_eq!(shop.visitor().get("/healthz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(shop.visitor().get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_told_the_limit() {
    let body = "x".repeat(3 << 20);
    for (method, path) in [("PUT", "/notes/a"), ("POST", "/cart"), ("POST", "/login")] {
        let answer = page(&mut Shop::open().visitor(), method, path, &body).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert!(answer.text().contains("at most 2097152 bytes"), "{path}: {}", answer.text());
        assert!(answer.text().contains("That is too much to carry"), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_sign_out_is_not_undone_by_a_request_under_way() {
    let shop = Shop::open();
    let mut visitor = shop.visitor();
    visitor.post("/login", "user=alice&password=wonderland").await;
    let commit = shop.store.hold_before(Operation::Commit, 1);
    let mut slow = visitor.clone();
    let slow = tokio::spawn(async move { page(&mut slow, "POST", "/cart", "sku=hook&quantity=1").await });
    commit.reached().await;
    visitor.post("/logout", "").await;
    commit.open();
    let answer = slow.await.unwrap();
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("Your session changed meanwhile"));
    assert!(answer.text().contains("the session was ended meanwhile"), "{}", answer.text());
    assert_eq!(shop.sessions.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_sign_in_loses_nothing_of_a_request_under_way() {
    let shop = Shop::open();
    let mut visitor = shop.visitor();
    visitor.post("/visits", "").await;
    let commit = shop.store.hold_before(Operation::Commit, 1);
    let mut slow = visitor.clone();
    let slow = tokio::spawn(async move { slow.post("/cart", "sku=hook&quantity=1").await });
    commit.reached().await;
    visitor.post("/login", "user=alice&password=wonderland").await;
    commit.open();
    let answer = slow.await.unwrap();
    assert_eq!((answer.status, answer.headers.get("set-cookie")), (StatusCode::SEE_OTHER, None));
    let session = visitor.get("/session").await;
    assert!(session.text().contains(r#""user":"alice""#) && session.text().contains(r#""sku":"hook""#));
}
