//! Futures dropped at every await, answers lost, and what is in the store then.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::routing::post;
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::Client;
use coatroom::{Session, SessionError, Slot};

use crate::support::{Fixture, Place, on_each_store};

const COUNT: Slot<u64> = Slot::new("count");
const TWIN: Slot<u64> = Slot::new("twin");

/// Polls at most `polls` times, then drops the future.
fn poll_times<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    None
}

/// A fixture whose store makes every call wait once before and once after its work.
fn waiting(place: &Place) -> Fixture {
    Fixture::with_store(Arc::new(FaultyStore::new(place.store.clone()).yielding()), |b| b)
}

async fn add(session: Session) -> Result<(), SessionError> {
    session.edit(COUNT, |count| *count += 1)?;
    session.edit(TWIN, |count| *count += 1)
}

async fn update(session: Session) -> Result<(), SessionError> {
    session.update(COUNT, |count| count + 1).await?;
    Ok(())
}

async fn login(session: Session) -> Result<(), SessionError> {
    session.login("alice")?;
    session.edit(COUNT, |count| *count += 1)
}

async fn logout(session: Session) -> Result<(), SessionError> {
    session.logout().await
}

fn app(fixture: &Fixture) -> Router {
    Router::new()
        .route("/add", post(add))
        .route("/update", post(update))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .layer(fixture.sessions.layer())
}

/// Drops the request to `path` at its every await, on a session of its own each time, and looks at
/// what each left: `None` where the session is gone.
async fn drop_everywhere(place: &Place, path: &str) -> Vec<Option<Session>> {
    let (waiting, calm) = (waiting(place), Fixture::new(place.clone()));
    let mut left = Vec::new();
    for polls in 1.. {
        let mut client = Client::new(app(&waiting)).signed_in(&calm.sessions, "anna").await.unwrap();
        let before: Vec<_> = calm.sessions.of("anna").await.unwrap();
        let locator = before.iter().max_by_key(|info| info.created).unwrap().locator;
        let done = poll_times(client.post(path, ""), polls);
        left.push(calm.sessions.open_locator(&locator).await.unwrap());
        calm.sessions.end(&locator).await.unwrap();
        calm.sessions.end_all("anna").await.unwrap();
        calm.sessions.end_all("alice").await.unwrap();
        if let Some(answer) = done {
            assert_eq!(answer.status, 200);
            assert!(polls > 3, "the request never waited");
            return left;
        }
    }
    unreachable!()
}

