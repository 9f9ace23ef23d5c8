//! The published stores of tower-sessions: they need its version 0.14.

use axum::Router;
use tower_sessions_014::{Session, SessionManagerLayer, SessionStore};

use crate::Result;
use crate::app::{Failed, Held, routes};

/// Over plain HTTP; what else it does is as it comes.
fn router(store: impl SessionStore + Clone) -> Router {
    routes::<Session>().layer(SessionManagerLayer::new(store).with_secure(false))
}

#[cfg(feature = "all-peers")]
pub(crate) fn moka_router() -> Router {
    router(tower_sessions_moka_store::MokaStore::new(None))
}

/// SQLite as its users are told to set it up: a write-ahead log, synchronous=NORMAL.
#[cfg(feature = "all-peers")]
pub(crate) async fn sqlite_router(directory: &std::path::Path) -> Result<Router> {
    use tower_sessions_sqlx_store::SqliteStore;
    use tower_sessions_sqlx_store::sqlx::sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
    };
    let options = SqliteConnectOptions::new()
        .filename(directory.join("sessions.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let pool = SqlitePoolOptions::new().max_connections(8).connect_with(options).await?;
    let store = SqliteStore::new(pool);
    store.migrate().await?;
    Ok(router(store))
}

/// Redis with the pool of six connections of its example.
#[cfg(feature = "servers")]
pub(crate) async fn redis_router(url: &str) -> Result<Router> {
    Ok(router(redis_store(url).await?))
}

#[cfg(feature = "servers")]
pub(crate) async fn redis_store(url: &str) -> Result<impl SessionStore + Clone + use<>> {
    use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};
    let pool = Pool::new(Config::from_url(url)?, None, None, None, 6)?;
    pool.connect();
    pool.wait_for_connect().await?;
    Ok(tower_sessions_redis_store::RedisStore::new(pool))
}

/// PostgreSQL with SQLx' pool as it comes: ten connections.
#[cfg(feature = "servers")]
pub(crate) async fn postgres_router(url: &str) -> Result<Router> {
    Ok(router(postgres_store(url).await?))
}

#[cfg(feature = "servers")]
pub(crate) async fn postgres_store(url: &str) -> Result<impl SessionStore + Clone + use<>> {
    use tower_sessions_sqlx_store::PostgresStore;
    let store = PostgresStore::new(tower_sessions_sqlx_store::sqlx::PgPool::connect(url).await?);
    store.migrate().await?;
    Ok(store)
}

impl Held for Session {
    async fn read(&self, name: &str) -> Result<Option<u64>, Failed> {
        self.get(name).await.map_err(Failed::new)
    }

    async fn write(&self, name: &str, value: u64) -> Result<(), Failed> {
        self.insert(name, value).await.map_err(Failed::new)
    }

    async fn fill(&self, bytes: usize) -> Result<(), Failed> {
        self.insert("text", "x".repeat(bytes)).await.map_err(Failed::new)
    }

    async fn end(&self) -> Result<(), Failed> {
        self.flush().await.map_err(Failed::new)
    }
}

/// So many sessions that hold one number.
#[cfg(feature = "servers")]
pub(crate) async fn fill(store: impl SessionStore, sessions: usize) -> Result<()> {
    use futures_util::{StreamExt as _, TryStreamExt as _, stream};
    let store = std::sync::Arc::new(store);
    let create = async |_| {
        let session = Session::new(None, store.clone(), None);
        session.insert(crate::app::COUNTER, 0_u64).await?;
        session.save().await?;
        Ok(())
    };
    stream::iter(0..sessions).map(create).buffer_unordered(64).try_collect().await
}
