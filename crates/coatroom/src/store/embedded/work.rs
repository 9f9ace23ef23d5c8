//! What each write does to the record under its key, once the record is at hand.
//!
//! All of it happens under the lock of the shard: judge, append to the journal, change the hot tier.
//! Where the journal refuses, nothing has changed.

use super::core::{Core, Work};
use super::db::keys;
use super::journal::{Entry, Kind, Position, Refusal};
use super::shard::Shard;
use crate::clock::Timestamp;
use crate::id::Key;
use crate::record::{Activity, Record};
use crate::store::{Commit, Creation, Departed, Departure, shards};

pub(super) fn load(now: Timestamp) -> impl Work<Option<Record>> {
    move |_, _, record| Ok((record.filter(|record| shards::is_live(record, now)), 0))
}

pub(super) fn create(record: Record, now: Timestamp) -> impl Work<Creation> {
    move |core, shard, current| {
        if current.as_ref().is_some_and(|current| shards::is_live(current, now)) {
            return Ok((Creation::Exists, 0));
        }
        let position = put(core, shard, current.as_ref(), &record, keys::slice_of(record.expires_at()))?;
        // One whose expiry is being reported is not reported again.
        let departed = current.filter(|dead| dead.shared_activity().claim());
        let departed = departed.map(|record| Departed { record, reason: Departure::Expired });
        Ok((Creation::Created(departed.into_iter().collect()), position))
    }
}

pub(super) fn commit(expected: u64, record: Record, now: Timestamp) -> impl Work<Commit> {
    move |core, shard, current| {
        let Some(current) = current.filter(|current| shards::is_live(current, now)) else {
            return Ok((Commit::Gone, 0));
        };
        if current.revision() != expected {
            return Ok((Commit::Conflict(current), 0));
        }
        record.touch(current.activity());
        // The record is filed no later than under its deadline so far; only a nearer one is news.
        let (filed, due) = (keys::slice_of(current.expires_at()), keys::slice_of(record.expires_at()));
        let sooner = due.filter(|due| filed.is_none_or(|filed| *due < filed));
        let position = put(core, shard, Some(&current), &record, sooner)?;
        Ok((Commit::Landed(Vec::new()), position))
    }
}

pub(super) fn touch(key: Key, activity: Activity) -> impl Work<()> {
    move |core, shard, current| {
        let live = current.filter(|current| shards::is_live(current, activity.last_accessed));
        let Some(current) = live else { return Ok(((), 0)) };
        let moved = current.activity().merge(activity);
        if moved != current.activity() {
            core.journal.append(&Entry::new(Kind::Touch, key, moved.to_bits(), &[]))?;
            current.touch(moved);
            shard.mark_dirty(&key);
        }
        // A touch that a power cut takes back ends the session a little early; nobody waits for it.
        Ok(((), 0))
    }
}

pub(super) fn remove(key: Key, now: Timestamp) -> impl Work<Option<Record>> {
    move |core, shard, current| match current.filter(|current| shards::is_live(current, now)) {
        Some(current) => take_out(core, shard, key, &current).map(|position| (Some(current), position)),
        None => Ok((None, 0)),
    }
}

/// Deletes the record if it is still the one of this revision.
pub(super) fn settle(key: Key, revision: u64) -> impl Work<()> {
    move |core, shard, current| match current.filter(|current| current.revision() == revision) {
        Some(current) => take_out(core, shard, key, &current).map(|position| ((), position)),
        None => Ok(((), 0)),
    }
}

fn put(
    core: &Core,
    shard: &mut Shard,
    before: Option<&Record>,
    record: &Record,
    slice: Option<u32>,
) -> Result<Position, Refusal> {
    let key = *record.key();
    let kind = if slice.is_some() { Kind::PutFiled } else { Kind::Put };
    let position =
        core.journal.append(&Entry::new(kind, key, record.activity().to_bits(), record.bytes()))?;
    if let Some(slice) = slice {
        shard.file(key, slice);
    }
    core.principals.changed(key, before.and_then(Record::principal), record.principal());
    shard.put(record.clone());
    Ok(position)
}

fn take_out(core: &Core, shard: &mut Shard, key: Key, record: &Record) -> Result<Position, Refusal> {
    let position = core.journal.append(&Entry::new(Kind::Remove, key, 0, &[]))?;
    core.principals.changed(key, record.principal(), None);
    shard.remove(&key);
    Ok(position)
}
