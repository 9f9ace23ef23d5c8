//! Pages and counts, shard by shard.

use std::collections::BTreeSet;
use std::sync::Arc;

use redis::Value;

use super::error::{Task, bytes, list, number, odd};
use super::keys::SHARDS;
use super::link::Command;
use super::principals::key_of;
use super::records::{score, text};
use super::{Inner, script};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::store::{Page, StoreFuture};

const PAGE: Task = Task::reads("listing sessions");
const NAMESPACES: Task = Task::reads("listing the namespaces of a store");
const COUNT: Task = Task::reads("counting sessions");

/// Records to load at once.
const AT_ONCE: usize = 128;

/// Entries that a script looks at in one go: some half a millisecond of the server's time.
const LOOK: usize = 512;

impl Inner {
    pub(super) fn page(
        self: &Arc<Self>,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> StoreFuture<Page> {
        let inner = Arc::clone(self);
        self.network.call(PAGE.what, PAGE.effect, async move {
            let mut page = Page::default();
            let first = after.map_or(0, |after| usize::from(after.as_bytes()[0]));
            let mut shards = inner.filled(namespace, first).await?.into_iter().peekable();
            while shards.peek().is_some() {
                // As many shards as hold a page; what is dead there makes another round.
                let (mut some, mut entries) = (Vec::new(), 0);
                while let Some((shard, size)) = shards.next_if(|_| entries < limit) {
                    some.push(shard);
                    entries = entries.saturating_add(size);
                }
                let keys = inner.keys_behind(namespace, &some, after).await?;
                for keys in keys.chunks(AT_ONCE) {
                    let records = inner.load_all(PAGE, keys, now).await?;
                    page.records.extend(records.into_iter().flatten());
                    if page.records.len() >= limit {
                        page.records.truncate(limit);
                        page.next = page.records.last().map(|record| record.key().locator);
                        return Ok(page);
                    }
                }
            }
            Ok(page)
        })
    }

    pub(super) fn count(self: &Arc<Self>, namespace: Namespace, now: Timestamp) -> StoreFuture<u64> {
        let inner = Arc::clone(self);
        self.network.call(COUNT.what, COUNT.effect, async move {
            let (mut total, mut looked) = (0, 0);
            let mut shards: Vec<usize> = (0..SHARDS).collect();
            while !shards.is_empty() {
                let commands = shards.iter().map(|shard| inner.count_shard(*shard, namespace, now, looked));
                let answers = inner.link.ask_all(COUNT, commands.collect()).await?;
                let mut more = Vec::new();
                for (shard, answer) in shards.into_iter().zip(answers) {
                    let answer = list(COUNT, answer)?;
                    let [filed, due, seen] = &answer[..] else { return Err(odd(COUNT)) };
                    // By its deadline each is counted once, whatever rounds the due ones take.
                    total += number(COUNT, due)? + if looked == 0 { number(COUNT, filed)? } else { 0 };
                    more.extend((number(COUNT, seen)? == LOOK as u64).then_some(shard));
                }
                (shards, looked) = (more, looked + LOOK);
            }
            Ok(total)
        })
    }

    pub(super) fn namespaces(self: &Arc<Self>) -> StoreFuture<Vec<Namespace>> {
        let inner = Arc::clone(self);
        self.network.call(NAMESPACES.what, NAMESPACES.effect, async move {
            let commands = (0..SHARDS).map(|shard| {
                let mut members = redis::cmd("SMEMBERS");
                members.arg(inner.keys.namespaces(shard));
                Command { slot: inner.keys.slot(shard), cmd: members }
            });
            let mut namespaces = BTreeSet::new();
            for answer in inner.link.ask_all(NAMESPACES, commands.collect()).await? {
                for member in list(NAMESPACES, answer)? {
                    let member = bytes(NAMESPACES, member)?.and_then(|member| member.try_into().ok());
                    namespaces.insert(Namespace::from_bytes(member.ok_or_else(|| odd(NAMESPACES))?));
                }
            }
            Ok(namespaces.into_iter().collect())
        })
    }

    fn count_shard(&self, shard: usize, namespace: Namespace, now: Timestamp, looked: usize) -> Command {
        let (looked, look) = (text(looked as u64), text(LOOK as u64));
        let (deadlines, records) =
            (self.keys.deadlines(shard, namespace), self.keys.records(shard, namespace));
        let cmd = script::COUNT.call(&[&deadlines], &[&score(now), &looked, &look, &records]);
        Command { slot: self.keys.slot(shard), cmd }
    }

    /// The shards from `first` on that hold anything, and how much.
    async fn filled(&self, namespace: Namespace, first: usize) -> Result<Vec<(usize, usize)>, StoreError> {
        let commands = (first..SHARDS).map(|shard| {
            let mut size = redis::cmd("ZCARD");
            size.arg(self.keys.deadlines(shard, namespace));
            Command { slot: self.keys.slot(shard), cmd: size }
        });
        let sizes = self.link.ask_all(PAGE, commands.collect()).await?;
        let sizes = sizes.iter().map(|size| number(PAGE, size).map(|size| size as usize));
        let sizes = (first..SHARDS).zip(sizes).map(|(shard, size)| size.map(|size| (shard, size)));
        sizes.filter(|size| !matches!(size, Ok((_, 0)))).collect()
    }

    /// The keys filed in these shards, behind `after`, in order.
    async fn keys_behind(
        &self,
        namespace: Namespace,
        shards: &[usize],
        after: Option<Locator>,
    ) -> Result<Vec<Key>, StoreError> {
        let commands = shards.iter().map(|shard| {
            let mut range = redis::cmd("ZRANGE");
            range.arg(self.keys.deadlines(*shard, namespace)).arg(0).arg(-1);
            Command { slot: self.keys.slot(*shard), cmd: range }
        });
        let mut keys = Vec::new();
        for answer in self.link.ask_all(PAGE, commands.collect()).await? {
            let entries: Vec<Value> = list(PAGE, answer)?;
            keys.extend(entries.into_iter().filter_map(|entry| key_of(namespace, entry)));
        }
        keys.retain(|key| Some(key.locator) > after);
        keys.sort_unstable();
        Ok(keys)
    }
}
