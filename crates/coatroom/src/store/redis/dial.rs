//! Making a connection.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo, RedisError, Value};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::error::Trouble;
use super::options::Options;
use super::url::{Host, RedisUrl};

/// Everything a connection needs but the address.
#[derive(Clone)]
pub(super) struct Dialer {
    tls: Option<TlsConnector>,
    login: Option<Cmd>,
    select: Option<Cmd>,
    timeout: Duration,
    patience: Duration,
}

/// Where a server listens.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Address {
    Host(Host),
    Socket(std::path::PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

/// A connection, and the work that keeps it going for as long as it lasts.
pub(super) struct Dialed {
    pub(super) connection: MultiplexedConnection,
    pub(super) work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Dialed {
    /// Asks for one thing before anybody else keeps the work going.
    pub(super) async fn ask(&mut self, command: &Cmd) -> Result<Value, Trouble> {
        let mut connection = self.connection.clone();
        self.during(async move { ask(&mut connection, command).await }).await?
    }

    /// Waits for `asking` while the work goes on.
    async fn during<T>(&mut self, asking: impl Future<Output = T>) -> Result<T, Trouble> {
        match select(pin!(asking), &mut self.work).await {
            Either::Left((answer, _)) => Ok(answer),
            Either::Right(_) => Err(Trouble::Lost(io::Error::from(io::ErrorKind::ConnectionReset).into())),
        }
    }
}

/// Why there is none.
#[derive(Clone, Debug)]
pub(super) enum DialError {
    /// No name, nobody there, or no answer in time.
    Unreachable(Arc<io::Error>),
    /// The certificate is not trusted, or it is not TLS that is spoken there.
    Tls(Arc<io::Error>),
    /// The answer to the password.
    Login(Trouble),
    /// The answer to the number of the database.
    Database(Trouble),
    /// The server does not do what it is asked yet.
    Greeting(Trouble),
}

impl DialError {
    /// As the reason for which there is no connection.
    pub(super) fn into_trouble(self) -> Trouble {
        match self {
            Self::Unreachable(error) | Self::Tls(error) => {
                Trouble::NoConnection(io::Error::new(error.kind(), error.to_string()).into())
            }
            Self::Login(trouble) | Self::Database(trouble) | Self::Greeting(trouble) => trouble,
        }
    }
}

impl Dialer {
    pub(super) fn new(url: &RedisUrl, options: &Options, tls: Option<ClientConfig>) -> Self {
        let login = url.password.as_ref().map(|password| {
            let mut command = redis::cmd("AUTH");
            if let Some(user) = &url.user {
                command.arg(user);
            }
            command.arg(password);
            command
        });
        let select = (url.database > 0).then(|| {
            let mut command = redis::cmd("SELECT");
            command.arg(url.database);
            command
        });
        let tls = tls.map(|config| TlsConnector::from(Arc::new(config)));
        Self { tls, login, select, timeout: options.connect_timeout, patience: options.timeout * 3 / 4 }
    }

    /// One that names no database.
    pub(super) fn without_database(&self) -> Self {
        Self { select: None, ..self.clone() }
    }

    /// Three quarters of the time that a call may take.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Connects, signs in and waits until the server is ready, within the timeout in all.
    pub(super) async fn dial(&self, address: &Address) -> Result<Dialed, DialError> {
        let deadline = Instant::now() + self.timeout;
        let unreachable = |error| DialError::Unreachable(Arc::new(error));
        match address {
            Address::Socket(path) => {
                let stream = in_time(deadline, UnixStream::connect(path)).await.map_err(unreachable)?;
                self.greet(stream, deadline).await
            }
            Address::Host(host) => {
                let connected = TcpStream::connect((&*host.name, host.port));
                let stream = in_time(deadline, connected).await.map_err(unreachable)?;
                stream.set_nodelay(true).map_err(unreachable)?;
                let Some(tls) = &self.tls else { return self.greet(stream, deadline).await };
                let insecure = |error: io::Error| DialError::Tls(Arc::new(error));
                let name = ServerName::try_from(host.name.clone()).map_err(io::Error::other);
                // A server that does not speak TLS may say nothing at all.
                let agreed = in_time(deadline, tls.connect(name.map_err(insecure)?, stream)).await;
                self.greet(agreed.map_err(insecure)?, deadline).await
            }
        }
    }

    async fn greet<S>(&self, stream: S, deadline: Instant) -> Result<Dialed, DialError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        // Neither user nor database: their answers are told apart here. Nor a timeout, for calls have
        // one already.
        let nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let lost = |error: RedisError| DialError::Greeting(Trouble::Lost(error));
        let made = MultiplexedConnection::new_with_config(&nobody, stream, config);
        let (connection, work) = made.await.map_err(lost)?;
        let mut dialed = Dialed { connection, work: Box::pin(work) };
        let signed_in = self.sign_in(dialed.connection.clone());
        let signed_in = in_time(deadline, async { Ok(dialed.during(signed_in).await) });
        signed_in.await.map_err(|late| lost(late.into()))?.map_err(DialError::Greeting)??;
        Ok(dialed)
    }

    async fn sign_in(&self, mut connection: MultiplexedConnection) -> Result<(), DialError> {
        if let Some(login) = &self.login {
            ask(&mut connection, login).await.map_err(DialError::Login)?;
        }
        if let Some(select) = &self.select {
            ask(&mut connection, select).await.map_err(DialError::Database)?;
        }
        match ask(&mut connection, &redis::cmd("PING")).await {
            Err(trouble) if trouble.code() == Some("NOAUTH") => Err(DialError::Login(trouble)),
            // A user who may not ping may do what counts all the same.
            Err(trouble) if trouble.code() == Some("NOPERM") => Ok(()),
            Err(trouble) => Err(DialError::Greeting(trouble)),
            Ok(_) => Ok(()),
        }
    }
}

/// What does not come in time is an error of that kind.
async fn in_time<T>(deadline: Instant, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn ask(connection: &mut MultiplexedConnection, command: &Cmd) -> Result<Value, Trouble> {
    match connection.send_packed_command(command).await {
        Ok(Value::ServerError(error)) => Err(Trouble::Refused(error)),
        Ok(value) => Ok(value),
        Err(error) => Err(Trouble::Lost(error)),
    }
}
