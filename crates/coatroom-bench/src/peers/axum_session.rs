//! axum_session 0.22 without a database: its sessions live in its own map.

use axum::Router;
use axum_session::{Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};

use crate::Result;
use crate::app::{Failed, Held, routes};

pub(crate) async fn router() -> Result<Router> {
    let store = SessionStore::<SessionNullPool>::new(None, SessionConfig::default()).await?;
    Ok(routes::<Session<SessionNullPool>>().layer(SessionLayer::new(store)))
}

impl Held for Session<SessionNullPool> {
    async fn read(&self, name: &str) -> Result<Option<u64>, Failed> {
        Ok(self.get(name))
    }

    async fn write(&self, name: &str, value: u64) -> Result<(), Failed> {
        self.set(name, value);
        Ok(())
    }

    async fn fill(&self, bytes: usize) -> Result<(), Failed> {
        self.set("text", "x".repeat(bytes));
        Ok(())
    }

    async fn end(&self) -> Result<(), Failed> {
        self.destroy();
        Ok(())
    }
}
