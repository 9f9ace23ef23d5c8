//! Sweeping: claim what expired, tell the listener, delete.

use std::time::Duration;

use super::Engine;
use crate::error::StoreError;
use crate::store::{Claim, Departed, Departure};

/// Records per claim: small enough that no store holds its locks for long.
const BATCH: usize = 256;

/// How long a claim holds. A sweeper that died is relieved after this.
const LEASE: Duration = Duration::from_secs(60);

/// How long a step tells. What is left then stays claimed and is due again when the lease is over, so
/// that no other sweeper tells it at the same time.
const TELLS_FOR: Duration = Duration::from_secs(30);

/// What a pass of the sweeper did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Swept {
    /// Expired sessions that the listener heard of and that are deleted.
    pub expired: usize,
    /// Expired sessions whose listener failed, or was too slow with those before; they are delivered
    /// again after a minute.
    pub deferred: usize,
    /// Whether more may be due at once.
    pub more: bool,
}

impl Engine {
    /// One bounded step of sweeping; the time to look at the clocks too.
    pub(crate) async fn sweep(&self) -> Result<Swept, StoreError> {
        self.correct_clock();
        let now = self.now();
        let Claim { records, more } =
            self.store.claim_expired(self.config.namespace, now, now + LEASE, BATCH).await?;
        let claimed = records.len();
        let dealt_with: Vec<_> = records
            .into_iter()
            .take_while(|_| self.now() < now + TELLS_FOR)
            .filter(|record| self.report(&Departed { record: record.clone(), reason: Departure::Expired }))
            .collect();
        let expired = dealt_with.len();
        if expired > 0 {
            self.store.settle(dealt_with).await?;
        }
        Ok(Swept { expired, deferred: claimed - expired, more })
    }
}
