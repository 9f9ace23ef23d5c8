//! Ending sessions: by locator, and all of a principal.

use super::Engine;
use crate::error::StoreError;
use crate::event::Event;
use crate::id::Locator;
use crate::record::Record;

impl Engine {
    /// Ends a session; whether there was one. Idempotent, so a lost answer is asked for again.
    pub(crate) async fn end(&self, locator: Locator) -> Result<bool, StoreError> {
        Ok(self.take_out(locator).await?.is_some())
    }

    /// Ends the session that `base` is a record of, and not one that was begun again under its key;
    /// the record as it was.
    pub(crate) async fn end_same(&self, base: &Record) -> Result<Option<Record>, StoreError> {
        let found = self.store.load(base.key(), self.now()).await?;
        let same = found.is_some_and(|found| found.is_same(base) || found.succeeds(base));
        if same { self.take_out(base.key().locator).await } else { Ok(None) }
    }

    async fn take_out(&self, locator: Locator) -> Result<Option<Record>, StoreError> {
        let key = self.key(locator);
        let removed = match self.store.remove(&key, self.now()).await {
            Err(error) if error.is_outcome_unknown() => self.store.remove(&key, self.now()).await?,
            removed => removed?,
        };
        if let Some(record) = &removed {
            self.events.tell(&Event::Ended { locator, principal: record.principal() });
        }
        Ok(removed)
    }

    /// Ends all sessions of a principal but `keep`; how many. The epoch rises first, so that a
    /// login which this listing misses finds it raised and ends itself.
    pub(crate) async fn end_all(&self, principal: &str, keep: Option<Locator>) -> Result<usize, StoreError> {
        self.store.bump_epoch(self.config.namespace, principal).await?;
        let mut ended = 0;
        for record in self.of_principal(principal).await? {
            let locator = record.key().locator;
            if Some(locator) != keep {
                ended += usize::from(self.end(locator).await?);
            }
        }
        Ok(ended)
    }
}
