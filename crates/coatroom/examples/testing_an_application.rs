//! How an application tests itself: a signed-in visitor in one call, a client that keeps its
//! cookies, time moved by hand, and a store that fails when it is told to.
//!
//! `cargo run --example testing_an_application --features test-util`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::Client;
use coatroom::{ManualClock, MemoryStore, Session, SessionError, SessionManager, Slot, Store, StoreError};

// --- the application: takes its manager, so that a test can give it another -----------------------

const NOTE: Slot<String> = Slot::new("note");

fn app(sessions: &SessionManager) -> Router {
    Router::new().route("/", get(read)).route("/note", post(write)).layer(sessions.layer())
}

async fn read(session: Session) -> Result<String, SessionError> {
    let who = session.principal().unwrap_or_else(|| "nobody".to_owned());
    Ok(format!("{who}: {}", session.get(NOTE)?.unwrap_or_default()))
}

async fn write(session: Session, note: String) -> Result<(), SessionError> {
    session.set(NOTE, &note)
}

// --- its tests: in a project of your own each would be a #[tokio::test] ----------------------------

struct World {
    sessions: SessionManager,
    store: Arc<FaultyStore>,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Result<Self, Box<dyn Error>> {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let clock = Arc::new(ManualClock::new());
        let shared: Arc<dyn Store> = store.clone();
        let builder = SessionManager::builder_shared(shared).clock(clock.clone()).sweep_every(None);
        Ok(Self { sessions: builder.build()?, store, clock })
    }

    async fn alice(&self) -> Result<Client<Router>, SessionError> {
        Client::new(app(&self.sessions)).signed_in(&self.sessions, "alice").await
    }
}

async fn a_note_is_kept_for_its_writer_alone() -> Result<(), Box<dyn Error>> {
    let world = World::new()?;
    let mut alice = world.alice().await?;
    alice.post("/note", "umbrella").await;
    assert_eq!(alice.get("/").await.text(), "alice: umbrella");
    assert_eq!(Client::new(app(&world.sessions)).get("/").await.text(), "nobody: ");
    Ok(())
}

async fn a_visitor_is_signed_out_after_twenty_idle_minutes() -> Result<(), Box<dyn Error>> {
    let world = World::new()?;
    let mut alice = world.alice().await?;
    world.clock.advance(Duration::from_secs(19 * 60));
    assert_eq!(alice.get("/").await.text(), "alice: ");
    world.clock.advance(Duration::from_secs(20 * 60));
    assert_eq!(alice.get("/").await.text(), "nobody: ");
    Ok(())
}

async fn a_failing_store_is_answered_with_503_and_never_as_nobody() -> Result<(), Box<dyn Error>> {
    let world = World::new()?;
    let mut alice = world.alice().await?;
    world.store.fail(Operation::Load, 1, StoreError::unavailable("the disk was unplugged"));
    assert_eq!(alice.get("/").await.status, 503);
    assert_eq!(alice.get("/").await.text(), "alice: ");
    Ok(())
}

pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    a_note_is_kept_for_its_writer_alone().await?;
    println!("a note is kept for its writer alone: ok");
    a_visitor_is_signed_out_after_twenty_idle_minutes().await?;
    println!("a visitor is signed out after twenty idle minutes: ok");
    a_failing_store_is_answered_with_503_and_never_as_nobody().await?;
    println!("a failing store is answered with 503 and never as nobody: ok");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}
