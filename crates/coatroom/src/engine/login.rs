//! Principals: epochs, so that a login that races "end all" loses, and the cap.

use std::time::Duration;

use super::Engine;
use super::plan::Work;
use crate::clock::Timestamp;
use crate::config::AtLimit;
use crate::error::{SessionError, StoreError};
use crate::record::{HashAlgorithm, Record};

/// What a login learns before it commits.
#[derive(Clone, Copy, Default)]
pub(super) struct Admission {
    /// The principal's epoch.
    pub(super) epoch: u64,
    /// When it is: later than the logins it met, though the clock has not moved since or went back.
    /// Else it would be the oldest itself, and end at the cap.
    pub(super) at: Timestamp,
}

impl Engine {
    pub(crate) async fn of_principal(&self, principal: &str) -> Result<Vec<Record>, StoreError> {
        self.store.of_principal(self.config.namespace, principal, self.now()).await
    }

    /// What a login must know before it commits.
    pub(super) async fn before_login(&self, work: &Work, principal: &str) -> Result<Admission, SessionError> {
        let mut at = self.now();
        if let Some(cap) = self.config.cap {
            let mut others = self.of_principal(principal).await?;
            others.retain(|record| *record.key() != work.key);
            if cap.at_limit == AtLimit::Refuse && others.len() >= cap.limit {
                return Err(SessionError::TooManySessions { limit: cap.limit });
            }
            let latest = others.iter().filter_map(Record::authenticated).max();
            at = latest.map_or(at, |latest| at.max(latest + Duration::from_millis(1)));
        }
        Ok(Admission { epoch: self.store.epoch(self.config.namespace, principal).await?, at })
    }

    /// What a login must check once it is visible to others. "End all" raises the epoch before it
    /// lists: either it lists this session, or this session sees the epoch raised.
    ///
    /// A login that cannot be checked has failed: its new secret is handed to nobody, so what it
    /// made is ended, where the store allows even that, rather than left in the user's list.
    pub(super) async fn after_login(&self, principal: &str, record: &Record) -> Result<(), SessionError> {
        let checked = self.check_login(principal, record).await;
        if matches!(checked, Err(SessionError::Store(_))) && record.hash_algorithm() != HashAlgorithm::Keyed {
            let _ = self.end(record.key().locator).await;
        }
        checked
    }

    async fn check_login(&self, principal: &str, record: &Record) -> Result<(), SessionError> {
        let epoch = match self.store.epoch(self.config.namespace, principal).await {
            // The commit has landed; a connection that broke since shall not make a login of it that
            // nobody holds.
            Err(_) => self.store.epoch(self.config.namespace, principal).await?,
            Ok(epoch) => epoch,
        };
        if record.principal_epoch() != Some(epoch) {
            self.end(record.key().locator).await?;
            return Err(SessionError::PrincipalEnded);
        }
        self.hold_to_cap(principal, record).await
    }

    /// Parallel logins each hold the principal to the cap, all by the same order, so that however
    /// they interleave no more than the cap are left.
    async fn hold_to_cap(&self, principal: &str, own: &Record) -> Result<(), SessionError> {
        let Some(cap) = self.config.cap else { return Ok(()) };
        let mut sessions = self.of_principal(principal).await?;
        if sessions.len() <= cap.limit {
            return Ok(());
        }
        let seniority = |record: &Record| (record.authenticated(), record.key().locator);
        sessions.sort_by_key(seniority);
        if cap.at_limit == AtLimit::EndOldest {
            sessions.reverse();
        }
        for record in sessions.drain(cap.limit..) {
            self.end(record.key().locator).await?;
            if record.key() == own.key() {
                return Err(SessionError::TooManySessions { limit: cap.limit });
            }
        }
        Ok(())
    }
}
