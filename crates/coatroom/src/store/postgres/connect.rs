//! Making connections, and seeing what is at the other end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Error, NoTls, Socket};

use super::connection::Connection;
use super::tls::Encryption;
use super::url::Prepared;
use crate::store::network::Driver;

/// Makes connections, all alike.
#[derive(Debug)]
pub(super) struct Connector {
    config: Config,
    encryption: Encryption,
    timeout: Duration,
    prepared: Prepared,
    /// A pooler was met, which says that it takes no options.
    takes_options: AtomicBool,
    met_pooler: AtomicBool,
}

/// Why there is no connection.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// The store was closed.
    Closed,
    Failed(Arc<Error>),
    /// The server takes no writes.
    ReadOnly,
    /// Nobody answered in time.
    TimedOut,
}

impl Refusal {
    /// SQLSTATE, where the server sent one.
    pub(super) fn code(&self) -> Option<&str> {
        let Self::Failed(error) = self else { return None };
        error.code().map(SqlState::code)
    }

    /// Whether others have all connections, so that the next one may be to be had at any moment.
    pub(super) fn is_for_want_of_places(&self) -> bool {
        self.code() == Some("53300")
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(Arc::new(error))
    }
}

/// What a server says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Greeting {
    /// Such as 150018.
    pub(super) version: i32,
    is_replica: bool,
    is_direct: bool,
}

const GREETING: &str = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4, \
     pg_catalog.pg_is_in_recovery(), \
     coalesce(pg_catalog.current_setting('coatroom.connection', true) = $1, false)";

impl Connector {
    pub(super) fn new(config: Config, encryption: Encryption, timeout: Duration, prepared: Prepared) -> Self {
        let takes_options = AtomicBool::new(prepared == Prepared::Auto);
        Self { config, encryption, timeout, prepared, takes_options, met_pooler: AtomicBool::new(false) }
    }

    /// A new connection to a server that takes writes.
    pub(super) async fn connect(&self, driver: &Driver) -> Result<Connection, Refusal> {
        self.greet(driver).await.map(|(connection, _)| connection)
    }

    /// The same, and what the server says of itself.
    pub(super) async fn greet(&self, driver: &Driver) -> Result<(Connection, Greeting), Refusal> {
        let greeted = tokio::time::timeout(self.timeout, self.try_greet(driver)).await;
        let (connection, greeting) = greeted.map_err(|_| Refusal::TimedOut)??;
        if greeting.is_replica { Err(Refusal::ReadOnly) } else { Ok((connection, greeting)) }
    }

    /// Asks the server to give up what it does for this connection. Nobody tells whether it has.
    pub(super) async fn cancel(&self, connection: &Connection) {
        let token = connection.client().cancel_token();
        let cancelled = async {
            match &self.encryption {
                Encryption::None => token.cancel_query(NoTls).await,
                Encryption::Tls(tls) => token.cancel_query(tls.clone()).await,
            }
        };
        if let Ok(Err(error)) = tokio::time::timeout(self.timeout, cancelled).await {
            tracing::debug!(target: "coatroom", %error, "a statement that took too long was not cancelled");
        }
    }

    /// With prepared statements left to be decided, each connection carries a random option. The
    /// server of a direct connection shows it. A pooler refuses it, or swallows it, or shows that
    /// of another connection; behind it, a name given to a statement may be another's by the time
    /// it is used, so none is given.
    async fn try_greet(&self, driver: &Driver) -> Result<(Connection, Greeting), Refusal> {
        let mark = format!("{:016x}", fastrand::u64(..));
        if self.takes_options.load(Ordering::Relaxed) {
            let mut config = self.config.clone();
            let others = self.config.get_options().unwrap_or_default();
            config.options(format!("{others} -c coatroom.connection={mark}").trim_start());
            match self.reach(&config, driver, &mark).await {
                // protocol_violation, feature_not_supported, undefined_object
                Err(Refusal::Failed(error)) if is_any(&error, &["08P01", "0A000", "42704"]) => {
                    self.takes_options.store(false, Ordering::Relaxed);
                }
                reached => return reached,
            }
        }
        self.reach(&self.config, driver, &mark).await
    }

    async fn reach(
        &self,
        config: &Config,
        driver: &Driver,
        mark: &str,
    ) -> Result<(Connection, Greeting), Refusal> {
        let (client, socket) = match &self.encryption {
            Encryption::None => dial(config, NoTls, driver).await?,
            Encryption::Tls(tls) => dial(config, tls.clone(), driver).await?,
        };
        let row = client.query_typed(GREETING, &[(&mark, Type::TEXT)]).await?;
        let row = row.first().ok_or(Refusal::ReadOnly)?;
        let greeting =
            Greeting { version: row.try_get(0)?, is_replica: row.try_get(1)?, is_direct: row.try_get(2)? };
        let may_prepare = match self.prepared {
            Prepared::Auto => greeting.is_direct,
            Prepared::On => true,
            Prepared::Off => false,
        };
        if self.prepared == Prepared::Auto && !greeting.is_direct {
            self.tell_of_pooler();
        }
        Ok((Connection::new(client, socket, may_prepare), greeting))
    }

    fn tell_of_pooler(&self) {
        if !self.met_pooler.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "coatroom",
                "the session store's database is behind a connection pooler, so statements are not prepared; say prepared_statements=off in the URL to begin so, or prepared_statements=on where the pooler keeps them (PgBouncer from 1.21, with max_prepared_statements)"
            );
        }
    }
}

async fn dial<T>(
    config: &Config,
    tls: T,
    driver: &Driver,
) -> Result<(Client, tokio::task::AbortHandle), Error>
where
    T: MakeTlsConnect<Socket> + Send,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as tokio_postgres::tls::TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await?;
    // Whatever ends it is told to who asked on it.
    let socket = driver.spawn(async move { drop(connection.await) });
    Ok((client, socket))
}

fn is_any(error: &Error, codes: &[&str]) -> bool {
    error.code().is_some_and(|code| codes.contains(&code.code()))
}
