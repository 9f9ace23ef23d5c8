//! Taking out what has expired.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use redis::{Cmd, Value};

use super::error::{Task, list, number, odd};
use super::keys::{Keys, SHARDS};
use super::link::Command;
use super::records::{score, text};
use super::{Inner, script};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::Record;
use crate::store::network::read_value;
use crate::store::{Claim, StoreFuture};

const CLAIM: Task = Task::writes("claiming expired sessions");
const DUE: Task = Task::reads("looking for expired sessions");
const SETTLE: Task = Task::writes("deleting expired sessions");

/// Records to settle at once.
const AT_ONCE: usize = 256;

impl Inner {
    /// Two round trips: where something is due, and claiming it. Begins one shard further each time, so
    /// that none waits for the others to be done.
    pub(super) fn claim_expired(
        self: &Arc<Self>,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Claim> {
        let inner = Arc::clone(self);
        self.network.call(CLAIM.what, CLAIM.effect, async move {
            let due = inner.due(namespace, now).await?;
            let (mut left, mut commands) = (limit as u64, Vec::new());
            let first = inner.cursor.fetch_add(1, Ordering::Relaxed);
            for shard in (0..SHARDS).map(|shard| (first + shard) % SHARDS) {
                let share = due[shard].min(left);
                if share > 0 {
                    left -= share;
                    commands.push(inner.claim_shard(shard, namespace, now, lease_until, share));
                }
            }
            let more = due.iter().sum::<u64>() > limit as u64;
            let mut records = Vec::new();
            for answer in inner.link.ask_all(CLAIM, commands).await? {
                read_claimed(namespace, answer, &mut records)?;
            }
            Ok(Claim { records, more })
        })
    }

    pub(super) fn settle(self: &Arc<Self>, claimed: Vec<Record>) -> StoreFuture<()> {
        let inner = Arc::clone(self);
        self.network.call(SETTLE.what, SETTLE.effect, async move {
            for records in claimed.chunks(AT_ONCE) {
                let commands = records.iter().map(|record| inner.settlement(record)).collect();
                let answers = inner.link.ask_all(SETTLE, commands).await?;
                if !inner.link.is_cluster() {
                    continue;
                }
                let settled = records.iter().zip(answers).filter(|(_, answer)| *answer == Value::Int(1));
                let forgotten = settled.map(|(record, _)| super::principals::forget(&inner, record));
                futures_util::future::join_all(forgotten).await;
            }
            Ok(())
        })
    }

    /// How many entries are due in each shard: deadlines, and leases that are over.
    async fn due(&self, namespace: Namespace, now: Timestamp) -> Result<Vec<u64>, StoreError> {
        let now = score(now);
        let commands = (0..SHARDS).flat_map(|shard| {
            [self.keys.deadlines(shard, namespace), self.keys.claims(shard, namespace)].map(|key| {
                let mut count = Cmd::with_capacity(4, key.len() + 32);
                count.arg("ZCOUNT").arg(key).arg("-inf").arg(&now[..]);
                Command { slot: self.keys.slot(shard), cmd: count }
            })
        });
        let answers = self.link.ask_all(DUE, commands.collect()).await?;
        let numbers: Vec<_> = answers.iter().map(|answer| number(DUE, answer)).collect::<Result<_, _>>()?;
        Ok(numbers.chunks(2).map(|pair| pair.iter().sum()).collect())
    }

    fn claim_shard(
        &self,
        shard: usize,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u64,
    ) -> Command {
        let keys = [self.keys.deadlines(shard, namespace), self.keys.claims(shard, namespace)];
        let (now, until, limit) = (score(now), score(lease_until), text(limit));
        let records = self.keys.records(shard, namespace);
        let cmd = script::CLAIM.call(&[&keys[0], &keys[1]], &[&now, &until, &limit, &records]);
        Command { slot: self.keys.slot(shard), cmd }
    }

    fn settlement(&self, record: &Record) -> Command {
        let key = record.key();
        let shard = Keys::shard_of(key);
        let (name, deadlines, claims) = (
            self.keys.record(key),
            self.keys.deadlines(shard, key.namespace),
            self.keys.claims(shard, key.namespace),
        );
        let principal = record.principal().map(|name| self.keys.principal(key.namespace, name));
        let mut keys = vec![&name[..], &deadlines, &claims];
        keys.extend(principal.as_deref().filter(|_| !self.link.is_cluster()));
        let settle = script::SETTLE.call(&keys, &[key.locator.as_bytes(), &record.revision().to_le_bytes()]);
        self.of_record(key, settle)
    }
}

/// Locators and values in turn. One that is damaged stays leased, and goes when its key does.
fn read_claimed(namespace: Namespace, answer: Value, records: &mut Vec<Record>) -> Result<(), StoreError> {
    let mut answer = list(CLAIM, answer)?.into_iter();
    while let Some(locator) = answer.next() {
        let (Value::BulkString(locator), Some(Value::BulkString(value))) = (locator, answer.next()) else {
            return Err(odd(CLAIM));
        };
        let locator = Locator::from_bytes(locator.try_into().map_err(|_| odd(CLAIM))?);
        match read_value(Key { namespace, locator }, &value) {
            Ok(record) => records.push(record),
            Err(error) => tracing::warn!(target: "coatroom", %error, "an expired session cannot be reported"),
        }
    }
    Ok(())
}
