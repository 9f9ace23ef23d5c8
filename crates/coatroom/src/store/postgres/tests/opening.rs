//! What a store that cannot be opened says.

use std::fs;

use super::*;
use crate::store::postgres::migrate::NEWEST;

fn refusal(url: &str) -> ConnectError {
    PostgresStore::open(&url.parse().unwrap()).unwrap_err()
}

/// Says what to do, and neither user nor password.
fn told(error: &ConnectError, remedy: &str) {
    let said = format!("{error} {error:?}");
    assert!(said.contains(remedy), "{said}");
    assert!(!said.contains("ticket") && !said.contains("wrongword") && !said.contains("nobody"), "{said}");
}

#[test]
fn each_refusal_is_told_apart() {
    let Some(server) = own_server(PostgresOptions::new()) else { return };
    let error = refusal(&server.url_as("coatroom", "wrongword", "coatroom"));
    assert!(matches!(error, ConnectError::Denied { .. }), "{error}");
    told(&error, "28P01");
    let error = refusal(&server.url_as("nobody", "ticket", "coatroom"));
    assert!(matches!(error, ConnectError::Denied { .. }), "{error}");
    told(&error, "28P01");
    let error = refusal(&format!("postgres://coatroom@{}/coatroom", server.address()));
    assert!(matches!(error, ConnectError::Denied { .. }), "{error}");
    told(&error, "asks for a password");
    let error = refusal(&server.url_as("coatroom", "ticket", "elsewhere"));
    assert!(matches!(&error, ConnectError::Database { database, .. } if database == "elsewhere"), "{error}");
    told(&error, "create it");
    let error = refusal("postgres://coatroom:ticket@127.0.0.1:1/coatroom");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    told(&error, "127.0.0.1:1");
    let error = refusal(&format!("{}?sslmode=require", server.url()));
    assert!(matches!(error, ConnectError::Tls { .. }), "{error}");
    told(&error, "offers no TLS");
    let error = refusal(&format!("{}?sslrootcert=/nowhere.pem&sslmode=verify-full", server.url()));
    assert!(matches!(error, ConnectError::Tls { .. }), "{error}");
    told(&error, "/nowhere.pem");
    let error =
        PostgresStore::builder(&server.url().parse().unwrap()).schema("a\"; DROP").open().unwrap_err();
    assert!(matches!(error, ConnectError::Unsuitable { .. }), "{error}");
}

#[test]
fn a_user_who_may_make_nothing_needs_an_administrator_once() {
    let Some(server) = own_server(PostgresOptions::new()) else { return };
    server.sql("CREATE ROLE \"o'\"\"guest\" LOGIN PASSWORD 'ticket'");
    let url: PostgresUrl = server.url_as("o'%22guest", "ticket", "coatroom").parse().unwrap();
    let error = PostgresStore::open(&url).unwrap_err();
    assert!(matches!(error, ConnectError::Denied { .. }), "{error}");
    told(&error, "setup_sql");
    server.sql(&url.setup_sql());
    server.sql(&url.setup_sql());
    let store = open(&url);
    create(&store, record(1, 1, 10));
    block_on(store.bump_epoch(key(1).namespace, "alice")).unwrap();
    assert!(block_on(store.remove(&key(1), START)).unwrap().is_some());
    server.sql("REVOKE DELETE ON coatroom.records FROM \"o'\"\"guest\"");
    let error = block_on(store.remove(&key(1), START)).unwrap_err().to_string();
    assert!(error.contains("GRANT") && error.contains("42501") && !error.contains("guest"), "{error}");
}

/// What RelStorage names without a schema, say, which then makes its tables once more in ours.
#[test]
fn a_schema_that_would_hide_the_tables_of_its_role_is_not_made() {
    let Some(server) = own_server(PostgresOptions::new()) else { return };
    let url: PostgresUrl = server.url().parse().unwrap();
    sql(&url, "CREATE SEQUENCE zoid_seq");
    let error = refusal(&server.url());
    assert!(matches!(error, ConnectError::Unsuitable { .. }), "{error}");
    told(&error, "schema=");
    assert_eq!(sql(&url, "SELECT current_schema()"), ["public"]);
    open(&format!("{}?schema=visits", server.url()).parse().unwrap());
    sql(&url, "DROP SEQUENCE zoid_seq");
    open(&url);
    sql(&url, "CREATE TABLE public.later ()");
    open(&url);
}

