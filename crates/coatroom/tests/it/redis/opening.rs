//! What is wrong with a server or a URL is told apart when a store is opened.

use coatroom::store::{ConnectError, RedisStore};
use coatroom_testbed::{Redis, RedisOptions};

use super::{connect, shared, start};

/// Opening fails so, in words that hold `part`, and that hold no password.
async fn assert_refused(url: &str, part: &str) -> ConnectError {
    let error = RedisStore::connect(&url.parse().unwrap()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(part), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    error
}

/// A server with a user `shop` who may do this alone.
fn with_user(rights: &str) -> Option<Redis> {
    start(RedisOptions::new().set("user", &format!("shop on >s3cret {rights}")))
}

#[tokio::test]
async fn nobody_answers() {
    let Some(mut server) = start(RedisOptions::new()) else { return };
    server.stop();
    let error = assert_refused(&server.url(), &server.address()).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn the_password_is_wrong_or_missing_or_too_much() {
    let Some(server) = start(RedisOptions::new().set("requirepass", "right")) else { return };
    let address = server.address();
    for (user, part) in [(":s3cret@", "user or password is wrong"), ("", "asks for a password")] {
        let error = assert_refused(&format!("redis://{user}{address}"), part).await;
        assert!(matches!(error, ConnectError::Denied { .. }), "{error:?}");
    }
    connect(&server.url()).await;
    let Some(open) = start(RedisOptions::new()) else { return };
    assert_refused(&format!("redis://:s3cret@{}", open.address()), "to AUTH").await;
    assert_refused(&format!("redis://nobody:s3cret@{}", open.address()), "user or password is wrong").await;
}

#[tokio::test]
async fn the_user_may_not_do_what_a_store_must() {
    for (rights, part) in [
        ("~* +@all -eval -evalsha", "EVAL"),
        ("~* +@all -zadd", "ZADD"),
        ("~* +@all -setrange -persist", "SETRANGE, PERSIST"),
        ("~* +@all -zrange", "ZRANGE"),
        ("~other:* +@all", "not on these keys"),
    ] {
        let Some(server) = with_user(rights) else { return };
        let error = assert_refused(&server.url_as("shop", "s3cret"), part).await;
        assert!(matches!(error, ConnectError::Denied { .. }), "{rights}: {error:?}");
    }
}

#[tokio::test]
async fn the_rights_that_a_refusal_names_are_enough() {
    let rights = "~shop:* +@read +@write +@scripting +@connection +time +cluster|slots";
    let Some(server) = with_user(rights) else { return };
    let url = format!("{}?prefix=shop", server.url_as("shop", "s3cret"));
    let store = connect(&url).await;
    assert_eq!(format!("{store:?}").matches("s3cret").count(), 0);
    let sessions = coatroom::SessionManager::builder(store).build().unwrap();
    let (_, session) = sessions.create().unwrap();
    session.login("alice").unwrap();
    sessions.commit(&session).await.unwrap();
    assert_eq!(sessions.end_all("alice").await.unwrap(), 1);
}

#[tokio::test]
async fn there_is_no_such_database() {
    let Some(server) = start(RedisOptions::new()) else { return };
    let error = assert_refused(&format!("{}/16", server.url()), "16").await;
    assert!(matches!(error, ConnectError::Database { .. }), "{error:?}");
    connect(&format!("{}/15", server.url())).await;
}

#[tokio::test]
async fn a_cluster_is_one_and_a_server_is_none() {
    let (Some(cluster), Some(server)) = (shared::cluster_url(), shared::redis_url()) else { return };
    let node = cluster.replace("+cluster", "");
    let node = node.split(',').next().unwrap();
    for url in [node.to_owned(), format!("{node}/3")] {
        let error = assert_refused(&url, "redis+cluster://").await;
        assert!(matches!(error, ConnectError::Unsuitable { .. }), "{error:?}");
    }
    let error = assert_refused(&server.replace("redis://", "redis+cluster://"), "write redis://").await;
    assert!(matches!(error, ConnectError::Unsuitable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_cluster_is_found_by_any_of_its_nodes() {
    let Some(cluster) = shared::cluster_url() else { return };
    let last = cluster.rsplit(',').next().unwrap();
    connect(&format!("redis+cluster://127.0.0.1:1,{last}")).await;
    assert_refused("redis+cluster://127.0.0.1:1,127.0.0.1:2", "127.0.0.1:1,127.0.0.1:2").await;
}

#[tokio::test]
async fn a_replica_takes_no_sessions() {
    let Some(primary) = start(RedisOptions::new()) else { return };
    let of = format!("127.0.0.1 {}", primary.port());
    let Some(replica) = start(RedisOptions::new().set("replicaof", &of)) else { return };
    replica.wait_for_info("master_link_status", "up");
    let error = assert_refused(&replica.url(), "it is a replica").await;
    assert!(matches!(error, ConnectError::Unsuitable { .. }), "{error:?}");
}

#[tokio::test]
async fn tls_trusts_the_authority_that_is_named() {
    let Some(server) = start(RedisOptions::new().tls()) else { return };
    let authority = server.authority().unwrap().display().to_string();
    connect(&format!("{}?cacert={authority}", server.url())).await;
    for url in [server.url(), format!("{}?cacert=/nowhere.pem", server.url())] {
        let error = assert_refused(&url, "cacert=").await;
        assert!(url.contains("nowhere") == error.to_string().contains("/nowhere.pem"), "{error}");
        assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
    }
    let plain = format!("rediss://{}?cacert={authority}&connect_timeout=500ms", server.address());
    assert_refused(&plain, "speaks TLS on this port").await;
}

#[tokio::test]
async fn a_socket_of_this_machine_is_a_server_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("redis.sock").display().to_string();
    let Some(_server) = start(RedisOptions::new().set("unixsocket", &path)) else { return };
    connect(&format!("redis+unix://{path}?db=2")).await;
}
