//! Who is who: login, renewal, logout, and requests that cross them.

use std::time::Duration;

use coatroom::{AtLimit, Key, Locator, SessionError, SessionId, Slot};

use crate::support::{House, SECOND, on_each_store};

const CART: Slot<Vec<u64>> = Slot::new("cart");

async fn stored(house: &House) -> SessionId {
    let (id, session) = house.sessions.create().unwrap();
    session.edit(CART, |cart| cart.push(1)).unwrap();
    house.sessions.commit(&session).await.unwrap();
    id
}

async fn open(house: &House, id: &SessionId) -> coatroom::Session {
    house.sessions.open(id).await.unwrap().unwrap()
}

/// Signs in and returns the new id.
async fn log_in(house: &House, id: &SessionId, principal: &str) -> SessionId {
    let session = open(house, id).await;
    session.login(principal).unwrap();
    house.sessions.commit(&session).await.unwrap().unwrap()
}

on_each_store! {
    async fn each_renewal_raises_the_generation_and_no_other_commit_does(place) {
        let (store, house) = (place.store.clone(), House::new(place));
        let id = stored(&house).await;
        let key = Key { namespace: house.sessions.namespace(), locator: id.locator() };
        let generation = async || store.load(&key, house.sessions.now()).await.unwrap().unwrap().generation();
        assert_eq!(generation().await, 0);
        let session = open(&house, &log_in(&house, &id, "alice").await).await;
        assert_eq!(generation().await, 1);
        session.set(CART, &vec![2]).unwrap();
        session.save().await.unwrap();
        assert_eq!(generation().await, 1);
        session.renew().unwrap();
        session.save().await.unwrap();
        assert_eq!(generation().await, 2);
    }

    async fn login_keeps_the_locator_and_the_data_and_kills_the_old_secret(place) {
        let house = House::new(place);
        let old = stored(&house).await;
        let new = log_in(&house, &old, "alice").await;
        assert_eq!(old.locator(), new.locator());
        assert!(old != new && house.sessions.open(&old).await.unwrap().is_none());
        let session = open(&house, &new).await;
        assert_eq!(session.get(CART).unwrap(), Some(vec![1]));
        assert_eq!(session.principal().as_deref(), Some("alice"));
        house.clock.advance(61 * SECOND);
        assert!(house.sessions.open(&old).await.unwrap().is_none());
    }

    async fn login_restarts_the_lifetime_and_renewal_does_not(place) {
        let house = House::new(place);
        let id = stored(&house).await;
        let deadline = open(&house, &id).await.deadline().unwrap();
        house.clock.advance(60 * SECOND);
        let session = open(&house, &id).await;
        session.renew().unwrap();
        let id = house.sessions.commit(&session).await.unwrap().unwrap();
        assert_eq!(open(&house, &id).await.deadline().unwrap(), deadline);
        let id = log_in(&house, &id, "alice").await;
        assert_eq!(open(&house, &id).await.deadline().unwrap().since(deadline), Duration::from_secs(60));
    }

    async fn a_logout_is_not_undone_by_a_request_in_flight(place) {
        let house = House::new(place);
        let id = stored(&house).await;
        let (slow, quick) = (open(&house, &id).await, open(&house, &id).await);
        slow.edit(CART, |cart| cart.push(2)).unwrap();
        quick.logout().await.unwrap();
        assert!(matches!(house.sessions.commit(&slow).await, Err(SessionError::Gone)));
        assert!(matches!(slow.update(Slot::<u64>::new("n"), |n| n + 1).await, Err(SessionError::Gone)));
        assert!(house.sessions.open(&id).await.unwrap().is_none());
        assert_eq!(house.sessions.count().await.unwrap(), 0);
    }

    async fn a_request_in_flight_at_a_login_lands_and_changes_no_principal(place) {
        let house = House::new(place);
        let id = stored(&house).await;
        let (slow, rival) = (open(&house, &id).await, open(&house, &id).await);
        slow.edit(CART, |cart| cart.push(2)).unwrap();
        rival.login("mallory").unwrap();
        let new = log_in(&house, &id, "alice").await;
        house.sessions.commit(&slow).await.unwrap();
        assert!(matches!(house.sessions.commit(&rival).await, Err(SessionError::Superseded)));
        let session = open(&house, &new).await;
        assert_eq!(session.get(CART).unwrap(), Some(vec![1, 2]));
        assert_eq!(session.principal().as_deref(), Some("alice"));
    }

    async fn a_login_over_another_principal_starts_empty(place) {
        let house = House::new(place);
        let alice = log_in(&house, &stored(&house).await, "alice").await;
        let bob = log_in(&house, &alice, "bob").await;
        assert_eq!(open(&house, &bob).await.get(CART).unwrap(), None);
        assert!(house.sessions.of("alice").await.unwrap().is_empty());
        assert_eq!(house.sessions.of("bob").await.unwrap().len(), 1);
    }

    async fn a_users_sessions_are_listed_and_ended_one_all_or_all_others(place) {
        let house = House::new(place);
        let mut ids = Vec::new();
        for _ in 0..4 {
            house.clock.advance(SECOND);
            ids.push(log_in(&house, &stored(&house).await, "alice").await);
        }
        log_in(&house, &stored(&house).await, "bob").await;
        let listed: Vec<_> = house.sessions.of("alice").await.unwrap().iter().map(|info| info.locator).collect();
        assert_eq!(listed, ids.iter().rev().map(SessionId::locator).collect::<Vec<_>>());
        assert!(house.sessions.end(&ids[0].locator()).await.unwrap());
        assert!(!house.sessions.end(&ids[0].locator()).await.unwrap());
        assert_eq!(house.sessions.end_others("alice", &ids[1].locator()).await.unwrap(), 2);
        assert_eq!(house.sessions.end_all("alice").await.unwrap(), 1);
        assert_eq!(house.sessions.count().await.unwrap(), 1);
    }

    async fn racing_logins_never_leave_more_than_the_cap(place) {
        for at_limit in [AtLimit::EndOldest, AtLimit::Refuse] {
            let house = House::with(place.clone(), |b| {
                b.namespace(&format!("{at_limit:?}")).max_sessions_per_principal(3, at_limit)
            });
            let logins = (0..50).map(|_| {
                let sessions = house.sessions.clone();
                tokio::spawn(async move {
                    let (_, session) = sessions.create().unwrap();
                    session.login("alice").unwrap();
                    drop(sessions.commit(&session).await);
                })
            });
            for login in logins.collect::<Vec<_>>() {
                login.await.unwrap();
            }
            let left = house.sessions.of("alice").await.unwrap().len();
            assert!((1..=3).contains(&left), "{at_limit:?} left {left}");
        }
    }

    async fn a_keyed_session_is_opened_by_its_key_and_by_no_cookie(place) {
        let house = House::new(place);
        let session = house.sessions.keyed("job 7").await.unwrap();
        assert!(!session.exists());
        session.edit(CART, |cart| cart.push(7)).unwrap();
        house.sessions.commit(&session).await.unwrap();
        let (a, b) = (house.sessions.keyed("job 7").await.unwrap(), house.sessions.keyed("job 7").await.unwrap());
        assert_eq!(a.get(CART).unwrap(), Some(vec![7]));
        for secret in [[0; 32], [0x5a; 32]] {
            let forged = forged(a.locator().unwrap(), secret);
            assert_eq!(forged.locator(), a.locator().unwrap());
            assert!(house.sessions.open(&forged).await.unwrap().is_none());
        }
        a.logout().await.unwrap();
        b.edit(CART, |cart| cart.push(8)).unwrap();
        assert!(matches!(house.sessions.commit(&b).await, Err(SessionError::Gone)));
        // Ended and begun again under its key, it is another session to whoever held the old one.
        a.edit(CART, |cart| cart.push(9)).unwrap();
        house.sessions.commit(&a).await.unwrap();
        assert!(matches!(house.sessions.commit(&b).await, Err(SessionError::Gone)));
        assert_eq!(house.sessions.keyed("job 7").await.unwrap().get(CART).unwrap(), Some(vec![9]));
    }

    async fn two_that_begin_a_keyed_session_at_once_share_it(place) {
        let house = House::new(place);
        let (a, b) = (house.sessions.keyed("k").await.unwrap(), house.sessions.keyed("k").await.unwrap());
        a.edit(CART, |cart| cart.push(1)).unwrap();
        b.edit(CART, |cart| cart.push(2)).unwrap();
        house.sessions.commit(&a).await.unwrap();
        house.sessions.commit(&b).await.unwrap();
        assert_eq!(house.sessions.keyed("k").await.unwrap().get(CART).unwrap(), Some(vec![1, 2]));
    }

    async fn of_two_that_sign_in_on_a_keyed_session_at_once_one_is_refused(place) {
        let house = House::new(place);
        let stored = house.sessions.keyed("stored").await.unwrap();
        stored.set(CART, &vec![1]).unwrap();
        house.sessions.commit(&stored).await.unwrap();
        for key in ["stored", "new"] {
            let mut at_once = Vec::new();
            for principal in ["alice", "alice", "bob"] {
                let session = house.sessions.keyed(key).await.unwrap();
                session.login(principal).unwrap();
                session.edit(CART, |cart| cart.push(2)).unwrap();
                at_once.push(session);
            }
            house.sessions.commit(&at_once[0]).await.unwrap();
            house.sessions.commit(&at_once[1]).await.unwrap();
            let refusal = house.sessions.commit(&at_once[2]).await;
            assert!(matches!(refusal, Err(SessionError::Superseded)), "{refusal:?}");
            let session = house.sessions.keyed(key).await.unwrap();
            assert_eq!(session.principal().as_deref(), Some("alice"));
            // Who comes later is not refused, and finds nothing of hers.
            session.login("bob").unwrap();
            house.sessions.commit(&session).await.unwrap();
            let session = house.sessions.keyed(key).await.unwrap();
            assert_eq!((session.principal().as_deref(), session.get(CART).unwrap()), (Some("bob"), None));
            // One that was ended and begun again is another one.
            session.login("bob").unwrap();
            house.sessions.end(&session.locator().unwrap()).await.unwrap();
            let anew = house.sessions.keyed(key).await.unwrap();
            anew.login("carol").unwrap();
            house.sessions.commit(&anew).await.unwrap();
            assert!(matches!(house.sessions.commit(&session).await, Err(SessionError::Gone)));
        }
    }

    async fn of_two_logins_in_one_request_the_second_is_handed_nothing_of_the_first(place) {
        let house = House::new(place);
        let id = stored(&house).await;
        let session = open(&house, &id).await;
        session.login("alice").unwrap();
        session.set(CART, &vec![7]).unwrap();
        session.login("bob").unwrap();
        let id = house.sessions.commit(&session).await.unwrap().unwrap();
        let session = open(&house, &id).await;
        assert_eq!((session.principal().as_deref(), session.names()), (Some("bob"), Vec::new()));
    }

    async fn applications_that_share_a_store_never_meet(place) {
        let shop = House::with(place.clone(), |b| b.namespace("shop"));
        let blog = House::with(place.clone(), |b| b.namespace("blog"));
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
