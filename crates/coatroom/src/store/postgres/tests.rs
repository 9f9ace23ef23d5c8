//! Against real servers; skipped, loudly, where they are not installed.

use coatroom_testbed::shared;

use super::*;

crate::conformance_tests!(direct, server().map(|url| open(&url)));
crate::conformance_tests!(
    unprepared,
    server()
        .map(|url| { PostgresStore::builder(&url).prepared_statements(false).pool_size(4).open().unwrap() })
);
crate::conformance_tests!(behind_pgbouncer, pooler().map(|url| open(&url)));

/// The shared server.
fn server() -> Option<PostgresUrl> {
    shared::postgres_url().map(|url| url.parse().unwrap())
}

/// PgBouncer in transaction mode in front of it.
fn pooler() -> Option<PostgresUrl> {
    shared::pgbouncer_url().map(|url| url.parse().unwrap())
}

fn open(url: &PostgresUrl) -> PostgresStore {
    PostgresStore::open(url).unwrap()
}
