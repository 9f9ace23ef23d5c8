mod at_hand;
mod checkpoints;
mod closing;
mod cold;
mod crash;
mod durability;
mod faults;
pub(super) mod format;
mod limits;
mod listing;
mod opening;
mod power;
mod principals;
mod renew;
mod shards;
mod sweeps;

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::record::{AttributeEdit, Draft, Extensions, HashAlgorithm, Header};
use crate::{RawValue, ValueFormat};

const START: Timestamp = Timestamp::from_millis(1_893_456_000_000);
const IDLE: Duration = Duration::from_secs(1_200);
const NAME: &str = "tests";

crate::conformance_tests!(by_default, kept(|builder| builder));
crate::conformance_tests!(synced_each_commit, kept(|b| b.durability(Durability::EveryCommit)));
// Nothing stays in memory for longer than a checkpoint, and there are a hundred in a second.
crate::conformance_tests!(
    always_cold,
    kept(|b| b.hot_bytes(0).without_mapping().durability(Durability::Interval(Duration::from_millis(10))))
);

/// A store in a directory of its own.
fn kept(
    options: impl FnOnce(EmbeddedStoreBuilder) -> EmbeddedStoreBuilder,
) -> (EmbeddedStore, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = options(EmbeddedStore::builder(directory.path().join("store"))).open().unwrap();
    (store, directory)
}

/// A store whose checkpoints are made by the test alone.
fn still(path: &Path) -> EmbeddedStore {
    still_with(path, |builder| builder)
}

fn still_with(
    path: &Path,
    options: impl FnOnce(EmbeddedStoreBuilder) -> EmbeddedStoreBuilder,
) -> EmbeddedStore {
    let hour = Durability::Interval(Duration::from_secs(3_600));
    options(EmbeddedStore::builder(path).durability(hour)).open().unwrap()
}

fn checkpoint(store: &EmbeddedStore) {
    assert!(store.core.checkpoint_or_report());
}

/// Has the next checkpoint fail, which opens the files again.
fn fail_checkpoint(store: &EmbeddedStore) {
    store.core.db.close();
    assert!(!store.core.checkpoint_or_report());
}

/// What a process that is killed leaves behind.
fn copy_of(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

fn namespace() -> Namespace {
    Namespace::new(NAME)
}

fn key(number: u64) -> Key {
    Key { namespace: namespace(), locator: Locator::keyed(namespace(), &number.to_le_bytes()) }
}

/// A record with this revision, `bytes` of value, and a principal.
fn record_of(number: u64, revision: u64, bytes: usize, principal: Option<&str>) -> Record {
    record_with(key(number), revision, START, principal, &vec![revision as u8; bytes])
}

fn record_with(key: Key, revision: u64, at: Timestamp, principal: Option<&str>, value: &[u8]) -> Record {
    let header = Header {
        persistent: false,
        algorithm: HashAlgorithm::Sha256,
        revision,
        generation: 0,
        unconfirmed_timeout: None,
        created: at,
        deadline: Timestamp::NEVER,
        idle_timeout: IDLE,
        nonce: 0,
        secret_hash: [0; 32],
        renewal: None,
    };
    let value = RawValue { format: ValueFormat::MESSAGE_PACK, bytes: value };
    Draft {
        key,
        activity: Activity { last_accessed: at, confirmed: true },
        header: crate::record::HeaderEdit::Whole(&header),
        extensions: &Extensions::new(&[]).with_principal(principal.map(|name| (0, name))),
        base: None,
        edits: &[AttributeEdit { name: "value", value: Some(value) }],
    }
    .assemble()
    .unwrap()
}

fn record(number: u64, revision: u64) -> Record {
    record_of(number, revision, 100, None)
}

fn now<T: Unpin>(future: StoreFuture<T>) -> T {
    pollster::block_on(future).unwrap()
}

fn result<T: Unpin>(future: StoreFuture<T>) -> Result<T, StoreError> {
    pollster::block_on(future)
}

fn create(store: &EmbeddedStore, record: Record) {
    assert!(matches!(now(store.create(record, START)), Creation::Created(_)));
}

fn commit(store: &EmbeddedStore, record: Record) {
    assert!(matches!(now(store.commit(record.revision() - 1, record, START)), Commit::Landed(_)));
}

fn revision_of(store: &EmbeddedStore, number: u64) -> Option<u64> {
    now(store.load(&key(number), START)).map(|record| record.revision())
}

fn is_hot(store: &EmbeddedStore, number: u64) -> bool {
    let key = key(number);
    store.core.hot.with(&key.locator, |shard| matches!(shard.find(&key), shard::Lookup::Record(_)))
}
