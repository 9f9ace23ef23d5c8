//! What a request may still do, take back, and tell of its session.

use std::sync::Arc;

use coatroom::store::{FaultyStore, Gate, Operation};
use coatroom::{Session, SessionError, SessionId, Slot};
use tokio::task::JoinHandle;

use crate::support::{Fixture, MINUTE, memory, on_each_store};

const COUNT: Slot<u64> = Slot::new("count");

on_each_store! {
    async fn what_is_discarded_is_not_committed(place) {
        let fixture = Fixture::new(place);
        let (id, session) = fixture.sessions.create().unwrap();
        session.set(COUNT, &1).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        let revision = session.revision();
        session.set(COUNT, &2).unwrap();
        session.login("mallory").unwrap();
        session.set_client_label("a browser").unwrap();
        session.set_idle_timeout(MINUTE).unwrap();
        session.discard();
        assert_eq!((session.get(COUNT).unwrap(), session.principal()), (Some(1), None));
        assert_eq!(fixture.sessions.commit(&session).await.unwrap(), None);
        assert_eq!(session.revision(), revision);
        let session = fixture.sessions.open(&id).await.unwrap().unwrap();
        assert_eq!((session.get(COUNT).unwrap(), session.principal(), session.client_label()), (Some(1), None, None));
        assert_eq!(session.idle_timeout(), 20 * MINUTE);
        // What follows it counts.
        session.set(COUNT, &3).unwrap();
        session.discard();
        session.set(COUNT, &4).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        assert_eq!(fixture.sessions.open(&id).await.unwrap().unwrap().get(COUNT).unwrap(), Some(4));
    }

    async fn a_login_of_nobody_is_refused_and_changes_nothing(place) {
        let fixture = Fixture::new(place);
        let (id, session) = fixture.sessions.create().unwrap();
        session.set(COUNT, &1).unwrap();
        session.login("alice").unwrap();
        let refusal = session.login("");
        assert!(matches!(refusal, Err(SessionError::EmptyPrincipal)), "{refusal:?}");
        let id = fixture.sessions.commit(&session).await.unwrap().unwrap_or(id);
        let session = fixture.sessions.open(&id).await.unwrap().unwrap();
        assert_eq!((session.principal().as_deref(), session.get(COUNT).unwrap()), (Some("alice"), Some(1)));
    }

    async fn a_client_label_is_kept_shown_and_replaced(place) {
        let fixture = Fixture::new(place);
        let (id, session) = fixture.sessions.create().unwrap();
        session.login("alice").unwrap();
        session.set_client_label("Firefox on Linux").unwrap();
        assert_eq!(session.client_label().as_deref(), Some("Firefox on Linux"));
        fixture.sessions.commit(&session).await.unwrap();
        let listed = fixture.sessions.of("alice").await.unwrap();
        assert_eq!(listed[0].client_label.as_deref(), Some("Firefox on Linux"));
        let session = fixture.sessions.open(&id).await.unwrap().unwrap();
        session.set_client_label(&"ü".repeat(127)).unwrap();
        let refusal = session.set_client_label(&"ü".repeat(128));
        let expected = matches!(refusal, Err(SessionError::InvalidText { what: "client label", size: 256, limit: 255 }));
        assert!(expected, "{refusal:?}");
        fixture.sessions.commit(&session).await.unwrap();
        let session = fixture.sessions.open(&id).await.unwrap().unwrap();
        assert_eq!(session.client_label(), Some("ü".repeat(127)));
        assert_eq!(session.principal().as_deref(), Some("alice"));
    }
}

/// A session whose save, of a count of one, has come to the store and no further.
struct Saving {
    fixture: Fixture,
    id: SessionId,
    session: Session,
    held: Gate,
    saved: JoinHandle<Result<(), SessionError>>,
}

impl Saving {
    async fn begun() -> Self {
        let faulty = Arc::new(FaultyStore::new(memory().store));
        let fixture = Fixture::with_store(faulty.clone(), |b| b);
        let (id, session) = fixture.sessions.create().unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        session.set(COUNT, &1).unwrap();
        let held = faulty.hold_before(Operation::Commit, 1);
        let saving = session.clone();
        let saved = tokio::spawn(async move { saving.save().await });
        held.reached().await;
        Self { fixture, id, session, held, saved }
    }
}

#[tokio::test]
async fn while_a_save_is_running_nothing_is_changed() {
    let Saving { fixture, id, session, held, saved } = Saving::begun().await;
    for refused in [
        session.set(COUNT, &2),
        session.remove(COUNT),
        session.edit(COUNT, |n| *n += 1),
        session.clear(),
        session.login("alice"),
        session.renew(),
        session.set_client_label("a browser"),
        session.set_idle_timeout(MINUTE),
        session.set_lifetime(MINUTE),
        session.set_persistent(true),
        session.update(COUNT, |n| n + 1).await.map(drop),
        session.save().await,
        session.save_undoable().await.map(drop),
        session.logout().await,
        session.end_undoable().await.map(drop),
    ] {
        assert!(matches!(refused, Err(SessionError::SaveRunning)), "{refused:?}");
    }
    assert!(session.save_undoable_at_hand().is_none());
    session.discard();
    held.open();
    saved.await.unwrap().unwrap();
    session.set(COUNT, &2).unwrap();
    session.save().await.unwrap();
    assert_eq!(fixture.sessions.open(&id).await.unwrap().unwrap().get(COUNT).unwrap(), Some(2));
}

#[tokio::test]
async fn dropping_a_save_opens_the_session_with_its_changes() {
    let Saving { fixture, id, session, saved, .. } = Saving::begun().await;
    saved.abort();
    assert!(saved.await.unwrap_err().is_cancelled());
    session.edit(COUNT, |n| *n += 1).unwrap();
    session.save().await.unwrap();
    assert_eq!(fixture.sessions.open(&id).await.unwrap().unwrap().get(COUNT).unwrap(), Some(2));
}
