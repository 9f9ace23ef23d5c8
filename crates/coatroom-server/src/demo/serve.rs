//! Serving until a signal, and leaving in good order.

use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::DemoError;

/// How serving came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// Every request was answered.
    Answered,
    /// Some were not, in the time they had.
    CutOff,
}

/// Serves until SIGINT or SIGTERM, then lets running requests finish: for at most [`GRACE`], or
/// until a second signal. Calls `ready` once signals are heard and connections are taken.
pub(super) async fn until_signal(
    listener: TcpListener,
    router: Router,
    ready: impl FnOnce(),
) -> Result<Ended, DemoError> {
    let mut signals = Signals::listen().map_err(DemoError::Serve)?;
    let (close, closing) = oneshot::channel::<()>();
    let listener = listener.tap_io(|stream| {
        // Only latency would suffer.
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        // A dropped sender means the same.
        let _ = closing.await;
    });
    let serving = tokio::spawn(server.into_future());
    ready();
    signals.next().await;
    drop(close);
    tokio::select! {
        served = serving => served.map_err(std::io::Error::other).flatten().map(|()| Ended::Answered).map_err(DemoError::Serve),
        () = tokio::time::sleep(GRACE) => Ok(Ended::CutOff),
        () = signals.next() => Ok(Ended::CutOff),
    }
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

const GRACE: Duration = Duration::from_secs(5);
