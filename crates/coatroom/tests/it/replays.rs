//! Changes that meet newer ones: what is replayed, on which base, and what of it is written.

use coatroom::{OnConflict, SessionError, SessionId, Slot};

use crate::support::{Fixture, on_each_store, open};

const COUNT: Slot<u64> = Slot::new("count");
const LIST: Slot<Vec<u64>> = Slot::new("list");
const STRICT: Slot<u64> = Slot::new("strict").on_conflict(OnConflict::Reject);

/// A stored session that holds `count` = 1 and `strict` = 1.
async fn stored(fixture: &Fixture) -> SessionId {
    let (id, session) = fixture.sessions.create().unwrap();
    session.set(COUNT, &1).unwrap();
    session.set(STRICT, &1).unwrap();
    session.save().await.unwrap();
    id
}

async fn revision(fixture: &Fixture) -> u64 {
    fixture.sessions.list(None, 1).await.unwrap().0[0].revision
}

on_each_store! {
    async fn what_is_set_again_after_updates_still_conflicts_with_what_was_there_first(place) {
        let fixture = Fixture::new(place);
        for again in [false, true] {
            let id = stored(&fixture).await;
            let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
            a.set(STRICT, &2).unwrap();
            b.set(STRICT, &5).unwrap();
            b.save().await.unwrap();
            for _ in 0..2 {
                a.update(COUNT, |count| count + 1).await.unwrap();
            }
            if again {
                a.set(STRICT, &3).unwrap();
            }
            let error = a.save().await.unwrap_err();
            assert!(matches!(&error, SessionError::Conflict { name } if name == "strict"), "{error}");
            assert_eq!(open(&fixture, &id).await.get(STRICT).unwrap(), Some(5));
        }
    }

    async fn an_edit_that_changed_nothing_here_runs_again_where_something_else_is_written(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
        a.edit(COUNT, |count| *count = (*count).min(3)).unwrap();
        a.set(LIST, &vec![1]).unwrap();
        b.set(COUNT, &9).unwrap();
        b.save().await.unwrap();
        a.save().await.unwrap();
        assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(3));
    }

    async fn an_edit_that_was_saved_runs_no_more(place) {
        let fixture = Fixture::new(place);
        for at_hand in [false, true] {
            let id = stored(&fixture).await;
            let a = open(&fixture, &id).await;
            a.edit(COUNT, |count| *count += 10).unwrap();
            if !at_hand || a.save_undoable_at_hand().is_none() {
                a.save().await.unwrap();
            }
            let b = open(&fixture, &id).await;
            b.edit(COUNT, |count| *count += 100).unwrap();
            b.save().await.unwrap();
            a.set(LIST, &vec![1]).unwrap();
            a.save().await.unwrap();
            assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(111));
        }
    }

    async fn what_comes_to_what_another_wrote_is_not_written_again(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
        for session in [&a, &b] {
            session.set(COUNT, &7).unwrap();
            session.edit(LIST, |list| *list = vec![1]).unwrap();
        }
        b.save().await.unwrap();
        let written = revision(&fixture).await;
        a.save().await.unwrap();
        assert_eq!(revision(&fixture).await, written);
    }

    async fn what_was_cleared_is_out_of_sight_and_in_no_update(place) {
        let fixture = Fixture::new(place);
        let session = open(&fixture, &stored(&fixture).await).await;
        session.clear().unwrap();
        assert_eq!((session.get(COUNT).unwrap(), session.contains("count")), (None, false));
        let error = session.update(COUNT, |count| count + 1).await.unwrap_err();
        assert!(matches!(&error, SessionError::DeferredChange { name } if name == "count"), "{error}");
    }

    async fn to_clear_what_another_changed_is_a_conflict_where_the_application_says_so(place) {
        let fixture = Fixture::with(place, |b| b.on_conflict(OnConflict::Reject));
        let id = stored(&fixture).await;
        let (a, b, c) = (open(&fixture, &id).await, open(&fixture, &id).await, open(&fixture, &id).await);
        b.set(LIST, &vec![1]).unwrap();
        b.save().await.unwrap();
        a.clear().unwrap();
        let error = a.save().await.unwrap_err();
        assert!(matches!(&error, SessionError::Conflict { name } if name == "list"), "{error}");
        c.set_client_label("a browser").unwrap();
        let d = open(&fixture, &id).await;
        c.save().await.unwrap();
        d.clear().unwrap();
        d.save().await.unwrap();
        assert!(open(&fixture, &id).await.names().is_empty(), "the same attributes are no conflict");
    }
}
