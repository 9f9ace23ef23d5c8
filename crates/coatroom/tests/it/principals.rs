//! Logins that race the ending of all, and the cap.

use std::sync::Arc;

use coatroom::store::{FaultyStore, Gate, Operation};
use coatroom::testing::signed_in;
use coatroom::{AtLimit, Locator, SessionError, SessionId, SessionManagerBuilder, Slot, Timestamp};

use crate::support::{Fixture, SECOND, memory, on_each_store};

const CART: Slot<u64> = Slot::new("cart");

/// A login held by a fault, all sessions of its principal ended meanwhile, and nobody left.
async fn check_it_loses(hold: impl FnOnce(&FaultyStore) -> Gate, exists: bool) {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b);
    let (id, session) = fixture.sessions.create().unwrap();
    if exists {
        session.set(CART, &1).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
    }
    session.login("alice").unwrap();
    let held = hold(&faulty);
    let sessions = fixture.sessions.clone();
    let login = tokio::spawn(async move { sessions.commit(&session).await });
    held.reached().await;
    fixture.sessions.end_all("alice").await.unwrap();
    held.open();
    let login = login.await.unwrap();
    assert!(matches!(login, Err(SessionError::PrincipalEnded)), "{login:?}");
    assert!(fixture.sessions.of("alice").await.unwrap().is_empty());
    assert_eq!(fixture.sessions.count().await.unwrap(), 0);
    assert!(fixture.sessions.open(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_login_that_lands_after_all_were_ended_is_ended_too() {
    check_it_loses(|faulty| faulty.hold_before(Operation::Commit, 1), true).await;
    check_it_loses(|faulty| faulty.hold_before(Operation::Create, 1), false).await;
}

#[tokio::test]
async fn a_login_that_landed_before_all_were_ended_is_told_so() {
    check_it_loses(|faulty| faulty.hold_after(Operation::Commit, 1), true).await;
    check_it_loses(|faulty| faulty.hold_after(Operation::Create, 1), false).await;
    check_it_loses(|faulty| faulty.hold_before(Operation::Epoch, 2), true).await;
}

async fn log_in(fixture: &Fixture) -> (SessionId, Result<(), SessionError>) {
    fixture.clock.advance(SECOND);
    let (id, session) = fixture.sessions.create().unwrap();
    session.set(CART, &1).unwrap();
    fixture.sessions.commit(&session).await.unwrap();
    session.login("alice").unwrap();
    match fixture.sessions.commit(&session).await {
        Ok(renewed) => (renewed.unwrap(), Ok(())),
        Err(refusal) => (id, Err(refusal)),
    }
}

async fn left(fixture: &Fixture) -> Vec<Locator> {
    fixture.sessions.of("alice").await.unwrap().iter().map(|info| info.locator).collect()
}

on_each_store! {
    async fn at_the_cap_the_oldest_login_ends(place) {
        let fixture = Fixture::with(place, |b| b.max_sessions_per_principal(2, AtLimit::EndOldest));
        let mut ids = Vec::new();
        for _ in 0..4 {
            let (id, login) = log_in(&fixture).await;
            login.unwrap();
            ids.push(id);
            let expected: Vec<_> = ids.iter().rev().take(2).map(SessionId::locator).collect();
            assert_eq!(left(&fixture).await, expected);
        }
        assert!(fixture.sessions.open(&ids[0]).await.unwrap().is_none());
        assert_eq!(fixture.sessions.count().await.unwrap(), 2);
        assert_eq!(left(&fixture).await, [ids[3].locator(), ids[2].locator()]);
    }

    async fn at_the_cap_the_oldest_ends_though_the_clock_stands_still_or_goes_back(place) {
        let fixture = Fixture::with(place, |b| b.max_sessions_per_principal(1, AtLimit::EndOldest));
        for login in 0..20 {
            let back = if login % 2 == 0 { 0 } else { 1_000 };
            fixture.clock.set(Timestamp::from_millis(fixture.sessions.now().as_millis() - back));
            let (id, session) = fixture.sessions.create().unwrap();
            session.login("alice").unwrap();
            fixture.sessions.commit(&session).await.unwrap();
            assert_eq!(left(&fixture).await, [id.locator()]);
        }
    }

    async fn at_the_cap_a_login_is_refused_and_its_session_stays_as_it_was(place) {
        let fixture = Fixture::with(place, |b| b.max_sessions_per_principal(2, AtLimit::Refuse));
        let (first, second) = (log_in(&fixture).await.0, log_in(&fixture).await.0);
        let (third, refusal) = log_in(&fixture).await;
        assert!(matches!(refusal, Err(SessionError::TooManySessions { limit: 2 })), "{refusal:?}");
        assert_eq!(left(&fixture).await, [second.locator(), first.locator()]);
        let session = fixture.sessions.open(&third).await.unwrap().unwrap();
        assert_eq!((session.principal(), session.get(CART).unwrap()), (None, Some(1)));
        // Who is in already may sign in again, and where one has left there is room.
        let again = fixture.sessions.open(&first).await.unwrap().unwrap();
        again.login("alice").unwrap();
        fixture.sessions.commit(&again).await.unwrap();
        fixture.sessions.end(&second.locator()).await.unwrap();
        session.login("alice").unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        assert_eq!(left(&fixture).await.len(), 2);
    }

    async fn of_two_logins_at_once_the_one_beyond_the_cap_is_told_so(place) {
        let faulty = Arc::new(FaultyStore::new(place.store.clone()));
        let configure = |b: SessionManagerBuilder| b.max_sessions_per_principal(1, AtLimit::Refuse);
        let fixture = Fixture::with_store(faulty.clone(), configure);
        let mut logins = Vec::new();
        for _ in 0..2 {
            fixture.clock.advance(SECOND);
            let (id, session) = fixture.sessions.create().unwrap();
            session.login("alice").unwrap();
            let held = faulty.hold_before(Operation::Create, 1);
            let login = tokio::spawn(async move { session.save().await });
            held.reached().await;
            logins.push((id, held, login));
        }
        let mut told = Vec::new();
        for (_, held, login) in &mut logins {
            held.open();
            told.push(login.await.unwrap());
        }
        assert!(told[0].is_ok(), "{told:?}");
        assert!(matches!(told[1], Err(SessionError::TooManySessions { limit: 1 })), "{told:?}");
        assert_eq!(left(&fixture).await, [logins[0].0.locator()]);
    }

    async fn no_session_is_left_of_a_login_that_raced_the_ending_of_all(place) {
        let fixture = Fixture::with(place.clone(), |b| b);
        for _ in 0..50 {
            let (_, session) = fixture.sessions.create().unwrap();
            let sessions = fixture.sessions.clone();
            let ender = tokio::spawn(async move { sessions.end_all("alice").await.unwrap() });
            session.login("alice").unwrap();
            let login = fixture.sessions.commit(&session).await;
            ender.await.unwrap();
            // Who is left signed in did so after the epoch had risen, whoever was told what.
            let (namespace, now) = (fixture.sessions.namespace(), fixture.sessions.now());
            let epoch = place.store.epoch(namespace, "alice").await.unwrap();
            let left = place.store.of_principal(namespace, "alice", now).await.unwrap();
            assert!(left.iter().all(|record| record.principal_epoch() == Some(epoch)));
            match login {
                Ok(_) => {}
                Err(SessionError::PrincipalEnded) => assert!(left.is_empty()),
                Err(error) => panic!("{error}"),
            }
            fixture.sessions.end_all("alice").await.unwrap();
        }
    }

    async fn a_refused_login_leaves_no_session_that_it_made(place) {
        let fixture = Fixture::with(place, |b| b.max_sessions_per_principal(1, AtLimit::Refuse));
        signed_in(&fixture.sessions, "alice").await.unwrap();
        let refusal = signed_in(&fixture.sessions, "alice").await;
        assert!(matches!(refusal, Err(SessionError::TooManySessions { limit: 1 })), "{refusal:?}");
        assert_eq!(fixture.sessions.count().await.unwrap(), 1);
    }
}
