//! Answers that are lost while others are at work: whose record stands there, and who is told what.

use std::sync::Arc;

use coatroom::store::{FaultyStore, Gate, Operation};
use coatroom::{Session, SessionError, SessionId, Slot, StoreError};

use crate::support::{Fixture, Place, on_each_store, open};

const COUNT: Slot<u64> = Slot::new("count");

fn faulty(place: &Place) -> (Arc<FaultyStore>, Fixture) {
    let faulty = Arc::new(FaultyStore::new(place.store.clone()));
    (faulty.clone(), Fixture::with_store(faulty, |b| b))
}

/// Nothing was done, and nobody can tell.
fn lost() -> StoreError {
    StoreError::OutcomeUnknown { what: "writing".into(), source: None }
}

async fn stored(fixture: &Fixture) -> SessionId {
    let (id, session) = fixture.sessions.create().unwrap();
    session.set(COUNT, &1).unwrap();
    session.save().await.unwrap();
    id
}

fn is_unknown(outcome: &Result<(), SessionError>) -> bool {
    matches!(outcome, Err(SessionError::Store(StoreError::OutcomeUnknown { .. })))
}

/// Adds 10 in `ours` and saves; while that is held, 100 are added in `theirs`. What `ours` is told.
async fn add_around(ours: Session, theirs: Session, held: &Gate) -> Result<(), SessionError> {
    ours.edit(COUNT, |count| *count += 10).unwrap();
    let saving = tokio::spawn(async move { ours.save().await });
    held.reached().await;
    theirs.edit(COUNT, |count| *count += 100).unwrap();
    theirs.save().await.unwrap();
    held.open();
    saving.await.unwrap()
}

on_each_store! {
    async fn a_commit_that_was_lost_is_not_taken_for_the_one_in_its_place(place) {
        let (faulty, fixture) = faulty(&place);
        let id = stored(&fixture).await;
        let (ours, theirs) = (open(&fixture, &id).await, open(&fixture, &id).await);
        let held = faulty.hold_before(Operation::Commit, 1);
        faulty.fail(Operation::Commit, 1, lost());
        add_around(ours, theirs, &held).await.unwrap();
        assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(111));
    }

    async fn a_commit_that_another_built_on_is_not_made_twice(place) {
        let (faulty, fixture) = faulty(&place);
        let id = stored(&fixture).await;
        let (ours, theirs) = (open(&fixture, &id).await, open(&fixture, &id).await);
        let held = faulty.hold_before(Operation::Load, 1);
        faulty.lose_answer(Operation::Commit, 1);
        let outcome = add_around(ours, theirs, &held).await;
        assert!(is_unknown(&outcome), "{outcome:?}");
        assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(111));
    }

    async fn a_session_that_ends_while_a_lost_commit_is_asked_for_is_gone(place) {
        let (faulty, fixture) = faulty(&place);
        for (operation, nth) in [(Operation::Load, 1), (Operation::Commit, 2)] {
            let id = stored(&fixture).await;
            let session = open(&fixture, &id).await;
            let held = faulty.hold_before(operation, nth);
            faulty.fail(Operation::Commit, 1, lost());
            session.set(COUNT, &2).unwrap();
            let saving = tokio::spawn(async move { session.save().await });
            held.reached().await;
            assert!(fixture.sessions.end(&id.locator()).await.unwrap());
            held.open();
            let outcome = saving.await.unwrap();
            assert!(matches!(outcome, Err(SessionError::Gone)), "{operation:?}: {outcome:?}");
        }
    }

    async fn a_creation_that_was_lost_joins_the_session_that_another_began(place) {
        let (faulty, fixture) = faulty(&place);
        let keyed = async || fixture.sessions.keyed("job 7").await.unwrap();
        let (ours, theirs) = (keyed().await, keyed().await);
        let held = faulty.hold_before(Operation::Create, 1);
        faulty.fail(Operation::Create, 1, lost());
        add_around(ours, theirs, &held).await.unwrap();
        assert_eq!(keyed().await.get(COUNT).unwrap(), Some(110));
    }

    async fn a_creation_that_may_still_land_is_no_session_that_ended(place) {
        let (faulty, fixture) = faulty(&place);
        let (id, session) = fixture.sessions.create().unwrap();
        faulty.fail(Operation::Create, 1, lost());
        session.set(COUNT, &1).unwrap();
        let outcome = session.save().await;
        assert!(is_unknown(&outcome), "{outcome:?}");
        session.save().await.unwrap();
        assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(1));
    }

    async fn what_a_failed_save_was_to_do_is_done_by_the_next(place) {
        let (faulty, fixture) = faulty(&place);
        let session = open(&fixture, &stored(&fixture).await).await;
        session.edit(COUNT, |count| *count += 1).unwrap();
        session.login("alice").unwrap();
        faulty.fail(Operation::Commit, 1, StoreError::unavailable("the store was unplugged"));
        assert!(matches!(session.save().await, Err(SessionError::Store(_))));
        let id = fixture.sessions.commit(&session).await.unwrap().unwrap();
        let session = open(&fixture, &id).await;
        assert_eq!((session.get(COUNT).unwrap(), session.principal().as_deref()), (Some(2), Some("alice")));
    }

    async fn a_keyed_session_outlives_a_login_on_it_that_cannot_be_checked(place) {
        let (faulty, fixture) = faulty(&place);
        let session = fixture.sessions.keyed("job 7").await.unwrap();
        session.set(COUNT, &1).unwrap();
        session.save().await.unwrap();
        // The first epoch is asked for before the commit.
        for nth in [2, 3] {
            faulty.fail(Operation::Epoch, nth, StoreError::unavailable("the store was unplugged"));
        }
        session.login("alice").unwrap();
        assert!(matches!(session.save().await, Err(SessionError::Store(_))));
        assert_eq!(fixture.sessions.keyed("job 7").await.unwrap().get(COUNT).unwrap(), Some(1));
    }

    async fn an_end_taken_back_is_asked_for_again_where_its_answer_was_lost(place) {
        let (faulty, fixture) = faulty(&place);
        let keyed = async || fixture.sessions.keyed("job 7").await.unwrap();
        let session = keyed().await;
        session.set(COUNT, &1).unwrap();
        session.save().await.unwrap();
        let undo = keyed().await.end_undoable().await.unwrap().unwrap();
        faulty.fail(Operation::Create, 1, lost());
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(keyed().await.get(COUNT).unwrap(), Some(1));
        let undo = keyed().await.end_undoable().await.unwrap().unwrap();
        faulty.lose_answer(Operation::Create, 1);
        fixture.sessions.undo(&undo).await.unwrap();
        assert_eq!(keyed().await.get(COUNT).unwrap(), Some(1));
    }
}
