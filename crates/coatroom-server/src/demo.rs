//! The demo: a shop whose visitors have real sessions.

mod assets;
mod cart;
mod failure;
mod goods;
mod headers;
mod input;
mod lab;
mod open;
mod pages;
mod routes;
mod serve;
mod slots;
#[cfg(test)]
mod tests;
mod users;
mod view;
mod wording;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use coatroom::store::OpenStoreError;
use coatroom::{ConfigError, SessionManager, Store, StoreError};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use self::serve::Ended;
use self::users::Users;
use crate::cli::Demo;

/// What every handler can reach.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) sessions: SessionManager,
    pub(crate) users: Users,
    pub(crate) idle_timeout: Duration,
    pub(crate) lifetime: Duration,
    /// Whether writing routes take `hold_ms` and `fail`.
    pub(crate) lab: bool,
}

/// Why the demo did not open, or did not close as it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(
        "listening on {address} failed: the port is taken; stop the other program, or choose a port with --listen (port 0 takes any free one)"
    )]
    PortTaken { address: SocketAddr },
    #[error("listening on {address} failed; choose another address with --listen")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("starting the server failed")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Open(#[from] OpenStoreError),
    #[error(transparent)]
    Close(#[from] StoreError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("serving failed")]
    Serve(#[source] std::io::Error),
}

/// Opens the shop and serves it until a signal asks to close; then what was acknowledged is flushed.
pub(crate) fn run(options: Demo) -> Result<(), DemoError> {
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(DemoError::Runtime)?;
    let listener = runtime.block_on(listen(options.listen))?;
    let store = runtime.block_on(options.store().connect())?;
    let served = runtime.block_on(serve(listener, store.shared(), &options));
    // A password check may still run on a blocking thread; it is not worth waiting for long.
    runtime.shutdown_timeout(Duration::from_secs(1));
    store.close()?;
    served
}

async fn serve(listener: TcpListener, store: Arc<dyn Store>, options: &Demo) -> Result<(), DemoError> {
    let address = listener.local_addr().map_err(DemoError::Serve)?;
    let app = App {
        sessions: open::sessions(store, options)?,
        users: Users::new(),
        idle_timeout: options.idle_timeout,
        lifetime: options.lifetime,
        lab: options.lab,
    };
    let ended = serve::until_signal(listener, routes::router(app), || ready(address, options)).await?;
    if ended == Ended::CutOff {
        tracing::warn!("some requests were still running and were cut off");
    }
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, DemoError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => DemoError::PortTaken { address },
        _ => DemoError::Listen { address, source },
    })
}

/// The one line that says where the shop is.
fn ready(address: SocketAddr, options: &Demo) {
    let mut stdout = std::io::stdout();
    let kept = &options.store;
    // Whoever closed our output does not want to know.
    let _ = writeln!(stdout, "coatroom demo: http://{address} (sessions in {kept}; Ctrl-C closes the shop)");
    let _ = stdout.flush();
}
