//! Twenty clients of one session at once: nothing is lost, whatever they write.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use coatroom::testing::Client;
use coatroom::{Session, SessionError, Slot};
use tokio::sync::Barrier;

use crate::support::{Fixture, on_each_store};

const CLIENTS: u64 = 20;
const REQUESTS: u64 = 10;
const LIST: Slot<Vec<u64>> = Slot::new("list");
const COUNT: Slot<u64> = Slot::new("count");
const LIKES: Slot<u64> = Slot::new("likes")
    .merge(|base, theirs, ours| Some(theirs.unwrap_or(0) + ours.unwrap_or(0) - base.unwrap_or(0)));

/// All clients load before any of them writes, and all have written before any answers: the worst
/// case, every time.
#[derive(Clone)]
struct Held {
    loaded: Arc<Barrier>,
    written: Arc<Barrier>,
}

impl Held {
    fn new() -> Self {
        let barrier = || Arc::new(Barrier::new(CLIENTS as usize));
        Self { loaded: barrier(), written: barrier() }
    }
}

async fn set(session: Session, Path(n): Path<u64>, State(held): State<Held>) -> Result<(), SessionError> {
    held.loaded.wait().await;
    session.set(Slot::new(&format!("attribute.{n}")), &n)?;
    held.written.wait().await;
    Ok(())
}

async fn edit(session: Session, Path(n): Path<u64>, State(held): State<Held>) -> Result<(), SessionError> {
    held.loaded.wait().await;
    session.edit(LIST, move |list| list.push(n))?;
    held.written.wait().await;
    Ok(())
}

async fn merge(session: Session, Path(_): Path<u64>, State(held): State<Held>) -> Result<(), SessionError> {
    held.loaded.wait().await;
    let likes = session.get(LIKES)?.unwrap_or(0);
    session.set(LIKES, &(likes + 1))?;
    held.written.wait().await;
    Ok(())
}

async fn update(session: Session, Path(_): Path<u64>, State(held): State<Held>) -> Result<(), SessionError> {
    held.loaded.wait().await;
    session.update(COUNT, |count| count + 1).await?;
    held.written.wait().await;
    Ok(())
}

/// Sends all requests and returns the session as it is then.
async fn rush(fixture: &Fixture, path: &str) -> Session {
    let held = Held::new();
    let app: Router = Router::new()
        .route("/set/{n}", post(set))
        .route("/edit/{n}", post(edit))
        .route("/merge/{n}", post(merge))
        .route("/update/{n}", post(update))
        .with_state(held)
        .layer(fixture.sessions.layer());
    let first = Client::new(app).signed_in(&fixture.sessions, "alice").await.unwrap();
    let clients = (0..CLIENTS).map(|client| {
        let (mut visitor, path) = (first.clone(), path.to_owned());
        tokio::spawn(async move {
            for request in 0..REQUESTS {
                let answer = visitor.post(&format!("{path}/{}", client * REQUESTS + request), "").await;
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let locator = fixture.sessions.of("alice").await.unwrap()[0].locator;
    fixture.sessions.open_locator(&locator).await.unwrap().unwrap()
}

on_each_store! {
    async fn no_attribute_that_parallel_requests_set_is_lost(place) {
        let session = rush(&Fixture::new(place), "/set").await;
        assert_eq!(session.names().len() as u64, CLIENTS * REQUESTS);
    }

    async fn no_edit_of_one_list_is_lost(place) {
        let mut list = rush(&Fixture::new(place), "/edit").await.get(LIST).unwrap().unwrap();
        list.sort_unstable();
        assert_eq!(list, (0..CLIENTS * REQUESTS).collect::<Vec<_>>());
    }

    async fn no_change_of_a_merging_slot_is_lost(place) {
        let session = rush(&Fixture::new(place), "/merge").await;
        assert_eq!(session.get(LIKES).unwrap(), Some(CLIENTS * REQUESTS));
    }

    async fn no_update_of_one_number_is_lost(place) {
        let session = rush(&Fixture::new(place), "/update").await;
        assert_eq!(session.get(COUNT).unwrap(), Some(CLIENTS * REQUESTS));
    }
}
