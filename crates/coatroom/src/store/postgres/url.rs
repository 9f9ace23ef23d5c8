//! The URL of a database.

mod parse;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::statement::Schema;

/// Where a [`PostgresStore`](super::PostgresStore) keeps its records, and how it gets there.
///
/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE&...`, or `postgresql://`. What is
/// reserved in a URL is percent-encoded. Several hosts are separated by commas and tried in turn;
/// a socket's directory is given as `host=/run/postgresql` behind the `?`.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `schema` | where the tables are: a letter or `_`, then letters, digits, `_`, all lower case, at most 63 | `coatroom` |
/// | `timeout` | for one call in all: waiting for a connection, and the answer | `2s` |
/// | `connect_timeout` | for opening the store, and for each new connection | `5s` |
/// | `pool_size` | connections, 1 to 1,000 | 16 |
/// | `max_waiting` | calls that may wait for a connection; the next one fails at once | 4096 |
/// | `prepared_statements` | `auto`: unless a connection pooler is met; `on`; `off` | `auto` |
/// | `sslmode` | see below | `prefer` |
/// | `sslrootcert` | a PEM file of the authorities to trust, or `system` | `system` |
///
/// A time is a number of seconds, or has a unit: `500ms`, `2s`, `1m`.
///
/// Of libpq's options these have its meaning: `application_name` (default `coatroom`),
/// `channel_binding`, `dbname`, `host`, `hostaddr`, `keepalives`, `keepalives_idle` (default 30 s),
/// `keepalives_interval` (default 10 s), `keepalives_retries` (default 3), `load_balance_hosts`,
/// `options`, `password`, `port`, `sslnegotiation`, `target_session_attrs` (default `read-write` with
/// several hosts), `tcp_user_timeout` (default 10 s), `user`. Any other is an error.
///
/// # Encryption
///
/// | `sslmode` | encrypts | keeps out who is in the middle |
/// |---|---|---|
/// | `disable` | no | no |
/// | `prefer` | where the server offers it | no |
/// | `require` | yes | only with `sslrootcert`, as `verify-ca` |
/// | `verify-ca` | yes | unless they have a certificate of one of the authorities, for any name |
/// | `verify-full` | yes | yes |
///
/// Over a network that others share take `verify-full`. Sockets in a directory are never encrypted,
/// and client certificates not supported.
///
/// `Display` and `Debug` show the URL with `***` in place of the password.
///
/// ```
/// use coatroom::store::PostgresUrl;
///
/// let url = "postgres://app:secret@db.example/app?schema=sessions&sslmode=verify-full".parse::<PostgresUrl>()?;
/// assert_eq!(url.to_string(), "postgres://app:***@db.example/app?schema=sessions&sslmode=verify-full");
/// # Ok::<_, coatroom::store::PostgresUrlError>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct PostgresUrl {
    pub(super) config: Config,
    pub(super) schema: Schema,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) pool_size: usize,
    pub(super) max_waiting: usize,
    pub(super) prepared: Prepared,
    pub(super) ssl_mode: SslMode,
    pub(super) root_certificates: Option<PathBuf>,
    /// Without the password.
    shown: String,
}

/// Whether statements are prepared, and then sent by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Prepared {
    Auto,
    Off,
    On,
}

/// libpq's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SslMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// A URL of PostgreSQL is not one. Says what is wrong and what there is; never the user or the
/// password.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{what}")]
#[non_exhaustive]
pub struct PostgresUrlError {
    what: String,
}

impl PostgresUrl {
    /// The SQL that makes or updates schema, tables and functions, for an administrator to run where
    /// the store's user may not. Running it again does no harm. It ends by granting the URL's user
    /// what the store needs.
    #[must_use]
    pub fn setup_sql(&self) -> String {
        super::migrate::script(&self.schema, self.config.get_user())
    }

    /// Hosts and ports, for messages.
    pub(super) fn server(&self) -> String {
        let ports = self.config.get_ports();
        let port = |n: usize| ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        let hosts = self.config.get_hosts().iter().enumerate().map(|(n, host)| match host {
            Host::Tcp(host) => format!("{host}:{}", port(n)),
            Host::Unix(path) => format!("{}/.s.PGSQL.{}", path.display(), port(n)),
        });
        let addresses = self.config.get_hostaddrs().iter().enumerate();
        let addresses = addresses.map(|(n, address)| format!("{address}:{}", port(n)));
        let hosts: Vec<_> = hosts.collect();
        if hosts.is_empty() { addresses.collect::<Vec<_>>().join(",") } else { hosts.join(",") }
    }

    /// The database that is asked for; without one PostgreSQL takes the name of the user.
    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or("named as the user")
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({})", self.shown)
    }
}

#[cfg(test)]
mod tests;
