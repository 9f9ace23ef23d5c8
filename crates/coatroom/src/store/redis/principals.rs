//! Who owns what: an index that is a hint, and epochs.
//!
//! On one server the index is written in the same step as the record. In a Cluster they lie apart, so
//! an entry is written before its record and may be of one that never came; whoever reads looks, and
//! takes out what has been wrong for long.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;

use super::error::{Task, bytes, list, number};
use super::keys::slot_of;
use super::link::Command;
use super::records::{live, text, ttl};
use super::{Inner, script};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::{HashAlgorithm, Record};
use crate::store::StoreFuture;

const LIST: Task = Task::reads("listing the sessions of a principal");
const FORGET: Task = Task::writes("taking a session out of the index of its principal");
const EPOCH: Task = Task::reads("reading the epoch of a principal");
const BUMP: Task = Task::writes("raising the epoch of a principal");

/// How old an entry must be before it counts as wrong; a commit that wrote it takes seconds at most.
const SETTLED: Duration = Duration::from_secs(10 * 60);

/// Records to load at once.
const AT_ONCE: usize = 128;

/// What the index is to say of a record.
pub(super) struct Entry {
    pub(super) index: Vec<u8>,
    pub(super) lives: Vec<u8>,
    locator: Locator,
    now: Vec<u8>,
}

impl Entry {
    /// Writes it.
    pub(super) fn write(&self) -> Command {
        let arguments = [&self.locator.as_bytes()[..], &self.now, &self.lives];
        Command { slot: slot_of(&self.index), cmd: script::INDEX.call(&[&self.index], &arguments) }
    }
}

impl Inner {
    /// The entry of a record that has a principal. It lives as long as the record may, touched or not.
    pub(super) fn entry(&self, record: &Record, now: Timestamp) -> Option<Entry> {
        let key = record.key();
        Some(Entry {
            index: self.keys.principal(key.namespace, record.principal()?),
            lives: ttl(record.deadline(), now),
            locator: key.locator,
            now: text(now.as_millis()),
        })
    }

    pub(super) fn of_principal(
        self: &Arc<Self>,
        namespace: Namespace,
        principal: &str,
        now: Timestamp,
    ) -> StoreFuture<Vec<Record>> {
        let (inner, principal) = (Arc::clone(self), principal.to_owned());
        self.network.call(LIST.what, LIST.effect, async move {
            let index = inner.keys.principal(namespace, &principal);
            let mut range = redis::cmd("ZRANGE");
            range.arg(&index[..]).arg(0).arg(-1);
            let entries =
                list(LIST, inner.link.ask(LIST, &Command { slot: slot_of(&index), cmd: range }).await?)?;
            let keys: Vec<_> = entries.into_iter().filter_map(|entry| key_of(namespace, entry)).collect();
            let (mut records, mut wrong) = (Vec::new(), Vec::new());
            for keys in keys.chunks(AT_ONCE) {
                for (key, record) in keys.iter().zip(inner.load_all(LIST, keys, now).await?) {
                    match record.filter(|record| record.principal() == Some(&*principal)) {
                        Some(record) => records.push(record),
                        None => wrong.push(key.locator),
                    }
                }
            }
            if !wrong.is_empty() {
                heal(&inner, &index, &wrong, now).await;
            }
            Ok(records)
        })
    }

    /// Loads many records at once, in the order of their keys.
    pub(super) async fn load_all(
        &self,
        task: Task,
        keys: &[Key],
        now: Timestamp,
    ) -> Result<Vec<Option<Record>>, StoreError> {
        let commands = keys.iter().map(|key| {
            let mut get = redis::cmd("GET");
            get.arg(self.keys.record(key));
            self.of_record(key, get)
        });
        let answers = self.link.ask_all(task, commands.collect()).await?;
        keys.iter().zip(answers).map(|(key, answer)| live(task, *key, answer, now)).collect()
    }

    pub(super) fn epoch(self: &Arc<Self>, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let inner = Arc::clone(self);
        let key = self.keys.epoch(namespace, principal);
        self.network.call(EPOCH.what, EPOCH.effect, async move {
            let mut get = redis::cmd("GET");
            get.arg(&key[..]);
            match inner.link.ask(EPOCH, &Command { slot: slot_of(&key), cmd: get }).await? {
                Value::Nil => Ok(0),
                epoch => number(EPOCH, &epoch),
            }
        })
    }

    pub(super) fn bump_epoch(self: &Arc<Self>, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let inner = Arc::clone(self);
        let key = self.keys.epoch(namespace, principal);
        self.network.call(BUMP.what, BUMP.effect, async move {
            let bump = Command { slot: slot_of(&key), cmd: script::BUMP.call(&[&key], &[]) };
            number(BUMP, &inner.link.ask(BUMP, &bump).await?)
        })
    }
}

/// In a Cluster, takes a record that was ended out of the index. A failure is no harm: whoever reads
/// the index looks.
pub(super) async fn forget(inner: &Inner, record: &Record) {
    let Some(principal) = record.principal() else { return };
    // A keyed session may have been begun again meanwhile; its entry is left to whoever reads.
    if record.hash_algorithm() == HashAlgorithm::Keyed {
        return;
    }
    let index = inner.keys.principal(record.key().namespace, principal);
    let mut remove = redis::cmd("ZREM");
    remove.arg(&index[..]).arg(record.key().locator.as_bytes());
    let _ = inner.link.ask(FORGET, &Command { slot: slot_of(&index), cmd: remove }).await;
}

/// Takes wrong entries out of an index, unless they are so young that their commit may be under way.
async fn heal(inner: &Inner, index: &[u8], wrong: &[Locator], now: Timestamp) {
    let before = text(now.as_millis().saturating_sub(SETTLED.as_millis() as u64));
    let arguments: Vec<&[u8]> =
        std::iter::once(&before[..]).chain(wrong.iter().map(|locator| &locator.as_bytes()[..])).collect();
    let heal = Command { slot: slot_of(index), cmd: script::HEAL.call(&[index], &arguments) };
    // The next reader tries again.
    let _ = inner.link.ask(FORGET, &heal).await;
}

/// The key of an entry in a sorted set of locators.
pub(super) fn key_of(namespace: Namespace, entry: Value) -> Option<Key> {
    let locator = bytes(LIST, entry).ok()??.try_into().ok()?;
    Some(Key { namespace, locator: Locator::from_bytes(locator) })
}