on_each_store! {
    async fn a_dropped_commit_is_whole_or_not_at_all(place) {
        for session in drop_everywhere(&place, "/add").await {
            let session = session.unwrap();
            assert_eq!(session.get(COUNT).unwrap(), session.get(TWIN).unwrap());
            assert!(session.get(COUNT).unwrap().unwrap_or(0) <= 1);
        }
    }

    async fn a_dropped_update_is_done_once_or_not_at_all(place) {
        for session in drop_everywhere(&place, "/update").await {
            assert!(session.unwrap().get(COUNT).unwrap().unwrap_or(0) <= 1);
        }
    }

    async fn a_dropped_login_leaves_the_old_owner_or_the_new(place) {
        for session in drop_everywhere(&place, "/login").await {
            let session = session.unwrap();
            match session.principal().as_deref() {
                Some("anna") => assert_eq!(session.get(COUNT).unwrap(), None),
                Some("alice") => assert_eq!(session.get(COUNT).unwrap(), Some(1)),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn a_dropped_logout_leaves_the_session_alive_or_ended(place) {
        let left = drop_everywhere(&place, "/logout").await;
        assert!(left.first().unwrap().is_some() && left.last().unwrap().is_none());
    }

    async fn a_lost_answer_is_asked_for_and_nothing_is_applied_twice(place) {
        let faulty = Arc::new(FaultyStore::new(place.store.clone()));
        let fixture = Fixture::with_store(faulty.clone(), |b| b);
        let mut client = Client::new(app(&fixture));
        for operation in [Operation::Create, Operation::Commit, Operation::Commit] {
            faulty.lose_answer(operation, 1);
            assert_eq!(client.post("/update", "").await.status, 200);
            faulty.lose_answer(Operation::Commit, 1);
            assert_eq!(client.post("/add", "").await.status, 200);
        }
        let locator = fixture.sessions.list(None, 2).await.unwrap().0[0].locator;
        let session = fixture.sessions.open_locator(&locator).await.unwrap().unwrap();
        assert_eq!((session.get(COUNT).unwrap(), session.get(TWIN).unwrap()), (Some(6), Some(3)));
        faulty.lose_answer(Operation::Remove, 1);
        assert_eq!(client.post("/logout", "").await.status, 200);
        assert_eq!(fixture.sessions.count().await.unwrap(), 0);
    }

    async fn a_commit_that_lands_after_it_was_asked_for_is_not_applied_twice(place) {
        let faulty = Arc::new(FaultyStore::new(place.store.clone()));
        let fixture = Fixture::with_store(faulty.clone(), |b| b);
        let mut client = Client::new(app(&fixture));
        client.post("/add", "").await;
        for path in ["/update", "/add"] {
            faulty.land_late(Operation::Commit, 1);
            assert_eq!(client.post(path, "").await.status, 200);
        }
        let locator = fixture.sessions.list(None, 2).await.unwrap().0[0].locator;
        let session = fixture.sessions.open_locator(&locator).await.unwrap().unwrap();
        assert_eq!((session.get(COUNT).unwrap(), session.get(TWIN).unwrap()), (Some(3), Some(2)));
    }

    async fn an_outcome_that_nobody_can_tell_is_no_success(place) {
        let faulty = Arc::new(FaultyStore::new(place.store.clone()));
        let fixture = Fixture::with_store(faulty.clone(), |b| b);
        let mut client = Client::new(app(&fixture));
        client.post("/add", "").await;
        faulty.lose_answer(Operation::Commit, 1);
        faulty.fail(Operation::Load, 2, coatroom::StoreError::unavailable("the store was unplugged"));
        assert_eq!(client.post("/add", "").await.status, 503);
    }

    async fn a_login_is_checked_again_and_ended_where_it_cannot_be(place) {
        let faulty = Arc::new(FaultyStore::new(place.store.clone()));
        let fixture = Fixture::with_store(faulty.clone(), |b| b);
        let unplugged = || coatroom::StoreError::unavailable("the store was unplugged");
        // The first epoch is asked for before the commit.
        faulty.fail(Operation::Epoch, 2, unplugged());
        assert_eq!(Client::new(app(&fixture)).post("/login", "").await.status, 200);
        assert_eq!(fixture.sessions.of("alice").await.unwrap().len(), 1);
        faulty.fail(Operation::Epoch, 2, unplugged());
        faulty.fail(Operation::Epoch, 3, unplugged());
        let mut client = Client::new(app(&fixture));
        assert_eq!(client.post("/login", "").await.status, 503);
        assert_eq!(fixture.sessions.of("alice").await.unwrap().len(), 1);
        assert_eq!(client.post("/login", "").await.status, 200);
    }

    async fn a_dropped_save_keeps_what_was_deferred(place) {
        let (waiting, calm) = (waiting(&place), Fixture::new(place.clone()));
        let (id, session) = calm.sessions.create().unwrap();
        calm.sessions.commit(&session).await.unwrap();
        let session = waiting.sessions.open(&id).await.unwrap().unwrap();
        session.set(COUNT, &7).unwrap();
        assert!(poll_times(session.save(), 1).is_none());
        assert_eq!(session.get(COUNT).unwrap(), Some(7));
        session.save().await.unwrap();
        assert_eq!(calm.sessions.open(&id).await.unwrap().unwrap().get(COUNT).unwrap(), Some(7));
    }
}
