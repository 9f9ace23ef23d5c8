//! The Redis store: many machines, one Redis, Valkey or Cluster.

mod builder;
mod cluster;
mod connect;
mod dial;
mod error;
mod examine;
mod keys;
mod line;
mod link;
mod listing;
mod options;
mod principals;
mod records;
mod script;
mod sweep;
mod url;

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

pub use self::builder::RedisStoreBuilder;
use self::error::{Task, list, number, odd};
use self::keys::{Keys, slot_of};
use self::link::{Command, Link};
pub use self::url::{RedisUrl, RedisUrlError};
use super::network::{ConnectError, Network, READ_EVERY, ServerClock};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};
use crate::store::{Claim, Commit, Creation, Page, Store, StoreFuture};

/// How long the key of a record outlives it, so that its expiry is reported after a pause of all
/// sweepers.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

/// Keeps records in Redis, Valkey or a Cluster of either, for any number of machines.
///
/// Redis 6.2 and later and every Valkey will do. Each record is one key; what changes it is one script,
/// which the server runs in one go: a load is one round trip, and so are a create, a commit, a touch
/// and an end. All keys expire by themselves a day after their session, so that what sweepers never
/// see goes too; epochs of principals alone stay.
///
/// # What is kept, and what a failure costs
///
/// A commit that was acknowledged is in the memory of the server. What a crash of the server costs is
/// for its settings to say:
///
/// | setting | a crash costs |
/// |---|---|
/// | `appendonly yes`, `appendfsync always` | nothing that was acknowledged |
/// | `appendonly yes`, `appendfsync everysec`, the default of the log | up to the last second or two |
/// | `save` alone | all since the latest snapshot |
/// | neither | all sessions |
///
/// Replicas follow with a delay. Where one takes over, in a Cluster or by hand, what the lost primary
/// had acknowledged in the last moments and not sent on is gone: writes, and ended sessions may be back
/// until their deadline. `min-replicas-to-write` makes that shorter, and no setting of Redis makes it
/// impossible.
///
/// `maxmemory-policy` must be `noeviction`. Any other lets the server drop sessions and the indexes
/// they are found by, without a word. On a server that is full, creating and committing fail with
/// [`StoreError::Full`], and loading, touching, ending and sweeping go on.
///
/// # Time
///
/// Expiry is judged by the times that are passed in. [`Store::server_time`] is the time of the server,
/// read when the store is opened and every 30 s; in a Cluster all nodes read it from the primary of one
/// slot.
///
/// # Sweeping
///
/// Records are filed in 256 parts, and a sweep looks at each: one round trip where nothing is due, two
/// where something is. Where many processes share a store, each needs to sweep only now and then: with
/// `n` of them set [`sweep_every`](crate::SessionManagerBuilder::sweep_every) to about `n` seconds.
///
/// # Failure of the connection
///
/// One connection to each server, or as many as the options say, is shared by all calls. Where it
/// breaks a new one is made in the background, at once and then at growing intervals of 50 ms to 2 s,
/// each with some chance in it; once the first attempt has failed, calls fail at once with
/// [`StoreError::Unavailable`] until there is a connection again. A load on a connection that breaks is
/// asked once more on the next; what writes never is, and fails with [`StoreError::OutcomeUnknown`]
/// where it was sent and not answered. In a Cluster a command that was refused, because a slot moved or
/// a replica is taking over, is sent again until three quarters of its timeout are over.
///
/// # Cancellation
///
/// Every future may be dropped at any time. Where the command has left, the server does it all the
/// same, whole.
///
/// # Example
///
/// ```no_run
/// use coatroom::SessionManager;
/// use coatroom::store::RedisStore;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect(&"redis://sessions.internal/0".parse()?).await?;
/// let sessions = SessionManager::builder(store).build()?;
/// # drop(sessions);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    network: Network,
    link: Link,
    keys: Keys,
    clock: ServerClock,
    /// Where the next sweep begins.
    cursor: AtomicUsize,
    server: String,
    clockwork: parking_lot::Mutex<Option<AbortHandle>>,
}

impl RedisStore {
    /// Opens the store in the async runtime that this is called in, or on a thread of its own where
    /// there is none. Its connections live in that runtime, and so must the runtime for as long as the
    /// store is used.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], told apart: nobody answers, the password or what the user may do, the number
    /// of the database, TLS, or a server of another kind: too old, a replica, a node of a Cluster under
    /// a URL without one or the reverse.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes what was opened.
    pub async fn connect(url: &RedisUrl) -> Result<Self, ConnectError> {
        Self::builder(url).connect().await
    }

