//! Coatroom, with either of its stores.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use coatroom::store::{Durability, EmbeddedStore, MemoryStore};
use coatroom::{Session, SessionId, SessionManager, SessionManagerBuilder, Slot};

use crate::Result;
use crate::app::{COUNTER, Failed, Held, routes};
use crate::population::{Population, Shape};

/// The counter of a population's sessions.
const COUNT: Slot<u64> = Slot::new(COUNTER);

/// Room for the largest population: what is measured is never eviction.
const MAX_BYTES: usize = 16 << 30;

/// A manager whose sessions live in memory, still to be built.
pub(crate) fn in_memory() -> SessionManagerBuilder {
    SessionManager::builder(MemoryStore::builder().max_bytes(MAX_BYTES).build())
}

/// A manager whose sessions live in files, still to be built.
pub(crate) fn in_files(directory: &Path, durability: Durability) -> Result<SessionManagerBuilder> {
    let store = EmbeddedStore::builder(directory).durability(durability).open()?;
    Ok(SessionManager::builder(store))
}

/// A manager whose sessions live on a server, still to be built.
#[cfg(feature = "servers")]
pub(crate) async fn at(url: &coatroom::store::StoreUrl) -> Result<SessionManagerBuilder> {
    Ok(SessionManager::builder_shared(url.connect().await?.shared()))
}

/// The application with the sessions of a manager that is as it comes, but for its store.
pub(crate) fn router(sessions: SessionManagerBuilder) -> Result<Router> {
    Ok(routes::<Session>().layer(sessions.build()?.layer()))
}

impl Held for Session {
    async fn read(&self, name: &str) -> Result<Option<u64>, Failed> {
        self.get(Slot::new(name)).map_err(Failed::new)
    }

    async fn write(&self, name: &str, value: u64) -> Result<(), Failed> {
        self.set(Slot::new(name), &value).map_err(Failed::new)
    }

    async fn fill(&self, bytes: usize) -> Result<(), Failed> {
        self.set(Slot::new("text"), &"x".repeat(bytes)).map_err(Failed::new)
    }

    async fn end(&self) -> Result<(), Failed> {
        self.logout().await.map_err(Failed::new)
    }

    async fn count(&self, work: Duration) -> Result<(), Failed> {
        self.edit(COUNT, |count| *count += 1).map_err(Failed::new)?;
        tokio::time::sleep(work).await;
        Ok(())
    }
}

/// Sessions of a manager, worked with without HTTP.
pub(crate) struct Sessions {
    pub(crate) manager: SessionManager,
    pub(crate) ids: Vec<SessionId>,
}

impl Sessions {
    /// Makes sessions in `manager`; each is given to `prepare` with its number before its only commit.
    pub(crate) async fn create(
        manager: SessionManager,
        sessions: usize,
        mut prepare: impl FnMut(usize, &Session) -> Result<()>,
    ) -> Result<Self> {
        let mut ids = Vec::with_capacity(sessions);
        for index in 0..sessions {
            let (id, session) = manager.create()?;
            session.set(COUNT, &0)?;
            prepare(index, &session)?;
            manager.commit(&session).await?;
            ids.push(id);
        }
        Ok(Self { manager, ids })
    }
}

impl Population for Sessions {
    const ID_BYTES: usize = size_of::<SessionId>();

    async fn fill(sessions: usize, shape: Shape) -> Result<Self> {
        let manager = in_memory().build()?;
        Self::create(manager, sessions, |_, session| {
            for (name, value) in shape.attributes() {
                session.set(Slot::new(&name), &value)?;
            }
            Ok(())
        })
        .await
    }

    async fn cycle(&self, which: usize) -> Result<()> {
        let session = self.manager.open(&self.ids[which]).await?.ok_or("a session is gone")?;
        let count = session.get(COUNT)?.unwrap_or(0);
        session.set(COUNT, &(count + 1))?;
        self.manager.commit(&session).await?;
        Ok(())
    }
}
