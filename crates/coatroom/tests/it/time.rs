//! Idle timeout, lifetime, touches, and sweeping.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use coatroom::store::{FaultyStore, Operation};
use coatroom::testing::Client;
use coatroom::{
    Event, Listener, ListenerError, ManualClock, PassiveLayer, Session, SessionId, SessionManager, Slot,
    StoreError, Timestamp,
};

use crate::support::{Fixture, MINUTE, SECOND, memory, on_each_store};

const CART: Slot<Vec<u64>> = Slot::new("cart");

/// A stored session that a client brought back once.
async fn stored(fixture: &Fixture) -> SessionId {
    let (id, session) = fixture.sessions.create().unwrap();
    session.edit(CART, |cart| cart.push(1)).unwrap();
    fixture.sessions.commit(&session).await.unwrap();
    id
}

async fn is_alive(fixture: &Fixture, id: &SessionId) -> bool {
    fixture.sessions.open(id).await.unwrap().is_some()
}

on_each_store! {
    async fn reading_extends_the_idle_deadline_and_never_the_lifetime(place) {
        let fixture = Fixture::with(place, |b| b.idle_timeout(20 * MINUTE).lifetime(60 * MINUTE));
        let id = stored(&fixture).await;
        for _ in 0..5 {
            fixture.clock.advance(11 * MINUTE);
            assert!(is_alive(&fixture, &id).await);
        }
        fixture.clock.advance(5 * MINUTE - Duration::from_millis(1));
        assert!(is_alive(&fixture, &id).await);
        fixture.clock.advance(Duration::from_millis(1));
        assert!(!is_alive(&fixture, &id).await);
    }

    async fn a_session_is_dead_at_its_idle_timeout_swept_or_not(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        fixture.clock.advance(20 * MINUTE - Duration::from_millis(1));
        assert_eq!(fixture.sessions.count().await.unwrap(), 1);
        fixture.clock.advance(Duration::from_millis(1));
        assert!(!is_alive(&fixture, &id).await);
        assert_eq!(fixture.sessions.count().await.unwrap(), 0);
        assert!(fixture.sessions.list(None, 10).await.unwrap().0.is_empty());
    }

    async fn the_clock_may_jump_and_no_session_outlives_its_deadline(place) {
        let fixture = Fixture::with(place, |b| b.idle_timeout(Duration::MAX).lifetime(60 * MINUTE));
        let id = stored(&fixture).await;
        let deadline = fixture.sessions.open(&id).await.unwrap().unwrap().deadline().unwrap();
        fixture.clock.set(Timestamp::from_millis(deadline.as_millis() - 3 * 3_600_000));
        assert!(is_alive(&fixture, &id).await);
        fixture.clock.set(deadline);
        assert!(!is_alive(&fixture, &id).await);
    }

    async fn a_lifetime_of_its_own_counts_from_the_login_and_holds_for_later_ones(place) {
        let fixture = Fixture::new(place);
        let session = fixture.sessions.open(&stored(&fixture).await).await.unwrap().unwrap();
        fixture.clock.advance(MINUTE);
        session.set_lifetime(30 * MINUTE).unwrap();
        session.save().await.unwrap();
        assert_eq!(session.deadline(), session.created().map(|created| created + 30 * MINUTE));
        session.login("alice").unwrap();
        session.save().await.unwrap();
        let signed_in = fixture.sessions.now();
        assert_eq!(session.deadline(), Some(signed_in + 30 * MINUTE));
        fixture.clock.advance(MINUTE);
        session.set_lifetime(40 * MINUTE).unwrap();
        session.save().await.unwrap();
        assert_eq!(session.deadline(), Some(signed_in + 40 * MINUTE));
        session.login("alice").unwrap();
        session.save().await.unwrap();
        assert_eq!(session.deadline(), Some(signed_in + 41 * MINUTE));
    }

    async fn limits_of_its_own_stay_when_something_else_is_set(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = fixture.sessions.open(&id).await.unwrap().unwrap();
        session.set_idle_timeout(5 * MINUTE).unwrap();
        session.save().await.unwrap();
        session.set_client_label("a browser").unwrap();
        session.save().await.unwrap();
        session.set_lifetime(30 * MINUTE).unwrap();
        session.save().await.unwrap();
        let kept = fixture.sessions.open(&id).await.unwrap().unwrap();
        let limits = (kept.idle_timeout(), kept.deadline(), kept.client_label());
        let lifetime = kept.created().map(|created| created + 30 * MINUTE);
        assert_eq!(limits, (5 * MINUTE, lifetime, Some("a browser".to_owned())));
    }

    async fn no_limit_of_its_own_is_shorter_than_a_second(place) {
        let fixture = Fixture::new(place);
        let (_, session) = fixture.sessions.create().unwrap();
        session.set_idle_timeout(Duration::ZERO).unwrap();
        session.set_lifetime(Duration::ZERO).unwrap();
        session.save().await.unwrap();
        assert_eq!(session.idle_timeout(), SECOND);
        assert_eq!(session.deadline(), session.created().map(|created| created + SECOND));
    }

    async fn a_commit_and_an_update_are_no_accesses(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = fixture.sessions.open(&id).await.unwrap().unwrap();
        let accessed = session.last_accessed();
        fixture.clock.advance(MINUTE);
        session.set_client_label("a browser").unwrap();
        session.edit(CART, |cart| cart.push(2)).unwrap();
        session.save().await.unwrap();
        session.update(Slot::<u64>::new("visits"), |visits| visits + 1).await.unwrap();
        let (listed, _) = fixture.sessions.list(None, 1).await.unwrap();
        assert_eq!((session.last_accessed(), Some(listed[0].last_accessed)), (accessed, accessed));
    }

    async fn a_session_that_was_looked_at_is_not_accessed_until_it_is_touched(place) {
        let fixture = Fixture::new(place);
        let begun = fixture.sessions.now();
        job(&fixture).await;
        fixture.clock.advance(2 * MINUTE);
        let session = fixture.sessions.keyed_passively("job 7").await.unwrap();
        assert_eq!((session.last_accessed(), session.is_touch_due()), (Some(begun), true));
        session.touch().await;
        assert_eq!(session.last_accessed(), Some(fixture.sessions.now()));
        assert_eq!(listed(&fixture).await, Some(fixture.sessions.now()));
    }

    async fn a_session_taken_at_hand_is_as_little_accessed(place) {
        let fixture = Fixture::new(place);
        let begun = fixture.sessions.now();
        job(&fixture).await;
        fixture.clock.advance(2 * MINUTE);
        let session = fixture.sessions.keyed_at_hand("job 7").unwrap();
        assert_eq!((session.last_accessed(), session.is_touch_due()), (Some(begun), true));
    }

    async fn a_touch_keeps_a_session_that_is_held_for_long(place) {
        let fixture = Fixture::with(place, |b| b.idle_timeout(20 * MINUTE).lifetime(60 * MINUTE));
        let id = stored(&fixture).await;
        let held = fixture.sessions.open(&id).await.unwrap().unwrap();
        for _ in 0..5 {
            fixture.clock.advance(11 * MINUTE);
            held.touch().await;
            assert_eq!(held.last_accessed(), Some(fixture.sessions.now()));
        }
        assert!(is_alive(&fixture, &id).await);
        fixture.clock.advance(5 * MINUTE);
        held.touch().await;
        assert!(!is_alive(&fixture, &id).await);
    }

    async fn a_touch_of_a_session_that_is_not_stored_does_nothing(place) {
        let fixture = Fixture::new(place);
        let session = fixture.sessions.keyed("job 7").await.unwrap();
        assert!(!session.is_touch_due());
        session.touch().await;
        assert_eq!((session.exists(), fixture.sessions.count().await.unwrap()), (false, 0));
    }

    async fn a_touch_brings_no_dead_session_back(place) {
        let fixture = Fixture::new(place);
        let expired = job(&fixture).await;
        fixture.clock.advance(20 * MINUTE);
        expired.touch().await;
        assert!(!fixture.sessions.keyed("job 7").await.unwrap().exists());
        let ended = job(&fixture).await;
        fixture.sessions.end(&ended.locator().unwrap()).await.unwrap();
        fixture.clock.advance(2 * MINUTE);
        ended.touch().await;
        assert_eq!(fixture.sessions.count().await.unwrap(), 0);
    }

    async fn a_touch_by_a_handle_that_others_overtook_keeps_the_session(place) {
        let fixture = Fixture::new(place);
        let held = job(&fixture).await;
        for _ in 0..2 {
            fixture.clock.advance(15 * MINUTE);
            let other = fixture.sessions.keyed("job 7").await.unwrap();
            other.edit(CART, |cart| cart.push(2)).unwrap();
            other.save().await.unwrap();
        }
        fixture.clock.advance(15 * MINUTE);
        held.touch().await;
        assert_eq!(listed(&fixture).await, Some(fixture.sessions.now()));
    }

    async fn only_a_request_that_brought_the_id_confirms_it_by_a_touch(place) {
        let fixture = Fixture::with(place, |b| b.unconfirmed_timeout(Some(10 * MINUTE)));
        let app = Router::new()
            .route("/", post(async |session: Session| session.edit(CART, |cart| cart.push(1))))
            .route("/", get(async |session: Session| session.touch().await).layer(PassiveLayer))
            .layer(fixture.sessions.layer());
        let mut visitor = Client::new(app);
        visitor.post("/", "").await;
        let (infos, _) = fixture.sessions.list(None, 1).await.unwrap();
        let served = fixture.sessions.open_locator(&infos[0].locator).await.unwrap().unwrap();
        fixture.clock.advance(2 * MINUTE);
        served.touch().await;
        let (infos, _) = fixture.sessions.list(None, 1).await.unwrap();
        assert_eq!((infos[0].confirmed, infos[0].last_accessed), (false, fixture.sessions.now()));
        visitor.get("/").await;
        assert!(fixture.sessions.list(None, 1).await.unwrap().0[0].confirmed);
    }

    async fn a_session_without_limits_lives_for_ever(place) {
        let fixture = Fixture::with(place, |b| b.idle_timeout(Duration::MAX).lifetime(Duration::MAX));
        let id = stored(&fixture).await;
        fixture.clock.advance(Duration::from_secs(100 * 365 * 86_400));
        assert!(is_alive(&fixture, &id).await);
        assert_eq!(fixture.sessions.sweep().await.unwrap().expired, 0);
    }

    async fn the_sweep_tells_of_each_expired_session_once_with_its_data(place) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = heard.clone();
        let fixture = Fixture::with(place, |b| b.on_event(move |event: &Event<'_>| {
            if let Event::Expired(session) = event {
                hears.lock().unwrap().push((session.info().locator, session.get(CART).unwrap()));
            }
        }));
        let mut expected: Vec<_> = Vec::new();
        for _ in 0..300 {
            expected.push((stored(&fixture).await.locator(), Some(vec![1])));
        }
        fixture.sessions.flush().await.unwrap();
        fixture.clock.advance(21 * MINUTE);
        let late = stored(&fixture).await;
        sweep_all(&fixture).await;
        fixture.clock.advance(2 * MINUTE);
        sweep_all(&fixture).await;
        let mut heard = heard.lock().unwrap().clone();
        heard.sort_unstable_by_key(|(locator, _)| *locator);
        expected.sort_unstable_by_key(|(locator, _)| *locator);
        assert_eq!(heard, expected);
        assert!(is_alive(&fixture, &late).await);
    }

    async fn an_expiry_whose_listener_failed_is_told_again(place) {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let fixture = Fixture::with(place, |b| b.on_event(FailsOnce(calls.clone())));
        stored(&fixture).await;
        fixture.sessions.flush().await.unwrap();
        fixture.clock.advance(21 * MINUTE);
        assert_eq!(sweep_all(&fixture).await, (0, 1));
        assert_eq!(sweep_all(&fixture).await, (0, 0));
        fixture.clock.advance(MINUTE + 10 * SECOND);
        assert_eq!(sweep_all(&fixture).await, (1, 0));
        let calls = calls.lock().unwrap();
        assert_eq!((calls.len(), calls[0]), (2, calls[1]));
    }

    async fn a_slow_listener_is_done_before_its_lease_is_over(place) {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (hears, clock) = (calls.clone(), Arc::new(Mutex::new(None::<Arc<ManualClock>>)));
        let hand = clock.clone();
        let fixture = Fixture::with(place, |b| b.on_event(move |event: &Event<'_>| {
            if let Event::Expired(session) = event {
                hears.lock().unwrap().push(session.info().locator);
                if let Some(clock) = &*hand.lock().unwrap() {
                    clock.advance(10 * SECOND);
                }
            }
        }));
        for _ in 0..5 {
            stored(&fixture).await;
        }
        fixture.sessions.flush().await.unwrap();
        fixture.clock.advance(21 * MINUTE);
        *clock.lock().unwrap() = Some(fixture.clock.clone());
        let first = fixture.sessions.sweep().await.unwrap();
        assert_eq!((first.expired, first.deferred), (3, 2));
        fixture.clock.advance(MINUTE);
        while calls.lock().unwrap().len() < 5 {
            fixture.sessions.sweep().await.unwrap();
        }
        let mut told = calls.lock().unwrap().clone();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), 5);
    }

    async fn a_touched_session_is_not_swept(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        for _ in 0..6 {
            fixture.clock.advance(15 * MINUTE);
            assert!(is_alive(&fixture, &id).await);
            assert_eq!(sweep_all(&fixture).await, (0, 0));
        }
    }
}

