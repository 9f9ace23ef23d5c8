//! The clock of the database's server.

use std::sync::Arc;
use std::time::Instant;

use super::Inner;
use super::error::{failed, refused};
use super::parameter::read_number;
use super::statement::Statement;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::store::network::{Effect, READ_EVERY};

const READING: &str = "reading the clock of the session store's database";

/// Reads it once.
pub(super) async fn read(inner: &Inner) -> Result<(), StoreError> {
    let mut lent = inner.pool.lend().await.map_err(|refusal| refused(READING, refusal))?;
    let asked = Instant::now();
    let rows =
        lent.ask(Statement::Clock, &[]).await.map_err(|why| failed(READING, Effect::Reads, why.error))?;
    if let Some(row) = rows.first() {
        let shown = u64::try_from(read_number(row, 0)?).unwrap_or(0);
        inner.clock.read(Timestamp::from_millis(shown), asked);
    }
    Ok(())
}

/// Reads it again and again, for as long as the store is there and its runtime runs.
pub(super) fn keep(inner: &Arc<Inner>) {
    let store = Arc::downgrade(inner);
    inner.network.driver().spawn(async move {
        loop {
            tokio::time::sleep(READ_EVERY).await;
            let Some(inner) = store.upgrade() else { return };
            if inner.pool.is_closed() {
                return;
            }
            // The last reading goes on where there is no new one.
            let reading = tokio::time::timeout(inner.url.timeout, read(&inner)).await;
            if let Ok(Err(error)) = reading {
                tracing::debug!(target: "coatroom", %error, "the clock of the session store's database was not read");
            }
        }
    });
}
