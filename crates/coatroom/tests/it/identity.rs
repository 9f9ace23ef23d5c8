//! Who is who: login, renewal, logout, and requests that cross them.

use std::time::Duration;

use coatroom::{AtLimit, Key, Locator, Session, SessionError, SessionId, Slot};

use crate::support::{Fixture, MINUTE, SECOND, on_each_store, open};

const CART: Slot<Vec<u64>> = Slot::new("cart");

async fn stored(fixture: &Fixture) -> SessionId {
    let (id, session) = fixture.sessions.create().unwrap();
    session.edit(CART, |cart| cart.push(1)).unwrap();
    fixture.sessions.commit(&session).await.unwrap();
    id
}

/// Signs in and returns the new id.
async fn log_in(fixture: &Fixture, id: &SessionId, principal: &str) -> SessionId {
    let session = open(fixture, id).await;
    session.login(principal).unwrap();
    fixture.sessions.commit(&session).await.unwrap().unwrap()
}

on_each_store! {
    async fn each_renewal_raises_the_generation_and_no_other_commit_does(place) {
        let (store, fixture) = (place.store.clone(), Fixture::new(place));
        let id = stored(&fixture).await;
        let key = Key { namespace: fixture.sessions.namespace(), locator: id.locator() };
        let generation = async || store.load(&key, fixture.sessions.now()).await.unwrap().unwrap().generation();
        assert_eq!(generation().await, 0);
        let session = open(&fixture, &log_in(&fixture, &id, "alice").await).await;
        assert_eq!(generation().await, 1);
        session.set(CART, &vec![2]).unwrap();
        session.save().await.unwrap();
        assert_eq!(generation().await, 1);
        session.renew().unwrap();
        session.save().await.unwrap();
        assert_eq!(generation().await, 2);
    }

    async fn login_keeps_the_locator_and_the_data_and_kills_the_old_secret(place) {
        let fixture = Fixture::new(place);
        let old = stored(&fixture).await;
        let new = log_in(&fixture, &old, "alice").await;
        assert_eq!(old.locator(), new.locator());
        assert!(old != new && fixture.sessions.open(&old).await.unwrap().is_none());
        let session = open(&fixture, &new).await;
        assert_eq!(session.get(CART).unwrap(), Some(vec![1]));
        assert_eq!(session.principal().as_deref(), Some("alice"));
        fixture.clock.advance(61 * SECOND);
        assert!(fixture.sessions.open(&old).await.unwrap().is_none());
    }

    async fn login_restarts_the_lifetime_and_renewal_does_not(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let deadline = open(&fixture, &id).await.deadline().unwrap();
        fixture.clock.advance(60 * SECOND);
        let session = open(&fixture, &id).await;
        session.renew().unwrap();
        let id = fixture.sessions.commit(&session).await.unwrap().unwrap();
        assert_eq!(open(&fixture, &id).await.deadline().unwrap(), deadline);
        let id = log_in(&fixture, &id, "alice").await;
        assert_eq!(open(&fixture, &id).await.deadline().unwrap().since(deadline), Duration::from_secs(60));
    }

    async fn a_logout_is_not_undone_by_a_request_in_flight(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let (slow, quick) = (open(&fixture, &id).await, open(&fixture, &id).await);
        slow.edit(CART, |cart| cart.push(2)).unwrap();
        quick.logout().await.unwrap();
        assert!(matches!(fixture.sessions.commit(&slow).await, Err(SessionError::Gone)));
        assert!(matches!(slow.update(Slot::<u64>::new("n"), |n| n + 1).await, Err(SessionError::Gone)));
        assert!(fixture.sessions.open(&id).await.unwrap().is_none());
        assert_eq!(fixture.sessions.count().await.unwrap(), 0);
    }

    async fn a_request_in_flight_at_a_login_lands_and_changes_no_principal(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let (slow, rival) = (open(&fixture, &id).await, open(&fixture, &id).await);
        slow.edit(CART, |cart| cart.push(2)).unwrap();
        rival.login("mallory").unwrap();
        let new = log_in(&fixture, &id, "alice").await;
        fixture.sessions.commit(&slow).await.unwrap();
        assert!(matches!(fixture.sessions.commit(&rival).await, Err(SessionError::Superseded)));
        let session = open(&fixture, &new).await;
        assert_eq!(session.get(CART).unwrap(), Some(vec![1, 2]));
        assert_eq!(session.principal().as_deref(), Some("alice"));
    }

    async fn a_login_over_another_principal_starts_empty(place) {
        let fixture = Fixture::new(place);
        let alice = log_in(&fixture, &stored(&fixture).await, "alice").await;
        let bob = log_in(&fixture, &alice, "bob").await;
        assert_eq!(open(&fixture, &bob).await.get(CART).unwrap(), None);
        assert!(fixture.sessions.of("alice").await.unwrap().is_empty());
        assert_eq!(fixture.sessions.of("bob").await.unwrap().len(), 1);
    }

    async fn a_login_over_another_principal_inherits_none_of_its_wishes(place) {
        let fixture = Fixture::new(place);
        let session = open(&fixture, &stored(&fixture).await).await;
        session.login("alice").unwrap();
        session.set_idle_timeout(300 * MINUTE).unwrap();
        session.set_lifetime(900 * MINUTE).unwrap();
        session.set_client_label("alice's phone").unwrap();
        let id = fixture.sessions.commit(&session).await.unwrap().unwrap();
        let (_, new) = fixture.sessions.create().unwrap();
        let limits = |session: &Session| (session.idle_timeout(), session.deadline().unwrap());
        let again = open(&fixture, &log_in(&fixture, &id, "alice").await).await;
        assert_eq!(again.idle_timeout(), 300 * MINUTE, "her own next login keeps them");
        again.login("bob").unwrap();
        fixture.sessions.commit(&again).await.unwrap();
        new.login("carol").unwrap();
        fixture.sessions.commit(&new).await.unwrap();
        assert_eq!(limits(&again), limits(&new));
        assert_eq!(again.client_label(), None);
        again.login("dave").unwrap();
        again.set_client_label("dave's").unwrap();
        fixture.sessions.commit(&again).await.unwrap();
        assert_eq!(again.client_label().as_deref(), Some("dave's"), "what the login sets beside it holds");
    }

    async fn a_users_sessions_are_listed_and_ended_one_all_or_all_others(place) {
        let fixture = Fixture::new(place);
        let mut ids = Vec::new();
        for _ in 0..4 {
            fixture.clock.advance(SECOND);
            ids.push(log_in(&fixture, &stored(&fixture).await, "alice").await);
        }
        log_in(&fixture, &stored(&fixture).await, "bob").await;
        let listed: Vec<_> = fixture.sessions.of("alice").await.unwrap().iter().map(|info| info.locator).collect();
        assert_eq!(listed, ids.iter().rev().map(SessionId::locator).collect::<Vec<_>>());
        assert!(fixture.sessions.end(&ids[0].locator()).await.unwrap());
        assert!(!fixture.sessions.end(&ids[0].locator()).await.unwrap());
        assert_eq!(fixture.sessions.end_others("alice", &ids[1].locator()).await.unwrap(), 2);
        assert_eq!(fixture.sessions.end_all("alice").await.unwrap(), 1);
        assert_eq!(fixture.sessions.count().await.unwrap(), 1);
    }

    async fn racing_logins_never_leave_more_than_the_cap(place) {
        for at_limit in [AtLimit::EndOldest, AtLimit::Refuse] {
            let fixture = Fixture::with(place.clone(), |b| {
                b.namespace(&format!("{at_limit:?}")).max_sessions_per_principal(3, at_limit)
            });
            let logins = (0..50).map(|_| {
                let sessions = fixture.sessions.clone();
                tokio::spawn(async move {
                    let (_, session) = sessions.create().unwrap();
                    session.login("alice").unwrap();
                    drop(sessions.commit(&session).await);
                })
            });
            for login in logins.collect::<Vec<_>>() {
                login.await.unwrap();
            }
            let left = fixture.sessions.of("alice").await.unwrap().len();
            assert!((1..=3).contains(&left), "{at_limit:?} left {left}");
        }
    }

    async fn a_keyed_session_is_opened_by_its_key_and_by_no_cookie(place) {
        let fixture = Fixture::new(place);
        let session = fixture.sessions.keyed("job 7").await.unwrap();
        assert!(!session.exists());
        session.edit(CART, |cart| cart.push(7)).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        let (a, b) = (fixture.sessions.keyed("job 7").await.unwrap(), fixture.sessions.keyed("job 7").await.unwrap());
        assert_eq!(a.get(CART).unwrap(), Some(vec![7]));
        for secret in [[0; 32], [0x5a; 32]] {
            let forged = forged(a.locator().unwrap(), secret);
            assert_eq!(forged.locator(), a.locator().unwrap());
            assert!(fixture.sessions.open(&forged).await.unwrap().is_none());
        }
        a.logout().await.unwrap();
        b.edit(CART, |cart| cart.push(8)).unwrap();
        assert!(matches!(fixture.sessions.commit(&b).await, Err(SessionError::Gone)));
        // Ended and begun again under its key, it is another session to whoever held the old one.
        a.edit(CART, |cart| cart.push(9)).unwrap();
        fixture.sessions.commit(&a).await.unwrap();
        assert!(matches!(fixture.sessions.commit(&b).await, Err(SessionError::Gone)));
        let updated = b.update(Slot::<u64>::new("visits"), |visits| visits + 1).await;
        assert!(matches!(updated, Err(SessionError::Gone)), "{updated:?}");
        let anew = fixture.sessions.keyed("job 7").await.unwrap();
        assert_eq!((anew.get(CART).unwrap(), anew.names()), (Some(vec![9]), vec!["cart".to_owned()]));
    }

    async fn two_that_begin_a_keyed_session_at_once_share_it(place) {
        let fixture = Fixture::new(place);
        let (a, b) = (fixture.sessions.keyed("k").await.unwrap(), fixture.sessions.keyed("k").await.unwrap());
        a.edit(CART, |cart| cart.push(1)).unwrap();
        b.edit(CART, |cart| cart.push(2)).unwrap();
        fixture.sessions.commit(&a).await.unwrap();
        fixture.sessions.commit(&b).await.unwrap();
        assert_eq!(fixture.sessions.keyed("k").await.unwrap().get(CART).unwrap(), Some(vec![1, 2]));
    }

    async fn of_two_that_sign_in_on_a_keyed_session_at_once_one_is_refused(place) {
        let fixture = Fixture::new(place);
        let stored = fixture.sessions.keyed("stored").await.unwrap();
        stored.set(CART, &vec![1]).unwrap();
        fixture.sessions.commit(&stored).await.unwrap();
        for key in ["stored", "new"] {
            let mut at_once = Vec::new();
            for principal in ["alice", "alice", "bob"] {
                let session = fixture.sessions.keyed(key).await.unwrap();
                session.login(principal).unwrap();
                session.edit(CART, |cart| cart.push(2)).unwrap();
                at_once.push(session);
            }
            fixture.sessions.commit(&at_once[0]).await.unwrap();
            fixture.sessions.commit(&at_once[1]).await.unwrap();
            let refusal = fixture.sessions.commit(&at_once[2]).await;
            assert!(matches!(refusal, Err(SessionError::Superseded)), "{refusal:?}");
            let session = fixture.sessions.keyed(key).await.unwrap();
            assert_eq!(session.principal().as_deref(), Some("alice"));
            // Who comes later is not refused, and finds nothing of hers.
            session.login("bob").unwrap();
            fixture.sessions.commit(&session).await.unwrap();
            let session = fixture.sessions.keyed(key).await.unwrap();
            assert_eq!((session.principal().as_deref(), session.get(CART).unwrap()), (Some("bob"), None));
            // One that was ended and begun again is another one.
            session.login("bob").unwrap();
            fixture.sessions.end(&session.locator().unwrap()).await.unwrap();
            let anew = fixture.sessions.keyed(key).await.unwrap();
            anew.login("carol").unwrap();
            fixture.sessions.commit(&anew).await.unwrap();
            assert!(matches!(fixture.sessions.commit(&session).await, Err(SessionError::Gone)));
        }
    }

    async fn of_two_logins_in_one_request_the_second_is_handed_nothing_of_the_first(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        session.login("alice").unwrap();
        session.set(CART, &vec![7]).unwrap();
        session.login("bob").unwrap();
        let id = fixture.sessions.commit(&session).await.unwrap().unwrap();
        let session = open(&fixture, &id).await;
        assert_eq!((session.principal().as_deref(), session.names()), (Some("bob"), Vec::new()));
    }

    async fn applications_that_share_a_store_never_meet(place) {
        let shop = Fixture::with(place.clone(), |b| b.namespace("shop"));
        let blog = Fixture::with(place.clone(), |b| b.namespace("blog"));
        let id = log_in(&shop, &stored(&shop).await, "alice").await;
        assert!(blog.sessions.open(&id).await.unwrap().is_none());
        assert!(!blog.sessions.end(&id.locator()).await.unwrap());
        assert_eq!(blog.sessions.end_all("alice").await.unwrap(), 0);
        assert_eq!(blog.sessions.count().await.unwrap(), 0);
        assert_eq!(shop.sessions.count().await.unwrap(), 1);
    }
}

/// An id of this locator with a secret that nobody drew.
fn forged(locator: Locator, secret: [u8; 32]) -> SessionId {
    use base64::Engine as _;
    let bytes = [&locator.as_bytes()[..], &secret].concat();
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    SessionId::parse(text.as_bytes()).unwrap()
}
