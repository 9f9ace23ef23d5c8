//! Servers that go, stand still, are full or come back.

use std::sync::Arc;
use std::time::Duration;

use coatroom::store::RedisStore;
use coatroom::{ManualClock, SessionError, SessionId, SessionManager, StoreError};
use coatroom_testbed::{Cut, Program, Proxy, RedisCluster, RedisOptions};

use super::{COUNT, SOON, TEXT, connect, manager, start};
use crate::support::MINUTE;

async fn create(sessions: &SessionManager) -> Result<SessionId, SessionError> {
    let (id, session) = sessions.create()?;
    session.set(COUNT, &0)?;
    sessions.commit(&session).await?;
    Ok(id)
}

async fn increment(sessions: &SessionManager, id: &SessionId) -> Result<(), SessionError> {
    let Some(session) = sessions.open(id).await? else { return Err(SessionError::Gone) };
    session.edit(COUNT, |count| *count += 1)?;
    sessions.commit(&session).await.map(drop)
}

async fn count(sessions: &SessionManager, id: &SessionId) -> u64 {
    sessions.open(id).await.unwrap().unwrap().get(COUNT).unwrap().unwrap()
}

/// Tries until it succeeds, no longer than the deadline.
async fn succeeds_soon<T, E: std::fmt::Display, F: Future<Output = Result<T, E>>>(work: impl Fn() -> F) -> T {
    let mut last = None;
    let trying = async {
        loop {
            match work().await {
                Ok(done) => return done,
                Err(error) => last = Some(error.to_string()),
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, trying).await.unwrap_or_else(|_| panic!("{last:?}"))
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let Some(mut server) = start(RedisOptions::new().durable()) else { return };
    let sessions = manager(connect(&server.url()).await, &Arc::new(ManualClock::new()));
    let id = create(&sessions).await.unwrap();
    server.stop();
    for _ in 0..100 {
        let error = sessions.open(&id).await.unwrap_err();
        assert!(matches!(&error, StoreError::Unavailable { .. }), "{error}");
        let error = create(&sessions).await.unwrap_err();
        assert!(matches!(&error, SessionError::Store(StoreError::Unavailable { .. })), "{error}");
    }
    server.start_again();
    assert!(succeeds_soon(|| sessions.open(&id)).await.is_some(), "an acknowledged session was lost");
    create(&sessions).await.unwrap();
}

#[tokio::test]
async fn a_load_survives_a_connection_that_breaks() {
    let Some(server) = start(RedisOptions::new()) else { return };
    let proxy = Proxy::start(&server.address());
    let sessions = manager(connect(&proxy.url(&server.url())).await, &Arc::new(ManualClock::new()));
    let id = create(&sessions).await.unwrap();
    sessions.open(&id).await.unwrap();
    for cut in [Cut::Command(3), Cut::Answer(0), Cut::Answer(20)] {
        proxy.cut_next(cut);
        assert!(sessions.open(&id).await.unwrap().is_some());
        assert!(!proxy.is_cut_pending());
    }
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_counts_once() {
    let Some(server) = start(RedisOptions::new()) else { return };
    let proxy = Proxy::start(&server.address());
    let sessions = manager(connect(&proxy.url(&server.url())).await, &Arc::new(ManualClock::new()));
    let id = create(&sessions).await.unwrap();
    for expected in 1..=5 {
        let session = sessions.open(&id).await.unwrap().unwrap();
        session.edit(COUNT, |count| *count += 1).unwrap();
        proxy.cut_next(Cut::Answer(0));
        sessions.commit(&session).await.unwrap();
        assert_eq!(count(&sessions, &id).await, expected);
    }
}

#[tokio::test]
async fn a_large_commit_that_is_cut_anywhere_counts_once_or_not_at_all() {
    let Some(server) = start(RedisOptions::new()) else { return };
    let proxy = Proxy::start(&server.address());
    let sessions = manager(connect(&proxy.url(&server.url())).await, &Arc::new(ManualClock::new()));
    let id = create(&sessions).await.unwrap();
    let session = sessions.open(&id).await.unwrap().unwrap();
    session.set(TEXT, &"x".repeat(20_000)).unwrap();
    sessions.commit(&session).await.unwrap();
    let mut expected = 0;
    for cut in [Cut::Command(10), Cut::Command(10_000), Cut::Command(20_100), Cut::Answer(0), Cut::Answer(5)]
    {
        let session = succeeds_soon(|| sessions.open(&id)).await.unwrap();
        session.edit(COUNT, |count| *count += 1).unwrap();
        proxy.cut_next(cut);
        let outcome = sessions.commit(&session).await;
        assert!(!proxy.is_cut_pending());
        let found = succeeds_soon(|| sessions.open(&id)).await.unwrap();
        let count = found.get(COUNT).unwrap().unwrap();
        assert_eq!(count, expected + u64::from(outcome.is_ok()), "{cut:?}: {outcome:?}");
        assert_eq!(found.get(TEXT).unwrap().unwrap().len(), 20_000);
        expected = count;
    }
}

#[tokio::test]
async fn a_server_that_stands_still_costs_each_call_its_timeout_and_no_more() {
    let Some(server) = start(RedisOptions::new()) else { return };
    let proxy = Proxy::start(&server.address());
    let url = proxy.url(&server.url());
    let store = RedisStore::builder(&url.parse().unwrap())
        .timeout(Duration::from_secs(1))
        .max_in_flight(2)
        .max_waiting(2)
        .connect()
        .await
        .unwrap();
    let sessions = manager(store, &Arc::new(ManualClock::new()));
    let id = create(&sessions).await.unwrap();
    sessions.open(&id).await.unwrap();
    proxy.black_hole();
    let all = futures_util::future::join_all((0..6).map(|_| sessions.open(&id))).await;
    let errors: Vec<_> = all.into_iter().map(|one| one.unwrap_err().to_string()).collect();
    let told = |part| errors.iter().filter(|error| error.contains(part)).count();
    assert_eq!(told("did not answer within 1s"), 4, "{errors:?}");
    assert_eq!(told("wait for the store's server already"), 2, "{errors:?}");
    // The connection is given up, and another one made.
    proxy.pass();
    assert!(succeeds_soon(|| sessions.open(&id)).await.is_some());
}

#[tokio::test]
async fn a_connection_that_leads_nowhere_is_replaced() {
    let Some(server) = start(RedisOptions::new()) else { return };
    let proxy = Proxy::start(&server.address());
    let url = format!("{}?timeout=1s", proxy.url(&server.url()));
    let store = connect(&url).await;
    let sessions = manager(store, &Arc::new(ManualClock::new()));
    let id = create(&sessions).await.unwrap();
    let before = proxy.accepted();
    proxy.hold_answers();
    sessions.open(&id).await.unwrap_err();
    succeeds_soon(|| async { if proxy.accepted() > before { Ok(()) } else { Err("no other connection") } })
        .await;
    proxy.pass();
    assert!(succeeds_soon(|| sessions.open(&id)).await.is_some());
}

#[tokio::test]
async fn a_server_without_memory_refuses_writes_and_does_the_rest() {
    let Some(server) = start(RedisOptions::new().set("maxmemory", "4mb")) else { return };
    let clock = Arc::new(ManualClock::new());
    let sessions = manager(connect(&server.url()).await, &clock);
    let mut ids = Vec::new();
    let error = loop {
        let (id, session) = sessions.create().unwrap();
        session.set(TEXT, &"x".repeat(20_000)).unwrap();
        match sessions.commit(&session).await {
            Ok(_) => ids.push(id),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, SessionError::Store(StoreError::Full { .. })), "{error}");
    assert!(error.to_string().contains("maxmemory"), "{error}");
    clock.advance(5 * MINUTE);
    let session = sessions.open(&ids[0]).await.unwrap().unwrap();
    session.set(COUNT, &1).unwrap();
    assert!(matches!(sessions.commit(&session).await, Err(SessionError::Store(StoreError::Full { .. }))));
    // The touch that came with the load holds.
    clock.advance(19 * MINUTE);
    let session = sessions.open(&ids[0]).await.unwrap().expect("the touch was refused");
    session.logout().await.unwrap();
    // The rest is dead, and can be swept.
    let mut swept = 0;
    loop {
        let step = sessions.sweep().await.unwrap();
        swept += step.expired;
        if !step.more {
            break;
        }
    }
    assert_eq!(swept, ids.len() - 1);
    create(&sessions).await.unwrap();
}

#[tokio::test]
async fn a_closed_store_answers_no_more() {
    let Some(server) = start(RedisOptions::new()) else { return };
    let store = connect(&server.url()).await;
    let sessions = manager(store.clone(), &Arc::new(ManualClock::new()));
    let id = create(&sessions).await.unwrap();
    store.close();
    store.close();
    let error = sessions.open(&id).await.unwrap_err();
    assert!(error.to_string().contains("closed"), "{error}");
}

#[tokio::test]
async fn a_replica_that_takes_over_is_found() {
    if !Program::Redis.is_installed() {
        return;
    }
    let mut cluster = RedisCluster::start_with_replicas(RedisOptions::new());
    let sessions = manager(connect(&cluster.url()).await, &Arc::new(ManualClock::new()));
    let mut ids = Vec::new();
    for _ in 0..60 {
        let id = create(&sessions).await.unwrap();
        increment(&sessions, &id).await.unwrap();
        ids.push(id);
    }
    cluster.wait_until_replicated();
    cluster.primaries()[0].kill();
    for id in &ids {
        succeeds_soon(|| increment(&sessions, id)).await;
        assert_eq!(count(&sessions, id).await, 2);
    }
    assert_eq!(sessions.count().await.unwrap(), 60);
    create(&sessions).await.unwrap();
}

/// Words and answer of one command, as bytes.
fn speak(port: u16, words: &[&[u8]]) -> redis::Value {
    let mut connection = redis::Client::open(("127.0.0.1", port)).unwrap().get_connection().unwrap();
    let (name, rest) = words.split_first().unwrap();
    let mut command = redis::cmd(std::str::from_utf8(name).unwrap());
    command.arg(rest).query(&mut connection).unwrap()
}

/// The keys in a slot.
fn keys_in(port: u16, slot: &str) -> Vec<Vec<u8>> {
    let answer = speak(port, &[b"CLUSTER", b"GETKEYSINSLOT", slot.as_bytes(), b"10"]);
    redis::from_redis_value(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_moves_to_another_server_is_followed() {
    if !Program::Redis.is_installed() {
        return;
    }
    let mut cluster = RedisCluster::start(RedisOptions::new());
    let sessions = manager(connect(&cluster.url()).await, &Arc::new(ManualClock::new()));
    let id = create(&sessions).await.unwrap();
    increment(&sessions, &id).await.unwrap();
    let all = &*cluster.primaries();
    let from = all.iter().find(|server| server.command(&["DBSIZE"]) != "0").unwrap();
    let to = all.iter().find(|server| server.command(&["DBSIZE"]) == "0").unwrap();
    let tag = from.command(&["KEYS", "*}:n"]);
    let slot = from.command(&["CLUSTER", "KEYSLOT", &tag]);
    let [from_id, to_id] = [from, to].map(|server| server.command(&["CLUSTER", "MYID"]));
    to.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    let port = to.port().to_string();
    let mut keys = keys_in(from.port(), &slot);
    // The record first: it is asked for over there from then on.
    keys.sort_by_key(|key| !key.windows(3).any(|part| part == b":r:"));
    assert_eq!(keys.len(), 3);
    for key in keys {
        speak(from.port(), &[b"MIGRATE", b"127.0.0.1", port.as_bytes(), &key, b"0", b"5000"]);
        assert_eq!(count(&sessions, &id).await, 1);
    }
    for server in all {
        server.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    increment(&sessions, &id).await.unwrap();
    assert_eq!((count(&sessions, &id).await, sessions.count().await.unwrap()), (2, 1));
}
