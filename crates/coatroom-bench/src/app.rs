//! The small web application that every system is measured with: the same handlers for all.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// The attribute that requests count in.
pub(crate) const COUNTER: &str = "counter";

/// What a handler holds of a session, in the words of no system.
pub(crate) trait Held: FromRequestParts<()> + Send + Sync + 'static {
    fn read(&self, name: &str) -> impl Future<Output = Result<Option<u64>, Failed>> + Send;

    fn write(&self, name: &str, value: u64) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Keeps a text of so many bytes in the session.
    fn fill(&self, bytes: usize) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Ends the session: signs the visitor out.
    fn end(&self) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Adds one in the way that the system recommends for it, with the work of the request between
    /// reading and answering. Where there is no such way, reads before the work and writes after it.
    fn count(&self, work: Duration) -> impl Future<Output = Result<(), Failed>> + Send {
        async move {
            let count = self.read(COUNTER).await?.unwrap_or(0);
            tokio::time::sleep(work).await;
            self.write(COUNTER, count + 1).await
        }
    }
}

/// A session could not be read or written.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl Failed {
    pub(crate) fn new(error: impl Display) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0).into_response()
    }
}

/// The application, still without its session layer.
pub(crate) fn routes<H: Held>() -> Router {
    Router::new()
        .route("/", get(increment::<H>))
        .route("/read", get(read::<H>))
        .route("/fill/{bytes}", get(fill::<H>))
        .route("/race/{key}/{milliseconds}", get(race::<H>))
        .route("/tally/{keys}", get(tally::<H>))
        .route("/login", get(login::<H>))
        .route("/logout", get(logout::<H>))
        .route("/slow/{milliseconds}", get(slow::<H>))
        .route("/user", get(user::<H>))
}

async fn increment<H: Held>(session: H) -> Result<String, Failed> {
    let count = session.read(COUNTER).await?.unwrap_or(0) + 1;
    session.write(COUNTER, count).await?;
    Ok(count.to_string())
}

/// A session with something large in it.
async fn fill<H: Held>(Path(bytes): Path<usize>, session: H) -> Result<&'static str, Failed> {
    session.fill(bytes).await?;
    session.write(COUNTER, 1).await?;
    Ok("filled")
}

async fn read<H: Held>(session: H) -> Result<String, Failed> {
    Ok(session.read(COUNTER).await?.unwrap_or(0).to_string())
}

/// Adds one to the counter, and keeps an attribute that no other request has.
async fn race<H: Held>(
    Path((key, milliseconds)): Path<(String, u64)>,
    session: H,
) -> Result<&'static str, Failed> {
    session.count(Duration::from_millis(milliseconds)).await?;
    session.write(&key, 1).await?;
    Ok("done")
}

/// The counter, and how many of the attributes `key-0` to `key-(keys - 1)` are there.
async fn tally<H: Held>(Path(keys): Path<u64>, session: H) -> Result<String, Failed> {
    let mut present = 0;
    for key in 0..keys {
        present += u64::from(session.read(&format!("key-{key}")).await?.is_some());
    }
    let count = session.read(COUNTER).await?.unwrap_or(0);
    Ok(format!("{count} {present}"))
}

async fn login<H: Held>(session: H) -> Result<&'static str, Failed> {
    session.write("user", 7).await?;
    Ok("in")
}

async fn logout<H: Held>(session: H) -> Result<&'static str, Failed> {
    session.end().await?;
    Ok("out")
}

/// A request that holds a session for a while, and then writes to it. That the session has ended
/// meanwhile is its loss, and no error here.
async fn slow<H: Held>(Path(milliseconds): Path<u64>, session: H) -> Result<&'static str, Failed> {
    session.read("user").await?;
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    session.write("slow", 1).await?;
    Ok("done")
}

async fn user<H: Held>(session: H) -> Result<String, Failed> {
    Ok(session.read("user").await?.unwrap_or(0).to_string())
}
