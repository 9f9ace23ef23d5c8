//! What lies in the server, and for how long.

use std::sync::Arc;
use std::time::Duration;

use coatroom::{ManualClock, SessionManager};
use coatroom_testbed::{Redis, RedisOptions};

use super::{COUNT, TEXT, connect, manager, start};
use crate::support::MINUTE;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A server, a manager on it, and the manager's clock.
async fn fixture() -> Option<(Redis, SessionManager, Arc<ManualClock>)> {
    let server = start(RedisOptions::new())?;
    let clock = Arc::new(ManualClock::new());
    let sessions = manager(connect(&server.url()).await, &clock);
    Some((server, sessions, clock))
}

/// How long the only key of a kind, by its end or its middle, lives.
fn life(server: &Redis, pattern: &str) -> Duration {
    let script = "local keys = redis.call('KEYS', ARGV[1]) return redis.call('PTTL', keys[1])";
    let millis: i64 = server.command(&["EVAL", script, "0", pattern]).parse().unwrap();
    Duration::from_millis(u64::try_from(millis).expect("it has an end"))
}

/// A little less than that, for the server's clock goes on.
fn assert_about(life: Duration, expected: Duration) {
    assert!(life <= expected && life > expected - MINUTE, "{life:?}, not {expected:?}");
}

#[tokio::test]
async fn a_record_lives_a_day_longer_than_its_session() {
    let Some((server, sessions, clock)) = fixture().await else { return };
    let (id, session) = sessions.create().unwrap();
    session.set(COUNT, &1).unwrap();
    sessions.commit(&session).await.unwrap();
    assert_about(life(&server, "*:r:*"), 20 * MINUTE + DAY);
    clock.advance(2 * MINUTE);
    let session = sessions.open(&id).await.unwrap().unwrap();
    assert_about(life(&server, "*:r:*"), 20 * MINUTE + DAY);
    clock.advance(5 * MINUTE);
    session.set(COUNT, &2).unwrap();
    sessions.commit(&session).await.unwrap();
    assert_about(life(&server, "*:r:*"), 15 * MINUTE + DAY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_session_loses_nothing_and_leaves_nothing_on_its_way() {
    let Some((server, sessions, clock)) = fixture().await else { return };
    let (_, session) = sessions.create().unwrap();
    session.set(TEXT, &"x".repeat(64 << 10)).unwrap();
    session.login("alice").unwrap();
    let id = sessions.commit(&session).await.unwrap().unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (sessions, id) = (sessions.clone(), id.clone());
        writers.spawn(async move {
            let session = sessions.open(&id).await.unwrap().unwrap();
            session.edit(COUNT, |count| *count += 1).unwrap();
            sessions.commit(&session).await.unwrap();
        });
    }
    writers.join_all().await;
    clock.advance(2 * MINUTE);
    let session = sessions.open(&id).await.unwrap().unwrap();
    assert_eq!((session.get(COUNT).unwrap(), session.principal().as_deref()), (Some(20), Some("alice")));
    assert_eq!(session.get(TEXT).unwrap().unwrap().len(), 64 << 10);
    session.set(COUNT, &21).unwrap();
    sessions.commit(&session).await.unwrap();
    assert_about(life(&server, "*:r:*"), 20 * MINUTE + DAY);
    session.logout().await.unwrap();
    assert!(sessions.commit(&session).await.is_err() || sessions.count().await.unwrap() == 0);
    let left = server.command(&["KEYS", "*:v:*"]);
    assert!(left.trim().is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_session_without_end_has_a_key_without_end() {
    let Some((server, sessions, _)) = fixture().await else { return };
    let (_, session) = sessions.create().unwrap();
    session.login("alice").unwrap();
    session.set_idle_timeout(Duration::MAX).unwrap();
    session.set_lifetime(Duration::MAX).unwrap();
    let id = sessions.commit(&session).await.unwrap().unwrap();
    // A session that never came back ends all the same.
    sessions.open(&id).await.unwrap().unwrap();
    let lives = "local n = 0 for _, key in ipairs(redis.call('KEYS', '*')) do \
        if redis.call('PTTL', key) >= 0 then n = n + 1 end end return n";
    assert_eq!(server.command(&["EVAL", lives, "0"]), "0");
}

#[tokio::test]
async fn an_index_lives_as_long_as_the_sessions_it_names() {
    let Some((server, sessions, _)) = fixture().await else { return };
    for lifetime in [60 * MINUTE, 600 * MINUTE, 60 * MINUTE] {
        let (_, session) = sessions.create().unwrap();
        session.login("alice").unwrap();
        session.set_lifetime(lifetime).unwrap();
        sessions.commit(&session).await.unwrap();
    }
    assert_about(life(&server, "*:u"), 600 * MINUTE + DAY);
}

#[tokio::test]
async fn nothing_but_namespaces_is_left_of_sessions_that_ended_or_were_swept() {
    let Some((server, sessions, clock)) = fixture().await else { return };
    for name in ["alice", "bob", "carol}:u"] {
        let (_, session) = sessions.create().unwrap();
        session.login(name).unwrap();
        sessions.commit(&session).await.unwrap();
    }
    assert_eq!(sessions.end_all("alice").await.unwrap(), 1);
    clock.advance(DAY);
    while sessions.sweep().await.unwrap().more {}
    let left = server.command(&["KEYS", "*"]);
    assert!(left.lines().all(|key| key.ends_with("}:n") || key.ends_with(":alice}:p")), "{left}");
}

#[tokio::test]
async fn a_wrong_entry_of_an_index_is_taken_out_once_it_is_old() {
    let Some((server, sessions, clock)) = fixture().await else { return };
    let (_, session) = sessions.create().unwrap();
    session.login("alice").unwrap();
    sessions.commit(&session).await.unwrap();
    let index = server.command(&["KEYS", "*:u"]);
    let now = sessions.now().as_millis().to_string();
    server.command(&["ZADD", &index, &now, "0123456789abcdef"]);
    let entries = || server.command(&["ZCARD", &index]);
    // It may be of a commit that is under way.
    clock.advance(9 * MINUTE);
    assert_eq!((sessions.of("alice").await.unwrap().len(), entries()), (1, "2".to_owned()));
    clock.advance(2 * MINUTE);
    sessions.of("alice").await.unwrap();
    assert_eq!(entries(), "1");
}

#[tokio::test]
async fn sessions_of_another_prefix_or_database_are_apart() {
    let Some(server) = start(RedisOptions::new()) else { return };
    let clock = Arc::new(ManualClock::new());
    let mut counts = Vec::new();
    for (number, url) in ["", "/1", "?prefix=a", "/1?prefix=a"].iter().enumerate() {
        let sessions = manager(connect(&format!("{}{url}", server.url())).await, &clock);
        for _ in 0..=number {
            let (_, session) = sessions.create().unwrap();
            session.set(COUNT, &1).unwrap();
            sessions.commit(&session).await.unwrap();
        }
        counts.push(sessions.count().await.unwrap());
    }
    assert_eq!(counts, [1, 2, 3, 4]);
}
