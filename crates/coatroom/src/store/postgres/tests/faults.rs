//! Connections that are lost, servers that go and come, and disks that are full.

use std::sync::atomic::{AtomicUsize, Ordering};

use coatroom_testbed::{Cut, Proxy, Tmpfs, wait_until};
use tokio::net::TcpListener;

use super::connect::{Connector, Refusal};
use super::layout::led_through;
use super::statement::{Schema, Texts};
use super::tls::Encryption;
use super::url::Prepared;
use super::*;
use crate::store::network::Driver;

const PATIENCE: Duration = Duration::from_secs(20);

/// A store behind a proxy, with a schema of its own and one record.
fn scene(
    options: impl FnOnce(PostgresStoreBuilder) -> PostgresStoreBuilder,
) -> Option<(OwnSchema, Proxy, PostgresStore)> {
    let schema = OwnSchema::new()?;
    let proxy = Proxy::start(&schema.url.server());
    let url = led_through(&proxy);
    let store = options(PostgresStore::builder(&url).schema(schema.url.schema.name())).open().unwrap();
    create(&store, record(1, 1, 10));
    block_on(store.load(&key(1), START)).unwrap();
    Some((schema, proxy, store))
}

#[test]
fn a_read_that_loses_its_connection_is_repeated_and_a_write_never() {
    let Some((_schema, proxy, store)) = scene(|builder| builder.pool_size(2)) else { return };
    proxy.cut_next(Cut::Answer(0));
    assert!(block_on(store.load(&key(1), START)).unwrap().is_some());
    assert!(!proxy.is_cut_pending());
    assert!(block_on(store.remove(&key(2), START)).unwrap().is_none());
    proxy.cut_next(Cut::Answer(0));
    let error = block_on(store.remove(&key(2), START)).unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    assert!(block_on(store.load(&key(1), START)).unwrap().is_some());
}

#[test]
fn a_commit_whose_answer_is_lost_may_have_landed() {
    let Some((_schema, proxy, store)) = scene(|builder| builder.pool_size(1)) else { return };
    block_on(store.commit(1, record(1, 2, 10), START)).unwrap();
    proxy.cut_next(Cut::Answer(0));
    let error = block_on(store.commit(2, record(1, 3, 10), START)).unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    wait_until("the commit has landed", PATIENCE, || {
        block_on(store.load(&key(1), START)).unwrap().unwrap().revision() == 3
    });
}

/// Nothing was done while a statement was only being prepared.
#[test]
fn a_write_that_was_not_sent_is_repeated() {
    let Some((_schema, proxy, store)) = scene(|builder| builder.pool_size(1)) else { return };
    proxy.cut_next(Cut::Answer(0));
    block_on(store.commit(1, record(1, 2, 10), START)).unwrap();
    assert!(!proxy.is_cut_pending());
    assert_eq!(block_on(store.load(&key(1), START)).unwrap().unwrap().revision(), 2);
}

#[test]
fn connections_cut_at_rest_are_replaced() {
    let Some((_schema, proxy, store)) = scene(|builder| builder) else { return };
    proxy.cut_all();
    assert!(block_on(store.load(&key(1), START)).unwrap().is_some());
}

#[test]
fn a_server_that_hangs_is_given_up_and_never_crowded() {
    let timeout = Duration::from_millis(500);
    let Some((_schema, proxy, store)) = scene(|builder| builder.pool_size(2).timeout(timeout)) else {
        return;
    };
    proxy.hold_answers();
    for _ in 0..6 {
        let error = block_on(store.load(&key(1), START)).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        let error = block_on(store.remove(&key(2), START)).unwrap_err();
        assert!(error.to_string().contains("500ms"), "{error}");
    }
    // One more where the proxy has not yet seen the end of the one before.
    assert!(proxy.most_connections() <= 4, "{} connections", proxy.most_connections());
    proxy.pass();
    wait_until("the store recovers", PATIENCE, || block_on(store.load(&key(1), START)).is_ok());
}

/// It would be kept busy with that when it starts.
#[tokio::test]
async fn a_server_that_turns_connections_away_is_not_dialled_by_each_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = format!("host=127.0.0.1 port={} user=coatroom", listener.local_addr().unwrap().port());
    let dials = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&dials);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let connector = Connector::new(config.parse().unwrap(), Encryption::None, MINUTE, Prepared::Off);
    let texts = Texts::new(&Schema::default());
    let pool = Arc::new(Pool::new(connector, Driver::current().unwrap(), texts, 2, MINUTE));
    for _ in 0..100 {
        assert!(matches!(pool.lend().await, Err(Refusal::Failed(_))));
    }
    assert!(dials.load(Ordering::Relaxed) < 50, "{dials:?} times");
}

