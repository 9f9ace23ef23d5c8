//! The published stores of tower-sessions: they need its version 0.14.

use std::path::Path;

use axum::Router;
use tower_sessions_014::{Session, SessionManagerLayer};
use tower_sessions_moka_store::MokaStore;
use tower_sessions_sqlx_store::SqliteStore;
use tower_sessions_sqlx_store::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::Result;
use crate::app::{Failed, Held, routes};

pub(crate) fn moka_router() -> Router {
    routes::<Session>().layer(SessionManagerLayer::new(MokaStore::new(None)).with_secure(false))
}

/// SQLite as its users are told to set it up: a write-ahead log, synchronous=NORMAL.
pub(crate) async fn sqlite_router(directory: &Path) -> Result<Router> {
    let options = SqliteConnectOptions::new()
        .filename(directory.join("sessions.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let pool = SqlitePoolOptions::new().max_connections(8).connect_with(options).await?;
    let store = SqliteStore::new(pool);
    store.migrate().await?;
    Ok(routes::<Session>().layer(SessionManagerLayer::new(store).with_secure(false)))
}

impl Held for Session {
    async fn read(&self, name: &str) -> Result<Option<u64>, Failed> {
        self.get(name).await.map_err(Failed::new)
    }

    async fn write(&self, name: &str, value: u64) -> Result<(), Failed> {
        self.insert(name, value).await.map_err(Failed::new)
    }

    async fn end(&self) -> Result<(), Failed> {
        self.flush().await.map_err(Failed::new)
    }
}
