//! The systems that are measured.

pub(crate) mod axum_session;
pub(crate) mod bare;
pub(crate) mod coatroom;
pub(crate) mod raw_fjall;
pub(crate) mod tower_sessions;
#[cfg(feature = "all-peers")]
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
        }
    }

    pub(crate) fn with_sessions() -> impl Iterator<Item = Self> {
        Self::WITH_SESSIONS.iter().copied()
    }

    pub(crate) fn is_coatroom(self) -> bool {
        matches!(self, Self::CoatroomMemory | Self::CoatroomEmbedded)
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        let mut all = [Self::Bare].into_iter().chain(Self::with_sessions());
        let found = all.find(|peer| peer.name() == name);
        found.ok_or_else(|| format!("no such system: {name}").into())
    }

    /// The application with this system's sessions; `directory` is for those that keep files.
    pub(crate) async fn router(self, directory: &Path) -> Result<Router> {
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
        }
    }
}
