//! tower-sessions 0.15 with its MemoryStore.

use std::sync::Arc;

use axum::Router;
use tower_sessions::session::Id;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use crate::Result;
use crate::app::{COUNTER, Failed, Held, routes};
use crate::population::{Population, Shape};

pub(crate) fn router() -> Router {
    // Over plain HTTP; what else it does is as it comes.
    routes::<Session>().layer(SessionManagerLayer::new(MemoryStore::default()).with_secure(false))
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

/// Sessions in a MemoryStore, worked with through the calls that its layer makes.
pub(crate) struct InMemory {
    store: Arc<MemoryStore>,
    ids: Vec<Id>,
}

impl Population for InMemory {
    const ID_BYTES: usize = size_of::<Id>();

    async fn fill(sessions: usize, shape: Shape) -> Result<Self> {
        let store = Arc::new(MemoryStore::default());
        let mut ids = Vec::with_capacity(sessions);
        for _ in 0..sessions {
            let session = Session::new(None, store.clone(), None);
            session.insert(COUNTER, 0u64).await?;
            for (name, value) in shape.attributes() {
                session.insert(&name, value).await?;
            }
            session.save().await?;
            ids.extend(session.id());
        }
        Ok(Self { store, ids })
    }

    async fn cycle(&self, which: usize) -> Result<()> {
        let session = Session::new(Some(self.ids[which]), self.store.clone(), None);
        let count: u64 = session.get(COUNTER).await?.unwrap_or(0);
        session.insert(COUNTER, count + 1).await?;
        session.save().await?;
        Ok(())
    }
}
