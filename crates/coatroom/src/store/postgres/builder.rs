//! Opening the store.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::connect::Connector;
use super::connection::Connection;
use super::migrate;
use super::opening;
use super::pool::Pool;
use super::statement::{Schema, Texts};
use super::tls::Encryption;
use super::url::{PostgresUrl, Prepared};
use super::{Inner, PostgresStore, clock};
use crate::store::network::{ConnectError, Driver, Gate, Network, ServerClock};

/// Options of a [`PostgresStore`], those of its URL to begin with.
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresStoreBuilder {
    url: PostgresUrl,
    /// What `schema` was given and is not a name.
    wrong_schema: bool,
}

impl PostgresStoreBuilder {
    pub(super) fn new(url: PostgresUrl) -> Self {
        Self { url, wrong_schema: false }
    }

    /// The schema of the tables: a letter or `_`, then letters, digits and `_`, all lower case, at
    /// most 63. Default `coatroom`. Made where it is not there.
    pub fn schema(mut self, name: &str) -> Self {
        match Schema::parse(name) {
            Some(schema) => self.url.schema = schema,
            None => self.wrong_schema = true,
        }
        self
    }

    /// How long one call may take in all: waiting for a connection, and for the answer. Default 2 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.url.timeout = timeout;
        self
    }

    /// How long opening the store may take, and making each new connection. Default 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.url.connect_timeout = timeout;
        self
    }

    /// The most connections, at least 1. Default 16.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.url.pool_size = connections.max(1);
        self
    }

    /// How many calls may wait for a connection; one more fails at once. Default 4,096.
    pub fn max_waiting(mut self, calls: usize) -> Self {
        self.url.max_waiting = calls;
        self
    }

    /// Prepares statements, or sends them whole each time. Default: prepares them unless a connection
    /// pooler is met on the way.
    pub fn prepared_statements(mut self, prepared: bool) -> Self {
        self.url.prepared = if prepared { Prepared::On } else { Prepared::Off };
        self
    }

    /// Connects and brings the schema up to date.
    ///
    /// The connections live in the tokio runtime that this is called in, which must have its I/O and
    /// time drivers enabled and outlive the store; outside of any, in a thread of the store's own.
    ///
    /// # Errors
    ///
    /// See [`PostgresStore::connect`].
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the schema as it was or up to date.
    pub async fn connect(self) -> Result<PostgresStore, ConnectError> {
        match Driver::current() {
            Some(driver) => self.connect_in(driver).await,
            None => self.connect_on_a_thread().await,
        }
    }

    /// Connects as [`connect`](Self::connect) does, on a thread of the store's own, and blocks until
    /// that is done. For programs without an async runtime.
    ///
    /// # Errors
    ///
    /// See [`PostgresStore::connect`].
    pub fn open(self) -> Result<PostgresStore, ConnectError> {
        pollster::block_on(self.connect_on_a_thread())
    }

    fn connect_on_a_thread(self) -> impl Future<Output = Result<PostgresStore, ConnectError>> {
        let server = self.url.server();
        async move {
            let driver = Driver::own("coatroom-postgres").map_err(ConnectError::Thread)?;
            let (answer, opened) = oneshot::channel();
            let there = driver.clone();
            driver.spawn(async move {
                // Nobody waits any more where this cannot be sent; the store is then dropped.
                let _ = answer.send(self.connect_in(there).await);
            });
            opened.await.unwrap_or(Err(ConnectError::Unreachable { server, source: None }))
        }
    }

    async fn connect_in(self, driver: Driver) -> Result<PostgresStore, ConnectError> {
        let url = &self.url;
        if self.wrong_schema {
            return Err(opening::unsuitable(
                url,
                "its schema is to be a letter or _, then letters, digits and _, all lower case, at most 63",
            ));
        }
        let encryption = Encryption::new(url.ssl_mode, url.root_certificates.as_deref())
            .map_err(|error| opening::no_certificates(url, error))?;
        let connector = Connector::new(url.config.clone(), encryption, url.connect_timeout, url.prepared);
        let (mut connection, greeting) =
            connector.greet(&driver).await.map_err(|refusal| opening::refused(url, refusal))?;
        opening::check_version(url, greeting.version)?;
        let migrated = migrate::migrate(connection.client_mut(), &url.schema);
        match tokio::time::timeout(url.connect_timeout, migrated).await {
            Ok(Ok(version)) => opening::check_format(url, version)?,
            Ok(Err(error)) => return Err(opening::migration_failed(url, error)),
            Err(_) => return Err(opening::migration_took_too_long(url)),
        }
        self.build(driver, connector, connection).await
    }

    async fn build(
        self,
        driver: Driver,
        connector: Connector,
        first: Connection,
    ) -> Result<PostgresStore, ConnectError> {
        let url = self.url;
        let texts = Texts::new(&url.schema);
        let pool = Arc::new(Pool::new(connector, driver.clone(), texts, url.pool_size, url.timeout));
        pool.give_back(first);
        let network = Network::new(driver, Gate::new(url.pool_size, url.max_waiting), url.timeout);
        let inner = Arc::new(Inner { network, pool, clock: ServerClock::default(), url });
        clock::read(&inner).await.map_err(|error| opening::unusable(&inner.url, error))?;
        clock::keep(&inner);
        Ok(PostgresStore { inner })
    }
}
