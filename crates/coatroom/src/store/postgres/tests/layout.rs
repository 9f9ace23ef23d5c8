//! What the tables and functions promise.

use coatroom_testbed::{Proxy, wait_until};

use super::*;

/// Each call is one round trip, prepared or not.
#[test]
fn every_call_is_one_round_trip() {
    let Some(url) = server() else { return };
    for prepared in [true, false] {
        let schema = OwnSchema::new().unwrap();
        let proxy = Proxy::start(&url.server());
        let led: PostgresUrl = led_through(&proxy);
        let builder = PostgresStore::builder(&led).schema(schema.url.schema.name());
        let store = builder.pool_size(1).prepared_statements(prepared).open().unwrap();
        play(&store, 1, |_, _| {});
        let mut before = proxy.round_trips();
        play(&store, 2, |what, allowed| {
            let trips = proxy.round_trips() - before;
            assert!(trips <= allowed, "{what} took {trips} round trips, prepared: {prepared}");
            before = proxy.round_trips();
        });
    }
}

/// Every call once, on a key of this number.
fn play(store: &PostgresStore, number: u64, mut after: impl FnMut(&str, u64)) {
    let (key, namespace) = (key(number), key(number).namespace);
    create(store, record(number, 1, 10));
    after("create", 1);
    block_on(store.load(&key, START)).unwrap();
    after("load", 1);
    assert!(matches!(block_on(store.commit(1, record(number, 2, 10), START)).unwrap(), Commit::Landed(_)));
    after("commit", 1);
    assert!(matches!(block_on(store.commit(1, record(number, 2, 10), START)).unwrap(), Commit::Conflict(_)));
    after("conflict", 1);
    block_on(store.touch(&key, touched(1))).unwrap();
    after("touch", 1);
    block_on(store.page(namespace, None, 10, START)).unwrap();
    after("page", 1);
    block_on(store.count(namespace, START)).unwrap();
    after("count", 1);
    block_on(store.of_principal(namespace, "alice", START)).unwrap();
    after("of_principal", 1);
    block_on(store.bump_epoch(namespace, "alice")).unwrap();
    after("bump_epoch", 1);
    block_on(store.epoch(namespace, "alice")).unwrap();
    after("epoch", 1);
    assert!(block_on(store.remove(&key, START)).unwrap().is_some());
    after("remove", 1);
    create(store, record(number, 1, 10));
    after("create", 1);
    let late = START + 120 * MINUTE;
    let claim = block_on(store.claim_expired(namespace, late, late + MINUTE, 10)).unwrap();
    assert_eq!(claim.records.len(), 1);
    after("claim_expired", 1);
    block_on(store.settle(claim.records)).unwrap();
    after("settle", 1);
    block_on(store.flush()).unwrap();
    after("flush", 1);
    block_on(store.check()).unwrap();
    after("check", 1);
}

/// On a server of its own: room on a page is made only of what no transaction of the database may
/// still see, and other tests have long ones.
#[test]
fn touches_and_usual_commits_are_heap_only_updates() {
    let Some(server) = own_server(PostgresOptions::new()) else { return };
    let store = open(&patient(&server.url()));
    (0..50).for_each(|number| create(&store, record(number, 1, 200)));
    for round in 1..=10 {
        for number in 0..50 {
            block_on(store.touch(&key(number), touched(round))).unwrap();
            let next = record(number, u64::from(round) + 1, 200);
            let commit = block_on(store.commit(u64::from(round), next, START + MINUTE)).unwrap();
            assert!(matches!(commit, Commit::Landed(_)));
        }
    }
    // A server process hands in what it counted when it ends, at the latest.
    store.close();
    let counted = || {
        let counts = server.sql(
            "SELECT n_tup_upd || ' ' || n_tup_hot_upd FROM pg_stat_user_tables \
             WHERE relid = 'coatroom.records'::regclass",
        );
        let mut counts = counts.trim().split(' ').map(|count| count.parse::<u64>().unwrap());
        (counts.next().unwrap(), counts.next().unwrap())
    };
    wait_until("1,000 updates are counted", Duration::from_secs(20), || counted().0 == 1_000);
    let (updates, heap_only) = counted();
    assert!(heap_only * 100 >= updates * 95, "{heap_only} of {updates} updates were heap-only");
}

