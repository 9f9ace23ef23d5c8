//! What happens to one record.

use std::io::Write;
use std::sync::Arc;

use redis::{Cmd, RedisWrite, Value};

use super::error::{Task, bytes, odd};
use super::keys::Keys;
use super::link::Command;
use super::{GRACE, Inner, principals, script};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::Key;
use crate::record::{Activity, Record};
use crate::store::network::{VALUE_HEADER, read_value, value_header, write_value};
use crate::store::{Commit, Creation, Departed, Departure, StoreFuture};

const LOAD: Task = Task::reads("loading a session");
const CREATE: Task = Task::writes("creating a session");
const COMMIT: Task = Task::writes("committing a session");
const TOUCH: Task = Task::writes("extending a session");
const REMOVE: Task = Task::writes("ending a session");

/// From how many bytes on a value goes to the server in a key of its own: below, one command is cheaper.
const LARGE: usize = 16 * 1024;

/// How long such a key lives that never became a record, in milliseconds.
const LARGE_LIVES: u64 = 60_000;

/// Where the value of a commit is.
enum Placed<'a> {
    Here(&'a [u8]),
    At(&'a [u8]),
}

impl Inner {
    pub(super) fn load(self: &Arc<Self>, key: Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        let inner = Arc::clone(self);
        self.network.call(LOAD.what, LOAD.effect, async move {
            let name = inner.keys.record(&key);
            let mut get = Cmd::with_capacity(2, name.len() + 3);
            get.arg("GET").arg(&name[..]);
            let answer = inner.link.ask(LOAD, &inner.of_record(&key, get)).await?;
            live(LOAD, key, answer, now)
        })
    }

    pub(super) fn create(self: &Arc<Self>, record: Record, now: Timestamp) -> StoreFuture<Creation> {
        let inner = Arc::clone(self);
        self.network.call(CREATE.what, CREATE.effect, async move {
            let (key, expires_at) = (*record.key(), record.expires_at());
            let principal = inner.entry(&record, now);
            if let Some(entry) = principal.as_ref().filter(|_| inner.link.is_cluster()) {
                inner.link.ask(CREATE, &entry.write()).await?;
            }
            let here = principal.as_ref().filter(|_| !inner.link.is_cluster());
            let answer = inner.link.ask(CREATE, &inner.creation(&record, expires_at, now, here)).await?;
            match answer {
                Value::Int(0) => Ok(Creation::Exists),
                Value::Int(_) => Ok(Creation::Created(Vec::new())),
                // What is damaged cannot be reported, and has made room.
                Value::BulkString(value) => Ok(Creation::Created(
                    read_value(key, &value)
                        .map(|record| Departed { record, reason: Departure::Expired })
                        .into_iter()
                        .collect(),
                )),
                _ => Err(odd(CREATE)),
            }
        })
    }

    pub(super) fn commit(
        self: &Arc<Self>,
        expected: u64,
        record: Record,
        now: Timestamp,
    ) -> StoreFuture<Commit> {
        let inner = Arc::clone(self);
        self.network.call(COMMIT.what, COMMIT.effect, async move {
            let entry = inner.entry(&record, now);
            let first = if inner.link.is_cluster() { b"first" } else { &b"here"[..] };
            let mut answer = inner.ask_commit(expected, &record, now, entry.as_ref(), first).await?;
            if let (Value::Int(2), Some(entry)) = (&answer, &entry) {
                inner.link.ask(COMMIT, &entry.write()).await?;
                answer = inner.ask_commit(expected, &record, now, Some(entry), b"done").await?;
            }
            match answer {
                Value::Int(_) => Ok(Commit::Landed(Vec::new())),
                Value::Nil => Ok(Commit::Gone),
                Value::BulkString(value) => read_value(*record.key(), &value).map(Commit::Conflict),
                _ => Err(odd(COMMIT)),
            }
        })
    }

    pub(super) fn touch(self: &Arc<Self>, key: Key, activity: Activity) -> StoreFuture<()> {
        let inner = Arc::clone(self);
        self.network.call(TOUCH.what, TOUCH.effect, async move {
            let arguments: [&[u8]; 2] =
                [&activity.to_bits().to_le_bytes(), &text(activity.last_accessed.as_millis())];
            let touch = script::TOUCH.call(&[&inner.keys.record(&key)], &arguments);
            inner.link.ask(TOUCH, &inner.of_record(&key, touch)).await.map(drop)
        })
    }

    pub(super) fn remove(self: &Arc<Self>, key: Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        let inner = Arc::clone(self);
        self.network.call(REMOVE.what, REMOVE.effect, async move {
            let (now, principals) = (text(now.as_millis()), inner.keys.principals(key.namespace));
            let keys = [inner.keys.record(&key), inner.keys.deadlines(Keys::shard_of(&key), key.namespace)];
            let keys = [&keys[0][..], &keys[1][..]];
            let arguments = [&now[..], key.locator.as_bytes(), &principals];
            let arguments = if inner.link.is_cluster() { &arguments[..2] } else { &arguments[..] };
            let remove = inner.of_record(&key, script::REMOVE.call(&keys, arguments));
            let Some(value) = bytes(REMOVE, inner.link.ask(REMOVE, &remove).await?)? else { return Ok(None) };
            let record = read_value(key, &value)?;
            if inner.link.is_cluster() {
                principals::forget(&inner, &record).await;
            }
            Ok(Some(record))
        })
    }

    /// A command on keys of the record's shard.
    pub(super) fn of_record(&self, key: &Key, cmd: Cmd) -> Command {
        Command { slot: self.keys.slot(Keys::shard_of(key)), cmd }
    }

    fn creation(
        &self,
        record: &Record,
        expires_at: Timestamp,
        now: Timestamp,
        principal: Option<&principals::Entry>,
    ) -> Command {
        let key = record.key();
        let shard = Keys::shard_of(key);
        let (name, value) = (self.keys.record(key), write_value(record));
        let (deadlines, claims) =
            (self.keys.deadlines(shard, key.namespace), self.keys.claims(shard, key.namespace));
        let (at, lives, filed) = (text(now.as_millis()), ttl(expires_at, now), score(expires_at));
        let namespaces = self.keys.namespaces(shard);
        let mut keys = vec![&name[..], &deadlines, &claims, &namespaces];
        let mut arguments =
            vec![&value[..], &at, &filed, &lives, key.locator.as_bytes(), key.namespace.as_bytes()];
        if let Some(entry) = principal {
            keys.push(&entry.index);
            arguments.push(&entry.lives);
        }
        self.of_record(key, script::CREATE.call(&keys, &arguments))
    }

    /// A large value goes ahead to a key of its own, in the same round trip, and takes the record's
    /// place there.
    async fn ask_commit(
        &self,
        expected: u64,
        record: &Record,
        now: Timestamp,
        entry: Option<&principals::Entry>,
        principal: &[u8],
    ) -> Result<Value, StoreError> {
        if VALUE_HEADER + record.bytes().len() > LARGE {
            let place = self.keys.large(record.key());
            let placed = Placed::At(&place);
            let commitment = self.commitment(expected, record, placed, now, entry, principal);
            let both = vec![self.of_record(record.key(), put(&place, record)), commitment];
            match self.link.ask_all(COMMIT, both).await?.pop() {
                // It went elsewhere, as while a Cluster moves the slot.
                Some(Value::Int(3)) | None => {}
                Some(answer) => return Ok(answer),
            }
        }
        let value = write_value(record);
        let commitment = self.commitment(expected, record, Placed::Here(&value), now, entry, principal);
        self.link.ask(COMMIT, &commitment).await
    }

    /// `principal` says what to do where the index does not hold the record yet.
    fn commitment(
        &self,
        expected: u64,
        record: &Record,
        value: Placed<'_>,
        now: Timestamp,
        entry: Option<&principals::Entry>,
        principal: &[u8],
    ) -> Command {
        let (key, expires_at) = (record.key(), record.expires_at());
        let name = self.keys.record(key);
        let (value, large) = match value {
            Placed::Here(value) => (value, None),
            Placed::At(place) => (&[][..], Some(place)),
        };
        let deadlines = self.keys.deadlines(Keys::shard_of(key), key.namespace);
        let (at, until, lives) = (text(now.as_millis()), text(expires_at.as_millis()), ttl(expires_at, now));
        let expected = expected.to_le_bytes();
        let mut keys = vec![&name[..], &deadlines];
        let mut arguments = vec![value, &expected, &at, &until, &lives, key.locator.as_bytes()];
        let head = text(extensions_end(record.bytes()) as u64 + VALUE_HEADER as u64 - 1);
        if let Some(entry) = entry {
            arguments.extend([&head[..], principal, &entry.lives]);
            if !self.link.is_cluster() {
                keys.push(&entry.index);
            }
        }
        keys.extend(large);
        self.of_record(key, script::COMMIT.call(&keys, &arguments))
    }
}

/// Puts a large value into a key of its own. It is written right where it leaves from, since each copy of
/// so many bytes counts.
fn put(place: &[u8], record: &Record) -> Cmd {
    let mut put = Cmd::with_capacity(5, VALUE_HEADER + record.bytes().len() + place.len() + 16);
    put.arg("SET").arg(place);
    let mut value = put.writer_for_next_arg();
    // Into memory, where nothing fails.
    let _ = value.write_all(&value_header(record)).and_then(|()| value.write_all(record.bytes()));
    drop(value);
    put.arg("PX").arg(LARGE_LIVES);
    put
}

/// The record of an answer, if it is there and alive.
pub(super) fn live(
    task: Task,
    key: Key,
    answer: Value,
    now: Timestamp,
) -> Result<Option<Record>, StoreError> {
    let Some(value) = bytes(task, answer)? else { return Ok(None) };
    Ok(Some(read_value(key, &value)?).filter(|record| record.is_live(now)))
}

/// How long a key lives whose use ends at a point, in milliseconds; empty where it never does.
pub(super) fn ttl(until: Timestamp, now: Timestamp) -> Vec<u8> {
    let left = until.since(now);
    if left.as_millis() > 1 << 50 { Vec::new() } else { text((left + GRACE).as_millis() as u64) }
}

/// The score that a deadline is filed under.
pub(super) fn score(at: Timestamp) -> Vec<u8> {
    if at.as_millis() >= 1 << 53 { b"inf".to_vec() } else { text(at.as_millis()) }
}

pub(super) fn text(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// Where the extensions of a record's bytes end, behind header and renewal block.
fn extensions_end(bytes: &[u8]) -> usize {
    let renewal = if bytes[1] & 1 == 1 { 48 } else { 0 };
    88 + renewal + usize::from(u16::from_le_bytes([bytes[6], bytes[7]]))
}
