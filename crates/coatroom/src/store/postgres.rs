//! The PostgreSQL store: many machines, one database.

mod builder;
mod calls;
mod clock;
mod connect;
mod connection;
mod error;
mod examine;
mod migrate;
mod opening;
mod outage;
mod parameter;
mod pool;
mod statement;
mod tls;
mod url;

use std::fmt;
use std::sync::Arc;

pub use self::builder::PostgresStoreBuilder;
use self::calls::{Call, committed, counted, created, first_record, listed, paged};
use self::parameter::Parameter;
use self::pool::Pool;
use self::statement::Statement;
pub use self::url::{PostgresUrl, PostgresUrlError};
use super::network::{ConnectError, Effect, Network, ServerClock};
use super::{Claim, Commit, Creation, Page, Store, StoreFuture};
use crate::clock::Timestamp;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};

/// Keeps sessions in PostgreSQL: for many machines that share a database.
///
/// Each call is one round trip and one transaction: a load reads a row by its primary key, a commit
/// compares and sets in a function of the database, and a conflict brings the newest record in the
/// same answer. Nothing is kept in memory here, so what one machine did is true on all at the next
/// load.
///
/// ```no_run
/// use coatroom::SessionManager;
/// use coatroom::store::PostgresStore;
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "postgres://app:secret@db.example/app?sslmode=verify-full".parse()?;
/// let sessions = SessionManager::builder(PostgresStore::connect(&url).await?).build()?;
/// # drop(sessions);
/// # Ok(())
/// # }
/// ```
///
/// # Durability
///
/// An acknowledged create, commit, login or end is as durable as the server makes a transaction: with
/// its defaults (`fsync`, `synchronous_commit = on`) it survives a crash and a power cut, and with
/// synchronous replicas the loss of the server. A touch alone answers before it is on the disk
/// (`synchronous_commit = off`, for that transaction): a crash of the server within the next second
/// may lose it, and a session then ends up to one touch interval earlier, never later. Where a server
/// goes over to a replica that was not synchronous, what had not reached it is lost.
///
/// # Errors
///
/// A call takes at most the timeout (2 s) in all. Reads that lose their connection are repeated once
/// on a new one. A write that loses its answer is
/// [`StoreError::OutcomeUnknown`](crate::StoreError::OutcomeUnknown), never repeated here; the
/// session asks whether it landed. Deadlocks and serialization failures are repeated. The disk being
/// full is [`StoreError::Full`](crate::StoreError::Full), anything else
/// [`StoreError::Unavailable`](crate::StoreError::Unavailable), with SQLSTATE and remedy. The
/// connections are replaced as they are needed; a server that comes back needs nobody's help. While it
/// cannot be reached, one call tries every 100 ms and the others fail at once.
///
/// # What the database needs
///
/// PostgreSQL 12 or later. Opening the store makes schema `coatroom` with tables and functions; many
/// machines may do so at once. That takes a user who may `CREATE` in the database. One who may not is
/// served once an administrator has run [`PostgresUrl::setup_sql`]; it then needs `USAGE` on the
/// schema, `SELECT, INSERT, UPDATE, DELETE` on `records` and `epochs`, `SELECT` on `migrations`, and
/// `EXECUTE` on the functions, which everybody has by default.
///
/// Set `statement_timeout` for the user (`ALTER ROLE app SET statement_timeout = '5s'`), so that the
/// server, too, gives up what nobody waits for any more.
///
/// # Vacuum
///
/// Pages of `records` keep 30 % free (`fillfactor = 70`), and no index holds what a touch or a usual
/// commit changes, so that both are heap-only updates, which PostgreSQL cleans up by itself as it goes.
/// Created and ended sessions are left to autovacuum, whose defaults do; above a million sessions
/// let it come more often: `ALTER TABLE coatroom.records SET (autovacuum_vacuum_scale_factor = 0.02)`.
/// Records above about 2 KB lie beside the table in TOAST, uncompressed, and each commit rewrites them.
///
/// # PgBouncer and other poolers
///
/// Any mode works. In transaction mode a statement that was prepared may not be there the next time,
/// or another's may be in its place, so behind a pooler statements are sent whole, which costs the
/// server some parsing. The store finds out by itself (`prepared_statements=auto`): it sends a random
/// option with each connection and looks whether it has arrived; a pooler keeps it back. With PgBouncer
/// from 1.21 and `max_prepared_statements` say `prepared_statements=on`.
///
/// # Time
///
/// All times are given by the caller; the server's clock is read when the store is opened and every
/// 30 s, for [`Store::server_time`], by which managers on machines whose clocks differ agree. Listings
/// and sweeps pass over damaged records, and log them.
///
/// Clones are the same store.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    network: Network,
    pool: Arc<Pool>,
    clock: ServerClock,
    url: PostgresUrl,
}

impl PostgresStore {
    /// Connects, and makes the schema or brings it up to date.
    ///
    /// The connections live in the tokio runtime that this is called in, which must have its I/O and
    /// time drivers enabled and outlive the store; outside of any, in a thread of the store's own.
    /// The store can be used from any thread, in that runtime, in another, or in none.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: nobody answers, the user is refused, the database is not there, the server
    /// is a replica or too old, its certificate is not trusted, a newer version of the library has
    /// been there.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the schema as it was or up to date.
    pub async fn connect(url: &PostgresUrl) -> Result<Self, ConnectError> {
        Self::builder(url).connect().await
    }

