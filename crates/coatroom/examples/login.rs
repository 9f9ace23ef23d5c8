//! Signing in and out, and a user who looks after all of her sessions.
//!
//! `cargo run --example login --features test-util`

use std::error::Error;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use coatroom::testing::Client;
use coatroom::{Locator, MemoryStore, Session, SessionError, SessionManager, Slot};

const CART: Slot<Vec<String>> = Slot::new("shop.cart");

#[derive(serde::Deserialize)]
struct SignIn {
    user: String,
    password: String,
    browser: String,
}

async fn sign_in(session: Session, Form(form): Form<SignIn>) -> Result<StatusCode, SessionError> {
    // An application compares with an argon2 hash here; the library never sees a password.
    if form.password != "wonderland" {
        return Ok(StatusCode::UNAUTHORIZED);
    }
    session.login(&form.user)?; // a new secret, the same data, the lifetime begun anew
    session.set_client_label(&form.browser)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sign_out(session: Session) -> Result<StatusCode, SessionError> {
    session.logout().await?; // gone at once, whatever requests are still under way
    Ok(StatusCode::NO_CONTENT)
}

async fn buy(session: Session, Path(sku): Path<String>) -> Result<(), SessionError> {
    session.edit(CART, move |cart| cart.push(sku.clone()))
}

async fn account(session: Session, State(sessions): State<SessionManager>) -> Result<Response, SessionError> {
    let Some(user) = session.principal() else { return Ok(StatusCode::UNAUTHORIZED.into_response()) };
    let cart = session.get(CART)?.unwrap_or_default();
    let browsers: Vec<_> =
        sessions.of(&user).await?.into_iter().filter_map(|info| info.client_label).collect();
    Ok(Json((user, cart, browsers)).into_response())
}

/// Ends one of the user's own sessions. A locator opens nothing, so a page may show it; but anyone
/// can send one, so look whose it is.
async fn end(
    session: Session,
    State(sessions): State<SessionManager>,
    Path(locator): Path<String>,
) -> Result<StatusCode, SessionError> {
    let Some(user) = session.principal() else { return Ok(StatusCode::UNAUTHORIZED) };
    let locator = locator.parse::<Locator>().ok();
    match sessions.of(&user).await?.iter().find(|info| Some(info.locator) == locator) {
        Some(own) => sessions.end(&own.locator).await.map(|_| StatusCode::NO_CONTENT).map_err(Into::into),
        None => Ok(StatusCode::NOT_FOUND),
    }
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let sessions = SessionManager::builder(MemoryStore::new()).build()?;
    let app = Router::new()
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/buy/{sku}", post(buy))
        .route("/account", get(account))
        .route("/account/{locator}/end", post(end))
        .with_state(sessions.clone())
        .layer(sessions.layer());

    let (mut laptop, mut phone) = (Client::new(app.clone()), Client::new(app));
    laptop.post("/buy/umbrella", "").await;
    let before = laptop.cookie("__Host-session").map(str::to_owned);
    laptop.post("/sign-in", "user=alice&password=wonderland&browser=laptop").await;
    phone.post("/sign-in", "user=alice&password=wonderland&browser=phone").await;
    println!("laptop: {}", laptop.get("/account").await.text());
    println!(
        "the id from before the login is replaced: {}",
        laptop.cookie("__Host-session") != before.as_deref()
    );

    let of_phone =
        sessions.of("alice").await?.into_iter().find(|s| s.client_label.as_deref() == Some("phone"));
    let path = format!("/account/{}/end", of_phone.ok_or("no phone")?.locator);
    println!("the laptop ends the phone's session: {}", laptop.post(&path, "").await.status);
    println!("phone: {}", phone.get("/account").await.status);
    println!("the laptop signs out: {}", laptop.post("/sign-out", "").await.status);
    println!("laptop: {}, {} sessions", laptop.get("/account").await.status, sessions.count().await?);

    assert_eq!(sessions.count().await?, 0);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}