    /// Opens the store on a thread of its own, for programs without an async runtime. Blocks, so it is
    /// not for async code.
    ///
    /// # Errors
    ///
    /// Those of [`RedisStore::connect`].
    pub fn open(url: &RedisUrl) -> Result<Self, ConnectError> {
        Self::builder(url).open()
    }

    /// A store at `url`, to be opened with other options than the URL has.
    #[must_use]
    pub fn builder(url: &RedisUrl) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url)
    }

    /// Closes all connections, also where somebody still holds the store: calls fail from then on,
    /// those under way too. A second call does nothing.
    pub fn close(&self) {
        self.0.network.close();
        self.0.link.close();
        if let Some(clockwork) = self.0.clockwork.lock().take() {
            clockwork.abort();
        }
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("server", &self.0.server).finish_non_exhaustive()
    }
}

const TIME: Task = Task::reads("reading the clock of the Redis server");
const CHECK: Task = Task::reads("checking the session store");

impl Inner {
    /// By a script on one key, so that in a Cluster all nodes ask the same primary.
    async fn read_clock(&self) -> Result<(), StoreError> {
        let [key, _] = self.keys.nobodys();
        let command = Command { slot: slot_of(&key), cmd: script::TIME.call(&[&key], &[]) };
        let asked = Instant::now();
        let answer = list(TIME, self.link.ask(TIME, &command).await?)?;
        let [seconds, micros] = &answer[..] else { return Err(odd(TIME)) };
        let millis = number(TIME, seconds)? * 1_000 + number(TIME, micros)? / 1_000;
        self.clock.read(Timestamp::from_millis(millis), asked);
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(clockwork) = self.clockwork.get_mut().take() {
            clockwork.abort();
        }
    }
}

async fn keep_reading_clock(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(READ_EVERY).await;
        let Some(inner) = inner.upgrade() else { return };
        let read = inner.network.call(TIME.what, TIME.effect, {
            let inner = Arc::clone(&inner);
            async move { inner.read_clock().await }
        });
        if let Err(error) = read.await {
            tracing::warn!(target: "coatroom", %error, "the clock of the session store is carried on unread");
        }
    }
}

impl Store for RedisStore {
    fn load(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        self.0.load(*key, now)
    }

    fn create(&self, record: Record, now: Timestamp) -> StoreFuture<Creation> {
        self.0.create(record, now)
    }

    fn commit(&self, expected: u64, record: Record, now: Timestamp) -> StoreFuture<Commit> {
        self.0.commit(expected, record, now)
    }

    fn touch(&self, key: &Key, activity: Activity) -> StoreFuture<()> {
        self.0.touch(*key, activity)
    }

    fn remove(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        self.0.remove(*key, now)
    }

    fn page(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> StoreFuture<Page> {
        self.0.page(namespace, after, limit, now)
    }

    fn count(&self, namespace: Namespace, now: Timestamp) -> StoreFuture<u64> {
        self.0.count(namespace, now)
    }

    fn namespaces(&self) -> StoreFuture<Vec<Namespace>> {
        self.0.namespaces()
    }

    fn of_principal(
        &self,
        namespace: Namespace,
        principal: &str,
        now: Timestamp,
    ) -> StoreFuture<Vec<Record>> {
        self.0.of_principal(namespace, principal, now)
    }

    fn epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        self.0.epoch(namespace, principal)
    }

    fn bump_epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        self.0.bump_epoch(namespace, principal)
    }

    fn claim_expired(
        &self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Claim> {
        self.0.claim_expired(namespace, now, lease_until, limit)
    }

    fn settle(&self, claimed: Vec<Record>) -> StoreFuture<()> {
        self.0.settle(claimed)
    }

    /// Each server answers.
    fn check(&self) -> StoreFuture<()> {
        let inner = Arc::clone(&self.0);
        self.0.network.call(CHECK.what, CHECK.effect, async move {
            inner.link.tell_every_server(CHECK, vec![redis::cmd("PING")]).await
        })
    }

    /// At once: what was acknowledged is as durable as the server's settings make it.
    fn flush(&self) -> StoreFuture<()> {
        StoreFuture::ready(())
    }

    fn server_time(&self) -> Option<Timestamp> {
        self.0.clock.time()
    }
}