/// A keyed session that was begun now.
async fn job(fixture: &Fixture) -> Session {
    let session = fixture.sessions.keyed("job 7").await.unwrap();
    session.edit(CART, |cart| cart.push(1)).unwrap();
    session.save().await.unwrap();
    session
}

/// When the only session was accessed, as the store has it.
async fn listed(fixture: &Fixture) -> Option<Timestamp> {
    Some(fixture.sessions.list(None, 1).await.unwrap().0.first()?.last_accessed)
}

/// Expired and deferred, until nothing more is due.
async fn sweep_all(fixture: &Fixture) -> (usize, usize) {
    let mut total = (0, 0);
    loop {
        let swept = fixture.sessions.sweep().await.unwrap();
        total = (total.0 + swept.expired, total.1 + swept.deferred);
        if !swept.more {
            return total;
        }
    }
}

/// Refuses the first expiry it hears of.
struct FailsOnce(Arc<Mutex<Vec<(coatroom::Locator, u64)>>>);

impl Listener for FailsOnce {
    fn hear(&self, event: &Event<'_>) -> Result<(), ListenerError> {
        let Event::Expired(session) = event else { return Ok(()) };
        let mut calls = self.0.lock().unwrap();
        calls.push((session.info().locator, session.info().revision));
        if calls.len() == 1 { Err("the warehouse is closed".into()) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_touch_is_written_once_an_interval_and_rewrites_nothing() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b.idle_timeout(20 * MINUTE));
    let id = stored(&fixture).await;
    let revision = fixture.sessions.list(None, 1).await.unwrap().0[0].revision;
    for _ in 0..59 {
        assert!(is_alive(&fixture, &id).await);
        fixture.clock.advance(SECOND);
    }
    assert_eq!((faulty.calls(Operation::Touch), faulty.calls(Operation::Load)), (0, 59));
    fixture.clock.advance(SECOND);
    for _ in 0..10 {
        assert!(is_alive(&fixture, &id).await);
    }
    assert_eq!(faulty.calls(Operation::Touch), 1);
    assert_eq!(fixture.sessions.list(None, 1).await.unwrap().0[0].revision, revision);
}

#[tokio::test]
async fn a_touch_by_hand_is_written_once_an_interval_too_and_never_fails() {
    let faulty = Arc::new(FaultyStore::new(memory().store));
    let fixture = Fixture::with_store(faulty.clone(), |b| b.idle_timeout(20 * MINUTE));
    let session = job(&fixture).await;
    for _ in 0..60 {
        assert!(!session.is_touch_due());
        session.touch().await;
        fixture.clock.advance(SECOND);
    }
    assert_eq!(faulty.calls(Operation::Touch), 0);
    faulty.fail(Operation::Touch, 1, StoreError::unavailable("the disk is full"));
    session.touch().await;
    assert!(session.is_touch_due());
    session.touch().await;
    session.touch().await;
    assert_eq!((faulty.calls(Operation::Touch), session.is_touch_due()), (2, false));
}

#[test]
fn the_sweeper_of_a_manager_sweeps_by_itself() {
    let (tell, told) = std::sync::mpsc::channel();
    let clock = Arc::new(ManualClock::new());
    let tell = Mutex::new(tell);
    let sessions = SessionManager::builder_shared(memory().store)
        .clock(clock.clone())
        .sweep_every(Some(Duration::from_millis(1)))
        .on_event(move |event: &Event<'_>| {
            if let Event::Expired(session) = event {
                tell.lock().unwrap().send(session.info().locator).unwrap();
            }
        })
        .build()
        .unwrap();
    let (id, session) = sessions.create().unwrap();
    coatroom::Wait::wait(sessions.commit(&session)).unwrap();
    clock.advance(21 * MINUTE);
    assert_eq!(told.recv().unwrap(), id.locator());
}