#[test]
fn certificates_are_verified_as_far_as_asked() {
    let Some(server) = own_server(PostgresOptions::new().tls()) else { return };
    let (url, authority) = (server.url(), server.authority().unwrap().display());
    let elsewhere = url.replace("localhost", "127.0.0.1");
    let other_name = url.replace("@localhost", "@elsewhere") + "?hostaddr=127.0.0.1";
    let is_encrypted = |url: &str| {
        let store = open(&url.parse().unwrap());
        let mut lent = store.inner.network.driver().run({
            let pool = Arc::clone(&store.inner.pool);
            async move { pool.lend().await.map_err(|refusal| error::refused("lending", refusal)) }
        });
        let lent = block_on(&mut lent).unwrap();
        drop(lent);
        server.sql("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'coatroom'") != "0"
    };
    assert!(is_encrypted(&url));
    assert!(is_encrypted(&format!("{url}?sslmode=require")));
    assert!(is_encrypted(&format!("{url}?sslmode=verify-full&sslrootcert={authority}")));
    assert!(is_encrypted(&format!("{other_name}&sslmode=verify-ca&sslrootcert={authority}")));
    assert!(is_encrypted(&format!("{other_name}&sslmode=require&sslrootcert={authority}")));
    assert!(!is_encrypted(&format!("{elsewhere}?sslmode=disable")));
    for refused in [
        format!("{other_name}&sslmode=verify-full&sslrootcert={authority}"),
        format!("{url}?sslmode=verify-full"),
        format!("{url}?sslmode=verify-ca"),
    ] {
        let error = refusal(&refused);
        assert!(matches!(error, ConnectError::Tls { .. }), "{refused}: {error}");
        told(&error, "sslrootcert=");
    }
}

#[test]
fn a_replica_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut server) = own_server(PostgresOptions::new().data_in(directory.path())) else { return };
    server.stop();
    fs::write(directory.path().join("data/standby.signal"), "").unwrap();
    server.start_again();
    let error = refusal(&server.url());
    assert!(matches!(error, ConnectError::Unsuitable { .. }), "{error}");
    told(&error, "replica");
}

#[test]
fn a_server_without_connections_says_so() {
    let options = PostgresOptions::new()
        .set("max_connections", "4")
        .set("superuser_reserved_connections", "3")
        .set("max_wal_senders", "0");
    let Some(server) = own_server(options) else { return };
    let url = server.url().parse().unwrap();
    let store = open(&url);
    let error = PostgresStore::open(&url).unwrap_err();
    assert!(matches!(error, ConnectError::Unsuitable { .. }), "{error}");
    told(&error, "max_connections");
    block_on(store.check()).unwrap();
}

#[test]
fn stores_that_open_at_once_make_the_schema_once() {
    let Some(schema) = OwnSchema::new() else { return };
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..4).map(|_| scope.spawn(|| open(&schema.url))).collect();
        for store in opened {
            block_on(store.join().unwrap().check()).unwrap();
        }
    });
    assert_eq!(schema.sql("SELECT version FROM {schema}.migrations"), [NEWEST.to_string()]);
}

#[test]
fn a_schema_of_a_newer_version_is_left_alone() {
    let Some(schema) = OwnSchema::new() else { return };
    drop(open(&schema.url));
    schema.sql(&format!("INSERT INTO {{schema}}.migrations (version) VALUES ({})", NEWEST + 1));
    let error = PostgresStore::open(&schema.url).unwrap_err();
    let known = u32::try_from(NEWEST).unwrap();
    assert!(
        matches!(error, ConnectError::NewerFormat { found, known: k, .. } if (found, k) == (known + 1, known)),
        "{error}"
    );
}

#[tokio::test]
async fn a_store_lives_in_the_runtime_it_is_opened_in() {
    let Some(url) = server() else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let key = Key { namespace: Namespace::from_bytes(fastrand::u64(..).to_le_bytes()), ..key(1) };
    assert!(store.load(&key, START).await.unwrap().is_none());
    // And serves threads outside of it.
    let elsewhere = store.clone();
    let loaded = tokio::task::spawn_blocking(move || {
        std::thread::spawn(move || block_on(elsewhere.load(&key, START))).join().unwrap()
    });
    assert!(loaded.await.unwrap().unwrap().is_none());
}