    /// The same on a thread of the store's own, blocking: for programs without an async runtime.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn open(url: &PostgresUrl) -> Result<Self, ConnectError> {
        Self::builder(url).open()
    }

    /// A store with other options than those of the URL.
    pub fn builder(url: &PostgresUrl) -> PostgresStoreBuilder {
        PostgresStoreBuilder::new(url.clone())
    }

    /// Lets go of the connections, once what is under way is answered. Calls fail from now on, also
    /// those of clones, and those that still wait for a connection. A second call does nothing.
    pub fn close(&self) {
        self.inner.network.close();
        self.inner.pool.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pool.close();
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.inner.url)
    }
}

impl Store for PostgresStore {
    fn load(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        let key = *key;
        let call = Call::new("loading a session", Effect::Reads, Statement::Load).with_key(key);
        // Judged here, by the bytes themselves, which saves the database the work.
        self.call(call, move |rows| Ok(first_record(key, &rows)?.filter(|record| record.is_live(now))))
    }

    fn create(&self, record: Record, now: Timestamp) -> StoreFuture<Creation> {
        let key = *record.key();
        let call = Call::new("creating a session", Effect::Writes, Statement::Create)
            .with_key(key)
            .with(Parameter::now(now))
            .with_all(parameter::describe(&record))
            .with(Parameter::point(record.expires_at()))
            .with_data(record);
        self.call(call, move |rows| created(key, &rows))
    }

    fn commit(&self, expected: u64, record: Record, now: Timestamp) -> StoreFuture<Commit> {
        let key = *record.key();
        let call = Call::new("committing a session", Effect::Writes, Statement::Commit)
            .with_key(key)
            .with(Parameter::now(now))
            .with(Parameter::bits(expected))
            .with_all(parameter::describe(&record))
            .with_data(record);
        self.call(call, move |rows| committed(key, &rows))
    }

    fn touch(&self, key: &Key, activity: Activity) -> StoreFuture<()> {
        let call = Call::new("extending a session", Effect::Writes, Statement::Touch)
            .with_key(*key)
            .with(Parameter::last_accessed(activity.last_accessed))
            .with(Parameter::Flag(activity.confirmed));
        self.call(call, |_| Ok(()))
    }

    fn remove(&self, key: &Key, now: Timestamp) -> StoreFuture<Option<Record>> {
        let key = *key;
        let call = Call::new("ending a session", Effect::Writes, Statement::Remove)
            .with_key(key)
            .with(Parameter::now(now));
        self.call(call, move |rows| calls::removed(key, &rows))
    }

    fn page(
        &self,
        namespace: Namespace,
        after: Option<Locator>,
        limit: usize,
        now: Timestamp,
    ) -> StoreFuture<Page> {
        let Some(from) = calls::behind(after) else { return StoreFuture::ready(Page::default()) };
        let call = Call::new("listing sessions", Effect::Reads, Statement::Page)
            .with(Parameter::namespace(namespace))
            .with(Parameter::Locator(from))
            .with(Parameter::now(now))
            .with(Parameter::limit(limit.saturating_add(1)));
        self.call(call, move |rows| paged(namespace, &rows, limit))
    }

    fn count(&self, namespace: Namespace, now: Timestamp) -> StoreFuture<u64> {
        let call = Call::new("counting sessions", Effect::Reads, Statement::Count)
            .with(Parameter::namespace(namespace))
            .with(Parameter::now(now));
        self.call(call, |rows| counted(&rows))
    }

    fn namespaces(&self) -> StoreFuture<Vec<Namespace>> {
        let call = Call::new("listing namespaces", Effect::Reads, Statement::Namespaces);
        self.call(call, |rows| calls::namespaces(&rows))
    }

    fn of_principal(
        &self,
        namespace: Namespace,
        principal: &str,
        now: Timestamp,
    ) -> StoreFuture<Vec<Record>> {
        let call = Call::new("listing the sessions of a principal", Effect::Reads, Statement::OfPrincipal)
            .with(Parameter::namespace(namespace))
            .with(Parameter::principal(principal))
            .with(Parameter::now(now));
        self.call(call, move |rows| listed(namespace, &rows))
    }

    fn epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let call = Call::new("reading the epoch of a principal", Effect::Reads, Statement::Epoch)
            .with(Parameter::namespace(namespace))
            .with(Parameter::principal(principal));
        self.call(call, |rows| counted(&rows))
    }

    fn bump_epoch(&self, namespace: Namespace, principal: &str) -> StoreFuture<u64> {
        let call = Call::new("raising the epoch of a principal", Effect::Writes, Statement::BumpEpoch)
            .with(Parameter::namespace(namespace))
            .with(Parameter::principal(principal));
        self.call(call, |rows| counted(&rows))
    }

    fn claim_expired(
        &self,
        namespace: Namespace,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> StoreFuture<Claim> {
        let call = move |statement, limit| {
            Call::new("claiming expired sessions", Effect::Writes, statement)
                .with(Parameter::namespace(namespace))
                .with(Parameter::now(now))
                .with(Parameter::point(lease_until))
                .with(Parameter::limit(limit))
        };
        self.claim(namespace, call, limit)
    }

    fn settle(&self, claimed: Vec<Record>) -> StoreFuture<()> {
        let Some(keys) = calls::keys_of(&claimed) else { return StoreFuture::ready(()) };
        let call = Call::new("taking out expired sessions", Effect::Writes, Statement::Settle).with_all(keys);
        self.call(call, |_| Ok(()))
    }

    fn check(&self) -> StoreFuture<()> {
        let call = Call::new("checking the session store's database", Effect::Reads, Statement::Check);
        self.call(call, |_| Ok(()))
    }

    fn flush(&self) -> StoreFuture<()> {
        let call = Call::new("flushing the session store's database", Effect::Reads, Statement::Flush);
        self.call(call, |_| Ok(()))
    }

    fn server_time(&self) -> Option<Timestamp> {
        self.inner.clock.time()
    }
}

#[cfg(test)]
mod tests;