/// A trigger takes down what each transaction waits for.
#[test]
fn touches_alone_do_not_wait_for_the_disk() {
    let Some(schema) = OwnSchema::new() else { return };
    let store = PostgresStore::builder(&schema.url).pool_size(1).open().unwrap();
    schema.sql(
        "CREATE TABLE {schema}.seen (n serial, what text);
        CREATE FUNCTION {schema}.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO {schema}.seen (what)
            VALUES (lower(TG_OP) || ' ' || pg_catalog.current_setting('synchronous_commit'));
            RETURN NULL;
        END $$;
        CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON {schema}.records
            FOR EACH ROW EXECUTE FUNCTION {schema}.see()",
    );
    create(&store, record(1, 1, 10));
    block_on(store.touch(&key(1), touched(1))).unwrap();
    block_on(store.commit(1, record(1, 2, 10), START)).unwrap();
    block_on(store.touch(&key(1), touched(2))).unwrap();
    block_on(store.remove(&key(1), START)).unwrap();
    let seen = schema.sql("SELECT what FROM {schema}.seen ORDER BY n");
    assert_eq!(seen, ["insert on", "update off", "update on", "update off", "delete on"]);
}

#[test]
fn a_touch_that_moves_nothing_writes_nothing() {
    let Some(schema) = OwnSchema::new() else { return };
    let store = open(&schema.url);
    create(&store, record(1, 1, 10));
    block_on(store.touch(&key(1), touched(2))).unwrap();
    let version = || schema.sql("SELECT ctid FROM {schema}.records");
    let before = version();
    block_on(store.touch(&key(1), touched(1))).unwrap();
    assert_eq!(version(), before);
}

#[test]
fn a_damaged_record_is_told_by_name_and_stops_no_listing() {
    let Some(schema) = OwnSchema::new() else { return };
    let store = open(&schema.url);
    (1..=3).for_each(|number| create(&store, record(number, 1, 10)));
    let locator = key(2).locator;
    schema.sql(&format!("UPDATE {{schema}}.records SET data = data || 'x' WHERE locator = '{locator}'"));
    let error = block_on(store.load(&key(2), START)).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { what } if what.contains(&locator.to_string())), "{error}");
    let namespace = key(1).namespace;
    assert_eq!(block_on(store.page(namespace, None, 10, START)).unwrap().records.len(), 2);
    assert_eq!(block_on(store.of_principal(namespace, "alice", START)).unwrap().len(), 2);
    let late = START + 120 * MINUTE;
    let claim = block_on(store.claim_expired(namespace, late, late + MINUTE, 10)).unwrap();
    assert_eq!(claim.records.len(), 2);
    assert!(block_on(store.remove(&key(2), START)).unwrap().is_none());
    assert!(block_on(store.load(&key(2), START)).unwrap().is_none());
}

/// As an open transaction of somebody else may.
#[test]
fn a_sweep_passes_over_what_another_works_on() {
    let Some(schema) = OwnSchema::new() else { return };
    let store = PostgresStore::builder(&schema.url).timeout(Duration::from_secs(2)).open().unwrap();
    (1..=3).for_each(|number| create(&store, record(number, 1, 10)));
    let (namespace, late) = (key(1).namespace, START + 120 * MINUTE);
    let claim = || block_on(store.claim_expired(namespace, late, late + MINUTE, 10));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut other = runtime.block_on(async {
        let (client, connection) = schema.url.config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    });
    let transaction = runtime.block_on(other.transaction()).unwrap();
    let locked = format!("SELECT FROM {{schema}}.records WHERE locator = '{}' FOR UPDATE", key(2).locator);
    runtime.block_on(transaction.batch_execute(&schema.url.schema.fill(&locked))).unwrap();
    let first = claim().unwrap();
    assert_eq!((first.records.len(), first.more), (2, true));
    assert!(claim().is_err(), "it waits for the last one, within its timeout");
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{schema}%'";
    wait_until("what nobody waits for is cancelled", Duration::from_secs(20), || {
        schema.sql(waiting) == ["0"]
    });
    runtime.block_on(transaction.rollback()).unwrap();
    assert_eq!(claim().unwrap().records.len(), 1);
}

pub(super) fn led_through(proxy: &Proxy) -> PostgresUrl {
    patient(&proxy.url(&shared::postgres_url().unwrap()))
}
