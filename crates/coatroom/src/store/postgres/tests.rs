//! Against real servers; skipped, loudly, where they are not installed.

mod faults;
mod layout;
mod opening;

use std::time::Duration;

use coatroom_testbed::{Postgres, PostgresOptions, Program, shared};
use pollster::block_on;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::*;
use crate::error::StoreError;
use crate::record::{AttributeEdit, Draft, Extensions, HashAlgorithm, Header, RawValue, ValueFormat};
use crate::store::conformance::model::{Step, check};

crate::conformance_tests!(direct, server().map(|url| open(&url)));
crate::conformance_tests!(
    unprepared,
    server().map(|url| PostgresStore::builder(&url).prepared_statements(false).pool_size(4).open().unwrap())
);
crate::conformance_tests!(behind_pgbouncer, pooler().map(|url| open(&url)));

#[test]
fn it_answers_as_a_map_would_through_reopenings() {
    for url in [server(), pooler()].into_iter().flatten() {
        let mut random = fastrand::Rng::with_seed(11);
        let steps = std::iter::repeat_with(|| Step::pick(std::array::from_fn(|_| random.u8(..))));
        check(&steps.take(1_500).collect::<Vec<_>>(), |store: Option<PostgresStore>| {
            drop(store);
            PostgresStore::builder(&url).pool_size(1).open().unwrap()
        });
    }
}

const START: Timestamp = Timestamp::from_millis(4_102_444_800_000);
const MINUTE: Duration = Duration::from_secs(60);

/// The shared server.
fn server() -> Option<PostgresUrl> {
    shared::postgres_url().map(|url| patient(&url))
}

/// PgBouncer in transaction mode in front of it.
fn pooler() -> Option<PostgresUrl> {
    shared::pgbouncer_url().map(|url| patient(&url))
}

/// A machine that is busy with other tests must not fail these.
fn patient(url: &str) -> PostgresUrl {
    let mut url: PostgresUrl = url.parse().unwrap();
    (url.timeout, url.connect_timeout) = (MINUTE, MINUTE);
    url
}

/// A server of the test's own.
fn own_server(options: PostgresOptions) -> Option<Postgres> {
    Program::Postgres.is_installed().then(|| Postgres::start(options.fast()))
}

fn open(url: &PostgresUrl) -> PostgresStore {
    PostgresStore::open(url).unwrap()
}

/// A schema of the test's own on the shared server, taken away when dropped.
struct OwnSchema {
    url: PostgresUrl,
}

impl OwnSchema {
    fn new() -> Option<Self> {
        let mut url = server()?;
        url.schema = statement::Schema::parse(&format!("test_{:016x}", fastrand::u64(..))).unwrap();
        Some(Self { url })
    }

    /// Runs SQL, in which `{schema}` is this schema; the first column of each row.
    fn sql(&self, text: &str) -> Vec<String> {
        sql(&self.url, &self.url.schema.fill(text))
    }
}

impl Drop for OwnSchema {
    fn drop(&mut self) {
        self.sql("DROP SCHEMA IF EXISTS {schema} CASCADE");
    }
}

fn sql(url: &PostgresUrl, text: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = url.config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        let messages = client.simple_query(text).await.unwrap();
        let row = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        };
        messages.iter().filter_map(row).collect()
    })
}

fn key(number: u64) -> Key {
    let namespace = Namespace::new("tests");
    Key { namespace, locator: Locator::keyed(namespace, &number.to_le_bytes()) }
}

/// A record that lives for an hour without activity, with this revision and so many bytes of value.
fn record(number: u64, revision: u64, bytes: usize) -> Record {
    let header = Header {
        persistent: false,
        algorithm: HashAlgorithm::Sha256,
        revision,
        generation: 0,
        unconfirmed_timeout: None,
        created: START,
        deadline: Timestamp::NEVER,
        idle_timeout: 60 * MINUTE,
        nonce: 0,
        secret_hash: [0; 32],
        renewal: None,
    };
    let value = vec![7; bytes];
    let value = RawValue { format: ValueFormat::OPAQUE, bytes: &value };
    Draft {
        key: key(number),
        activity: Activity { last_accessed: START, confirmed: true },
        header: crate::record::HeaderEdit::Whole(&header),
        extensions: &Extensions::new(&[]).with_principal(Some((0, "alice"))),
        base: None,
        edits: &[AttributeEdit { name: "value", value: Some(value) }],
    }
    .assemble()
    .unwrap()
}

fn create(store: &PostgresStore, record: Record) {
    assert!(matches!(block_on(store.create(record, START)).unwrap(), Creation::Created(_)));
}

fn touched(minutes: u32) -> Activity {
    Activity { last_accessed: START + minutes * MINUTE, confirmed: true }
}