#[test]
fn dropped_calls_leave_their_connection_usable() {
    let Some((_schema, proxy, store)) = scene(|builder| builder.pool_size(1)) else { return };
    let before = proxy.accepted();
    for _ in 0..20 {
        let mut load = store.load(&key(1), START);
        let waker = std::task::Waker::noop();
        let _ = std::pin::Pin::new(&mut load).poll(&mut std::task::Context::from_waker(waker));
        drop(load);
        assert!(block_on(store.load(&key(1), START)).unwrap().is_some());
    }
    assert_eq!(proxy.accepted(), before);
}

#[test]
fn a_server_that_comes_back_is_used_again() {
    let Some(mut server) = own_server(PostgresOptions::new()) else { return };
    let store = open(&patient(&server.url()));
    create(&store, record(1, 1, 10));
    server.stop();
    let error = block_on(store.load(&key(1), START)).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let error = block_on(store.create(record(2, 1, 10), START)).unwrap_err();
    assert!(!error.is_outcome_unknown(), "nothing was sent: {error}");
    server.start_again();
    wait_until("the store recovers", PATIENCE, || block_on(store.check()).is_ok());
    assert!(block_on(store.load(&key(1), START)).unwrap().is_some());
    server.kill();
    server.start_again();
    wait_until("the store recovers", PATIENCE, || block_on(store.check()).is_ok());
    assert!(block_on(store.load(&key(1), START)).unwrap().is_some());
}

#[test]
fn statements_are_sent_whole_behind_a_pooler_alone() {
    for (url, is_direct) in [(server(), true), (pooler(), false)] {
        let Some(url) = url else { continue };
        let store = open(&url);
        let pool = Arc::clone(&store.inner.pool);
        let lent = store.inner.network.driver().run(async move {
            let lent = pool.lend().await.map_err(|refusal| error::refused("lending", refusal))?;
            Ok(lent.is_direct())
        });
        assert_eq!(block_on(lent).unwrap(), is_direct);
    }
}

/// As behind a pooler that was not found out.
#[test]
fn statements_that_are_not_there_are_sent_whole_from_then_on() {
    let Some(schema) = OwnSchema::new() else { return };
    let store = PostgresStore::builder(&schema.url).pool_size(1).open().unwrap();
    create(&store, record(1, 1, 10));
    assert!(store.inner.pool.may_prepare());
    schema.sql("SELECT 1");
    let pool = Arc::clone(&store.inner.pool);
    let forgotten = store.inner.network.driver().run(async move {
        let lent = pool.lend().await.map_err(|refusal| error::refused("lending", refusal))?;
        lent.forget_statements().await.map_err(parameter::unreadable)
    });
    block_on(forgotten).unwrap();
    create(&store, record(2, 1, 10));
    assert!(!store.inner.pool.may_prepare());
    assert!(block_on(store.load(&key(2), START)).unwrap().is_some());
}

#[test]
fn a_closed_store_answers_nothing_more() {
    let Some(schema) = OwnSchema::new() else { return };
    let store = open(&schema.url);
    store.close();
    store.close();
    let error = block_on(store.clone().load(&key(1), START)).unwrap_err();
    assert!(error.to_string().contains("was closed"), "{error}");
}

/// The tables lie on a file system of their own, so that the server itself lives on.
#[test]
fn a_full_disk_is_told_and_reads_and_endings_go_on() {
    let (Some(server), Some(disk)) = (own_server(PostgresOptions::new()), Tmpfs::mount(4 << 20)) else {
        return;
    };
    let place = disk.path().display();
    server.sql(&format!("COPY (SELECT 1) TO PROGRAM 'mkdir {place}/space'"));
    server.sql(&format!("CREATE TABLESPACE small LOCATION '{place}/space'"));
    server.sql("GRANT CREATE ON TABLESPACE small TO coatroom");
    let url = format!("{}?options=-c%20default_tablespace%3Dsmall", server.url());
    let store = open(&patient(&url));
    create(&store, record(0, 1, 10));
    let failed = (1..100).find_map(|number| block_on(store.create(record(number, 1, 200_000), START)).err());
    let error = failed.expect("four MiB are full");
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.to_string().contains("53100"), "{error}");
    assert!(block_on(store.load(&key(0), START)).unwrap().is_some());
    assert!(block_on(store.remove(&key(1), START)).unwrap().is_some());
}
