//! A web server in a process of its own, so that its CPU time is its own too.

use std::io::{Read, Write};

use tokio::net::TcpListener;

use crate::Result;
use crate::peers::Peer;

/// Serves until standard input is closed: so a server never outlives the run that started it.
/// When it is ready it prints its port.
pub(crate) fn serve(peer: Peer, place: &str) -> Result<()> {
    #[cfg(feature = "servers")]
    if peer == Peer::ActixRedis {
        return crate::peers::actix::serve(place);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let router = peer.router(place).await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?.port());
        std::io::stdout().flush()?;
        tokio::select! {
            served = async { axum::serve(listener, router).await } => served?,
            () = abandoned() => (),
        }
        Ok(())
    })
}

/// Completes when standard input is closed.
pub(crate) async fn abandoned() {
    let (closed, wait) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        // A failure to read means the same as the end: whoever held the other side is gone.
        let _ = std::io::stdin().read(&mut [0]);
        drop(closed);
    });
    let _ = wait.await;
}
