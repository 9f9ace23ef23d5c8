//! The systems that are measured.

#[cfg(feature = "servers")]
pub(crate) mod actix;
pub(crate) mod axum_session;
pub(crate) mod bare;
pub(crate) mod coatroom;
pub(crate) mod raw_fjall;
pub(crate) mod tower_sessions;
#[cfg(any(feature = "all-peers", feature = "servers"))]
pub(crate) mod tower_sessions_014;

use std::path::Path;

use ::coatroom::store::Durability;
use axum::Router;

use crate::Result;

/// A system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Peer {
    /// The same server with no sessions at all.
    Bare,
    /// Coatroom with its memory store.
    CoatroomMemory,
    /// Coatroom with its embedded store.
    CoatroomEmbedded,
    /// tower-sessions 0.15 with its MemoryStore.
    TowerSessions,
    /// axum_session 0.22 in memory: no database behind it.
    AxumSession,
    /// tower-sessions 0.14 with its moka store.
    #[cfg(feature = "all-peers")]
    Moka,
    /// tower-sessions 0.14 with its SQLite store.
    #[cfg(feature = "all-peers")]
    Sqlite,
    /// Coatroom with its redis store.
    #[cfg(feature = "servers")]
    CoatroomRedis,
    /// Coatroom with its postgres store.
    #[cfg(feature = "servers")]
    CoatroomPostgres,
    /// tower-sessions 0.14 with its Redis store.
    #[cfg(feature = "servers")]
    TowerSessionsRedis,
    /// tower-sessions 0.14 with its PostgreSQL store.
    #[cfg(feature = "servers")]
    TowerSessionsPostgres,
    /// actix-session 0.11 with its Redis store, in actix-web.
    #[cfg(feature = "servers")]
    ActixRedis,
}

impl Peer {
    /// All that keep sessions, in the order of the tables.
    pub(crate) const WITH_SESSIONS: &[Self] = &[
        Self::CoatroomMemory,
        Self::CoatroomEmbedded,
        Self::TowerSessions,
        Self::AxumSession,
        #[cfg(feature = "all-peers")]
        Self::Moka,
        #[cfg(feature = "all-peers")]
        Self::Sqlite,
    ];

    /// Those that keep their sessions in Redis.
    #[cfg(feature = "servers")]
    pub(crate) const ON_REDIS: &[Self] = &[Self::CoatroomRedis, Self::TowerSessionsRedis, Self::ActixRedis];

    /// Those that keep their sessions in PostgreSQL.
    #[cfg(feature = "servers")]
    pub(crate) const ON_POSTGRES: &[Self] = &[Self::CoatroomPostgres, Self::TowerSessionsPostgres];

    /// What it is called on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::CoatroomMemory => "coatroom-memory",
            Self::CoatroomEmbedded => "coatroom-embedded",
            Self::TowerSessions => "tower-sessions",
            Self::AxumSession => "axum-session",
            #[cfg(feature = "all-peers")]
            Self::Moka => "moka",
            #[cfg(feature = "all-peers")]
            Self::Sqlite => "sqlite",
            #[cfg(feature = "servers")]
            Self::CoatroomRedis => "coatroom-redis",
            #[cfg(feature = "servers")]
            Self::CoatroomPostgres => "coatroom-postgres",
            #[cfg(feature = "servers")]
            Self::TowerSessionsRedis => "tower-sessions-redis",
            #[cfg(feature = "servers")]
            Self::TowerSessionsPostgres => "tower-sessions-postgres",
            #[cfg(feature = "servers")]
            Self::ActixRedis => "actix-redis",
        }
    }

    /// What it is called in the tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "no sessions",
            Self::CoatroomMemory => "Coatroom, memory",
            Self::CoatroomEmbedded => "Coatroom, embedded",
            Self::TowerSessions => "tower-sessions 0.15, memory",
            Self::AxumSession => "axum_session 0.22, memory",
            #[cfg(feature = "all-peers")]
            Self::Moka => "tower-sessions 0.14, moka",
            #[cfg(feature = "all-peers")]
            Self::Sqlite => "tower-sessions 0.14, SQLite",
            #[cfg(feature = "servers")]
            Self::CoatroomRedis => "Coatroom, redis",
            #[cfg(feature = "servers")]
            Self::CoatroomPostgres => "Coatroom, postgres",
            #[cfg(feature = "servers")]
            Self::TowerSessionsRedis => "tower-sessions 0.14, Redis",
            #[cfg(feature = "servers")]
            Self::TowerSessionsPostgres => "tower-sessions 0.14, PostgreSQL",
            #[cfg(feature = "servers")]
            Self::ActixRedis => "actix-session 0.11, Redis",
        }
    }

    pub(crate) fn with_sessions() -> impl Iterator<Item = Self> {
        Self::WITH_SESSIONS.iter().copied()
    }

    pub(crate) fn is_coatroom(self) -> bool {
        matches!(self, Self::CoatroomMemory | Self::CoatroomEmbedded)
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        let all = [Self::Bare].into_iter().chain(Self::with_sessions());
        #[cfg(feature = "servers")]
        let all = all.chain(Self::ON_REDIS.iter().chain(Self::ON_POSTGRES).copied());
        let mut all = all;
        let found = all.find(|peer| peer.name() == name);
        found.ok_or_else(|| format!("no such system: {name}").into())
    }

    /// The application with this system's sessions, which are at `place`: a directory for those that
    /// keep files, the URL of their server for those that have one.
    pub(crate) async fn router(self, place: &str) -> Result<Router> {
        let directory = Path::new(place);
        match self {
            Self::Bare => Ok(bare::router()),
            Self::CoatroomMemory => coatroom::router(coatroom::in_memory()),
            Self::CoatroomEmbedded => coatroom::router(coatroom::in_files(directory, Durability::default())?),
            Self::TowerSessions => Ok(tower_sessions::router()),
            Self::AxumSession => axum_session::router().await,
            #[cfg(feature = "all-peers")]
            Self::Moka => Ok(tower_sessions_014::moka_router()),
            #[cfg(feature = "all-peers")]
            Self::Sqlite => tower_sessions_014::sqlite_router(directory).await,
            #[cfg(feature = "servers")]
            Self::CoatroomRedis | Self::CoatroomPostgres => {
                coatroom::router(coatroom::at(&place.parse()?).await?)
            }
            #[cfg(feature = "servers")]
            Self::TowerSessionsRedis => tower_sessions_014::redis_router(place).await,
            #[cfg(feature = "servers")]
            Self::TowerSessionsPostgres => tower_sessions_014::postgres_router(place).await,
            #[cfg(feature = "servers")]
            Self::ActixRedis => Err("actix-session serves itself".into()),
        }
    }
}
