use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::keys::Keys;
use super::options::{MAX_CALLS, MAX_CONNECTIONS, Options, is_prefix};
use super::{Inner, RedisStore, RedisUrl, connect, keep_reading_clock};
use crate::store::network::{ConnectError, Driver, Gate, Network, ServerClock};

/// The name of a store's own thread.
const THREAD: &str = "coatroom-redis";

/// A [`RedisStore`] to be opened.
///
/// Each option is one of the [`RedisUrl`]'s, with the same range and default; what is out of range is
/// taken to the nearest end of it.
#[derive(Clone, Debug)]
pub struct RedisStoreBuilder {
    url: RedisUrl,
    options: Options,
}

impl RedisStoreBuilder {
    pub(super) fn new(url: &RedisUrl) -> Self {
        Self { url: url.clone(), options: url.options.clone() }
    }

    /// How all keys begin, 1 to 64 characters and no braces; by default `coatroom`. Any other text is
    /// ignored.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        if is_prefix(prefix) {
            self.options.prefix = prefix.to_owned();
        }
        self
    }

    /// How long a call may take, waiting included; by default 2 s, at least 1 ms.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// How long making a connection may take; by default 5 s, at least 1 ms.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// Connections to each server, 1 to 64; by default 1, which costs least: calls that are under way
    /// at once leave and arrive together.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.options.connections = connections.clamp(1, MAX_CONNECTIONS);
        self
    }

    /// Calls under way at once; by default 1,024, at least 1.
    #[must_use]
    pub fn max_in_flight(mut self, calls: usize) -> Self {
        self.options.max_in_flight = calls.clamp(1, MAX_CALLS);
        self
    }

    /// Calls that wait for their turn while the most are under way; by default 4,096. One more fails at
    /// once.
    #[must_use]
    pub fn max_waiting(mut self, calls: usize) -> Self {
        self.options.max_waiting = calls.min(MAX_CALLS);
        self
    }

    /// A PEM file of the authorities to trust under TLS; by default those of the machine.
    #[must_use]
    pub fn authorities(mut self, path: impl AsRef<Path>) -> Self {
        self.options.authorities = Some(path.as_ref().to_owned());
        self
    }

    /// Opens the store. See [`RedisStore::connect`].
    ///
    /// # Errors
    ///
    /// Those of [`RedisStore::connect`].
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes what was opened.
    pub async fn connect(self) -> Result<RedisStore, ConnectError> {
        match Driver::current() {
            Some(driver) => self.connect_in(driver).await,
            None => {
                let driver = Driver::own(THREAD).map_err(ConnectError::Thread)?;
                self.connect_elsewhere(driver).await
            }
        }
    }

    /// Opens the store on a thread of its own. See [`RedisStore::open`].
    ///
    /// # Errors
    ///
    /// Those of [`RedisStore::connect`].
    pub fn open(self) -> Result<RedisStore, ConnectError> {
        let driver = Driver::own(THREAD).map_err(ConnectError::Thread)?;
        pollster::block_on(self.connect_elsewhere(driver))
    }

    async fn connect_elsewhere(self, driver: Driver) -> Result<RedisStore, ConnectError> {
        let (server, within) = (connect::server_of(&self.url), driver.clone());
        let ended = |_| ConnectError::Unreachable { server, source: None };
        driver.finish(self.connect_in(within)).await.map_err(ended)?
    }

    async fn connect_in(self, driver: Driver) -> Result<RedisStore, ConnectError> {
        let Self { url, options } = self;
        let link = connect::link(&url, &options, &driver).await?;
        let gate = Gate::new(options.max_in_flight, options.max_waiting);
        let inner = Arc::new(Inner {
            network: Network::new(driver, gate, options.timeout),
            link,
            keys: Keys::new(&options.prefix),
            clock: ServerClock::default(),
            cursor: AtomicUsize::new(0),
            server: connect::server_of(&url),
            clockwork: parking_lot::Mutex::new(None),
        });
        inner.read_clock().await.map_err(|error| ConnectError::Unsuitable {
            server: inner.server.clone(),
            what: "its clock cannot be read; let the user run TIME".to_owned(),
            source: Some(Box::new(error)),
        })?;
        let clockwork = inner.network.driver().spawn(keep_reading_clock(Arc::downgrade(&inner)));
        *inner.clockwork.lock() = Some(clockwork);
        Ok(RedisStore(inner))
    }
}
