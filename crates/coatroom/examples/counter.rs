//! A counter for each visitor: one layer, one slot, one extractor.
//!
//! `cargo run --example counter --features test-util` lets two visitors count, and ends;
//! with `-- 127.0.0.1:8080` behind it, it serves there until Ctrl-C.

use std::error::Error;

use axum::Router;
use axum::routing::get;
use coatroom::testing::Client;
use coatroom::{CookieOptions, MemoryStore, Session, SessionError, SessionManager, Slot};

const VISITS: Slot<u64> = Slot::new("visits");

/// Immediate and atomic: of any number of parallel requests of one visitor, none is lost.
async fn count(session: Session) -> Result<String, SessionError> {
    let visits = session.update(VISITS, |visits| visits + 1).await?;
    Ok(format!("visit {visits}\n"))
}

/// Reading creates no session, so this sets no cookie for a new visitor.
async fn peek(session: Session) -> Result<String, SessionError> {
    Ok(format!("{} visits so far\n", session.get(VISITS)?.unwrap_or(0)))
}

fn app(sessions: &SessionManager) -> Router {
    Router::new().route("/", get(count)).route("/peek", get(peek)).layer(sessions.layer())
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let sessions = SessionManager::builder(MemoryStore::new()).build()?;
    let app = app(&sessions);

    let (mut ann, mut bob) = (Client::new(app.clone()), Client::new(app));
    print!("Bob:  {}", bob.get("/peek").await.text());
    for _ in 0..3 {
        print!("Ann:  {}", ann.get("/").await.text());
    }
    print!("Bob:  {}", bob.get("/").await.text());
    println!("{} sessions", sessions.count().await?);

    assert_eq!(ann.get("/peek").await.text(), "3 visits so far\n");
    Ok(())
}

async fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    // Plain HTTP: without this, browsers would not send the cookie back.
    let cookie = CookieOptions::new().name("counter").insecure_plain_http_for_localhost();
    let sessions = SessionManager::builder(MemoryStore::new()).cookie(cookie).build()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("counting on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(&sessions)).await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1) {
        Some(address) => serve(&address).await,
        None => run().await,
    }
}
