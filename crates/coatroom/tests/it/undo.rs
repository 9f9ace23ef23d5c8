//! Commits taken back: for callers whose own commit has several parties.

use std::sync::Arc;
use std::time::Duration;

use coatroom::store::{FaultyStore, Operation};
use coatroom::{Session, SessionError, Slot, Undo};

use crate::support::{Fixture, MINUTE, on_each_store};

const A: Slot<u64> = Slot::new("a");
const B: Slot<u64> = Slot::new("b");

async fn keyed(fixture: &Fixture) -> Session {
    fixture.sessions.keyed("visitor").await.unwrap()
}

/// Commits `a` and `b` to the keyed session.
async fn write(fixture: &Fixture, a: u64, b: Option<u64>) -> Undo {
    let session = keyed(fixture).await;
    session.set(A, &a).unwrap();
    match b {
        Some(b) => session.set(B, &b).unwrap(),
        None => session.remove(B).unwrap(),
    }
    session.save_undoable().await.unwrap().unwrap()
}

async fn values(fixture: &Fixture) -> (Option<u64>, Option<u64>) {
    let session = keyed(fixture).await;
    (session.get(A).unwrap(), session.get(B).unwrap())
}

on_each_store! {
    async fn a_commit_taken_back_leaves_what_was_there(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, Some(1)).await;
        let undo = write(&fixture, 2, None).await;
        assert_eq!(values(&fixture).await, (Some(2), None));
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(1), Some(1)));
    }

    async fn a_commit_that_waited_for_nothing_is_taken_back_likewise(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, Some(1)).await;
        let session = fixture.sessions.keyed_at_hand("visitor").unwrap_or(keyed(&fixture).await);
        session.set(A, &2).unwrap();
        let undo = match session.save_undoable_at_hand() {
            Some(undo) => undo,
            None => session.save_undoable().await.unwrap().unwrap(),
        };
        assert_eq!(session.get(A).unwrap(), Some(2));
        assert_eq!(values(&fixture).await, (Some(2), Some(1)));
        assert!(session.save_undoable().await.unwrap().is_none());
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(1), Some(1)));
    }

    async fn what_is_set_of_the_session_itself_is_no_commit_that_waits_for_nothing(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        let session = keyed(&fixture).await;
        session.set(A, &2).unwrap();
        session.set_client_label("a browser").unwrap();
        assert!(session.save_undoable_at_hand().is_none());
        session.save().await.unwrap();
        let session = keyed(&fixture).await;
        assert_eq!((session.get(A).unwrap(), session.client_label().as_deref()), (Some(2), Some("a browser")));
    }

    async fn a_creation_that_waited_for_nothing_is_taken_back_likewise(place) {
        let fixture = Fixture::new(place);
        let session = fixture.sessions.create_keyed("another");
        session.set(A, &2).unwrap();
        session.set_idle_timeout(5 * MINUTE).unwrap();
        let undo = match session.save_undoable_at_hand() {
            Some(undo) => undo,
            None => session.save_undoable().await.unwrap().unwrap(),
        };
        assert!(session.exists());
        assert_eq!((session.get(A).unwrap(), session.idle_timeout()), (Some(2), 5 * MINUTE));
        assert!(session.save_undoable().await.unwrap().is_none());
        assert_eq!(fixture.sessions.keyed("another").await.unwrap().get(A).unwrap(), Some(2));
        fixture.sessions.undo(&undo).await.unwrap();
        assert!(!fixture.sessions.keyed("another").await.unwrap().exists());
    }

    async fn what_a_creation_cannot_do_without_waiting_is_left_as_it_was(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, Some(1)).await;
        let session = fixture.sessions.create_keyed("visitor");
        session.set(A, &2).unwrap();
        assert!(session.save_undoable_at_hand().is_none(), "there is one");
        assert_eq!(session.get(A).unwrap(), Some(2));
        session.save().await.unwrap();
        assert_eq!(values(&fixture).await, (Some(2), Some(1)), "it met what was there");
        let session = fixture.sessions.create_keyed("another");
        session.set(A, &3).unwrap();
        session.login("alice").unwrap();
        assert!(session.save_undoable_at_hand().is_none(), "a login waits");
        session.save().await.unwrap();
        assert_eq!(fixture.sessions.of("alice").await.unwrap().len(), 1);
    }

    async fn a_created_session_that_meets_another_conflicts_where_it_rejects(place) {
        let fixture = Fixture::with(place, |builder| builder.on_conflict(coatroom::OnConflict::Reject));
        let _ = write(&fixture, 1, None).await;
        let session = fixture.sessions.create_keyed("visitor");
        session.set(A, &1).unwrap();
        assert!(session.save_undoable_at_hand().is_none());
        assert!(matches!(session.save_undoable().await, Err(SessionError::Conflict { .. })));
        assert_eq!(values(&fixture).await, (Some(1), None));
    }

    async fn settings_and_login_are_taken_back_too(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        let before = keyed(&fixture).await.deadline();
        let session = keyed(&fixture).await;
        session.login("alice").unwrap();
        session.set_lifetime(Duration::from_secs(5)).unwrap();
        let undo = session.save_undoable().await.unwrap().unwrap();
        fixture.sessions.undo(&undo).await.unwrap();
        let session = keyed(&fixture).await;
        assert_eq!((session.principal(), session.deadline()), (None, before));
        assert_eq!(fixture.sessions.of("alice").await.unwrap().len(), 0);
    }

    async fn what_others_committed_on_top_stays(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, Some(1)).await;
        let undo = write(&fixture, 2, Some(2)).await;
        let other = keyed(&fixture).await;
        other.set(B, &9).unwrap();
        other.save().await.unwrap();
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(1), Some(9)));
    }

    async fn what_was_removed_comes_back_also_beneath_what_others_committed(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, Some(1)).await;
        let undo = write(&fixture, 2, None).await;
        let other = keyed(&fixture).await;
        other.set(A, &9).unwrap();
        other.save().await.unwrap();
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(9), Some(1)));
    }

    async fn what_is_committed_while_a_commit_is_taken_back_does_not_keep_it(place) {
        let faulty = Arc::new(FaultyStore::new(place.store.clone()));
        let fixture = Fixture::with_store(faulty.clone(), |b| b);
        let _ = write(&fixture, 1, Some(1)).await;
        let undo = write(&fixture, 2, Some(2)).await;
        let other = keyed(&fixture).await;
        other.set(B, &9).unwrap();
        let held = faulty.hold_before(Operation::Commit, 1);
        let sessions = fixture.sessions.clone();
        let undoing = tokio::spawn(async move { sessions.undo(&undo).await });
        held.reached().await;
        other.save().await.unwrap();
        held.open();
        undoing.await.unwrap().unwrap();
        assert_eq!(values(&fixture).await, (Some(1), Some(9)));
    }

    async fn who_was_signed_in_before_is_so_afterwards(place) {
        let fixture = Fixture::new(place);
        let session = keyed(&fixture).await;
        session.login("alice").unwrap();
        session.set_client_label("a browser").unwrap();
        session.save().await.unwrap();
        let undo = write(&fixture, 1, None).await;
        fixture.sessions.undo(&undo).await.unwrap();
        let session = keyed(&fixture).await;
        assert_eq!((session.principal().as_deref(), session.get(A).unwrap()), (Some("alice"), None));
        assert_eq!(session.client_label().as_deref(), Some("a browser"));
    }

    async fn a_request_that_read_what_was_taken_back_is_told_by_its_base(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        let undo = write(&fixture, 2, None).await;
        let slow = keyed(&fixture).await;
        fixture.sessions.undo(&undo).await.unwrap();
        slow.set(Slot::<u64>::new("a").on_conflict(coatroom::OnConflict::Reject), &3).unwrap();
        assert!(matches!(slow.save().await, Err(SessionError::Conflict { .. })));
    }

    async fn a_session_that_was_created_is_dead_again(place) {
        let fixture = Fixture::new(place);
        let undo = write(&fixture, 1, None).await;
        fixture.sessions.undo(&undo).await.unwrap();
        assert!(!keyed(&fixture).await.exists());
        assert_eq!(fixture.sessions.count().await.unwrap(), 0);
        let _ = write(&fixture, 5, None).await;
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(5), None), "another session under the key stays");
        keyed(&fixture).await.logout().await.unwrap();
        let _ = write(&fixture, 1, None).await;
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(1), None), "also where it holds the same");
    }

    async fn a_session_that_was_ended_lives_again(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        let undo = keyed(&fixture).await.end_undoable().await.unwrap().unwrap();
        assert!(!keyed(&fixture).await.exists());
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(1), None));
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(1), None));
    }

    async fn an_ended_session_stays_dead_where_another_was_begun(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        let undo = keyed(&fixture).await.end_undoable().await.unwrap().unwrap();
        let _ = write(&fixture, 2, None).await;
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(2), None));
    }

    async fn ending_ends_the_session_that_was_opened_and_no_other(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        let stale = keyed(&fixture).await;
        keyed(&fixture).await.logout().await.unwrap();
        let _ = write(&fixture, 2, None).await;
        assert!(stale.end_undoable().await.unwrap().is_none());
        assert_eq!(values(&fixture).await, (Some(2), None));
    }

    async fn ending_ends_a_session_that_others_committed_to_meanwhile_and_keeps_that(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        let session = keyed(&fixture).await;
        let _ = write(&fixture, 2, None).await;
        session.set(B, &3).unwrap();
        let undo = session.end_undoable().await.unwrap().unwrap();
        assert!(!session.exists() && session.names().is_empty());
        assert!(!keyed(&fixture).await.exists());
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(values(&fixture).await, (Some(2), None));
    }

    async fn nothing_written_is_nothing_to_undo(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        assert!(keyed(&fixture).await.save_undoable().await.unwrap().is_none());
        assert!(fixture.sessions.keyed("nobody").await.unwrap().end_undoable().await.unwrap().is_none());
    }

    async fn a_passive_look_at_a_keyed_session_is_no_activity(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        let before = keyed(&fixture).await.last_accessed();
        fixture.clock.advance(5 * MINUTE);
        let passive = fixture.sessions.keyed_passively("visitor").await.unwrap();
        assert_eq!(passive.last_accessed(), before);
        assert_ne!(keyed(&fixture).await.last_accessed(), before);
    }

    async fn bytes_are_edited_like_values(place) {
        let fixture = Fixture::new(place);
        let _ = write(&fixture, 1, None).await;
        let add = |session: &Session| {
            session.edit_raw("a", |raw| {
                let number = raw.map_or(0, |raw| raw.bytes[0]);
                Ok(Some((coatroom::ValueFormat::MESSAGE_PACK, vec![number + 1])))
            })
        };
        let (one, two) = (keyed(&fixture).await, keyed(&fixture).await);
        add(&one).unwrap();
        add(&two).unwrap();
        one.save().await.unwrap();
        two.save().await.unwrap();
        assert_eq!(values(&fixture).await.0, Some(3));
    }
}
