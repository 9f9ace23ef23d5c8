//! The deferred commit: compare-and-set, and replay on whatever is newer.

use super::login::Admission;
use super::plan::{Draw, Work};
use super::{Engine, MAX_ATTEMPTS, Sent};
use crate::error::{SessionError, StoreError};
use crate::event::Event;
use crate::id::SessionId;
use crate::record::{HashAlgorithm, Record};
use crate::store::{Commit, Creation, Departed, StoreFuture};

/// A commit that landed.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) record: Record,
    /// The record it took the place of; `None` where it created the session.
    pub(crate) replaced: Option<Record>,
    /// The id the client must now use, where it is another than it brought.
    pub(crate) id: Option<Box<SessionId>>,
}

/// What became of one attempt.
pub(super) enum Attempt {
    Landed(Vec<Departed>),
    /// Start again from this record.
    Newer(Record),
    Gone,
}

impl Engine {
    /// Commits `work`, whose first attempt may have been `sent`; `None` where there was nothing to
    /// write.
    pub(crate) async fn write(
        &self,
        work: &Work,
        sent: Option<Box<Sent>>,
    ) -> Result<Option<Written>, SessionError> {
        let written = self.write_replaying(work, sent).await;
        #[cfg(feature = "metrics")]
        match &written {
            Ok(Some(written)) => crate::metrics::landed(written.record.bytes().len()),
            Ok(None) => crate::metrics::commit("unchanged"),
            Err(_) => crate::metrics::commit("failed"),
        }
        written
    }

    async fn write_replaying(
        &self,
        work: &Work,
        mut sent: Option<Box<Sent>>,
    ) -> Result<Option<Written>, SessionError> {
        let admission = match &work.settings.login {
            Some(principal) => self.before_login(work, principal).await?,
            None => Admission::default(),
        };
        let draw = self.draw(work, admission)?;
        let mut newer = None;
        for _ in 0..MAX_ATTEMPTS {
            let newest = newer.as_ref().or(work.base.as_ref());
            work.check_newest(newest)?;
            let (record, attempt) = match (sent.take(), newest) {
                (Some(sent), Some(newest)) => {
                    let Sent { record, answer } = *sent;
                    let attempt = self.make_certain(newest.revision(), &record, answer).await?;
                    (record, attempt)
                }
                (_, newest) => {
                    let Some(record) = self.plan(work, newest, &draw)? else { return Ok(None) };
                    let attempt = self.attempt(newest, &record).await?;
                    (record, attempt)
                }
            };
            match attempt {
                Attempt::Landed(departed) => {
                    self.report_all(&departed);
                    self.tell_landed(newest, &record, &draw, work);
                    if let Some(principal) = &work.settings.login {
                        self.after_login(principal, &record).await?;
                    }
                    let id = draw.renewed.or_else(|| work.fresh.clone());
                    let replaced = newest.cloned();
                    return Ok(Some(Written { record, replaced, id }));
                }
                Attempt::Newer(record) => newer = Some(record),
                Attempt::Gone => return Err(SessionError::Gone),
            }
        }
        Err(SessionError::Contended { attempts: MAX_ATTEMPTS })
    }

    /// One attempt to put `record` in the place of `newest`.
    pub(super) async fn attempt(
        &self,
        newest: Option<&Record>,
        record: &Record,
    ) -> Result<Attempt, StoreError> {
        let Some(newest) = newest else { return self.create(record).await };
        let answer = self.store.commit(newest.revision(), record.clone(), self.now());
        self.make_certain(newest.revision(), record, answer).await
    }

    /// The outcome of an attempt to replace `expected`, made certain where the answer was lost.
    pub(super) async fn make_certain(
        &self,
        expected: u64,
        record: &Record,
        answer: StoreFuture<Commit>,
    ) -> Result<Attempt, StoreError> {
        match answer.await {
            Ok(Commit::Landed(departed)) => Ok(Attempt::Landed(departed)),
            Ok(Commit::Conflict(newest)) => Ok(Attempt::Newer(newest)),
            Ok(Commit::Gone) => Ok(Attempt::Gone),
            Err(error) if error.is_outcome_unknown() => self.ask_again(expected, record, error).await,
            Err(error) => Err(error),
        }
    }

    /// What became of a commit whose answer was lost with `error`. It may still be on its way, so
    /// where the record is as before the very same one is sent again: of the two one lands at most,
    /// and the other meets it.
    async fn ask_again(
        &self,
        expected: u64,
        record: &Record,
        error: StoreError,
    ) -> Result<Attempt, StoreError> {
        let mut newest = self.find(record).await?;
        if newest.as_ref().is_some_and(|found| found.revision() == expected) {
            match self.store.commit(expected, record.clone(), self.now()).await? {
                Commit::Landed(departed) => return Ok(Attempt::Landed(departed)),
                Commit::Conflict(found) => newest = Some(found),
                Commit::Gone => newest = None,
            }
        }
        match newest {
            None => Ok(Attempt::Gone),
            Some(found) if is_same_commit(&found, record) => Ok(Attempt::Landed(Vec::new())),
            // Another's stands where ours would, so ours never will.
            Some(found) if found.revision() == record.revision() => Ok(Attempt::Newer(found)),
            // Others committed on top, perhaps of ours: nobody can tell, so it is no success.
            Some(_) => Err(error),
        }
    }

    async fn create(&self, record: &Record) -> Result<Attempt, StoreError> {
        match self.store.create(record.clone(), self.now()).await {
            Ok(Creation::Created(departed)) => Ok(Attempt::Landed(departed)),
            Ok(Creation::Exists) => self.met_existing(record).await,
            Err(error) if error.is_outcome_unknown() => match self.find(record).await? {
                Some(found) if is_same_commit(&found, record) => Ok(Attempt::Landed(Vec::new())),
                Some(found) if is_for_us(&found, record) => Ok(Attempt::Newer(found)),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// What another made meanwhile is the session to write into, where it is for us. Any other under a
    /// drawn locator means a broken source of randomness, and then nothing may be handed out.
    async fn met_existing(&self, record: &Record) -> Result<Attempt, StoreError> {
        match self.find(record).await? {
            Some(found) if is_same_commit(&found, record) => Ok(Attempt::Landed(Vec::new())),
            Some(found) if is_for_us(&found, record) => Ok(Attempt::Newer(found)),
            _ => Err(StoreError::unavailable("creating the session failed: its locator is taken; try again")),
        }
    }

    async fn find(&self, record: &Record) -> Result<Option<Record>, StoreError> {
        self.store.load(record.key(), self.now()).await
    }

    fn draw(&self, work: &Work, admission: Admission) -> Result<Draw, SessionError> {
        let renews = work.base.is_some() && work.settings.renews() && !work.is_keyed();
        let renewed = if renews { Some(Box::new(SessionId::renewed(work.key.locator)?)) } else { None };
        Ok(Draw { now: self.now(), nonce: fastrand::u64(..), renewed, admission })
    }

    /// Tells of a session that was first stored.
    pub(crate) fn tell_created(&self, record: &Record) {
        self.events.tell(&Event::Created { locator: record.key().locator });
    }

    /// Tells of `record`, which took the place of `replaced`.
    fn tell_landed(&self, replaced: Option<&Record>, record: &Record, draw: &Draw, work: &Work) {
        let locator = record.key().locator;
        if replaced.is_none() {
            self.tell_created(record);
        }
        if draw.renewed.is_some() || work.settings.login.is_some() {
            self.events.tell(&Event::Renewed { locator, principal: record.principal() });
        }
    }
}

impl Work {
    /// Whether this work may be done on `newest`. A session that was ended and begun again under
    /// its key is another one. A request that began before a renewal may still write its data, and
    /// may neither sign in nor renew: the browser already holds the newer cookie.
    pub(super) fn check_newest(&self, newest: Option<&Record>) -> Result<(), SessionError> {
        let Some(newest) = newest else { return Ok(()) };
        if let Some(base) = &self.base {
            if newest.is_same(base) {
                return Ok(());
            }
            if !newest.succeeds(base) {
                return Err(SessionError::Gone);
            }
            if self.settings.renews() && !base.shares_secret(newest) {
                return Err(SessionError::Superseded);
            }
        }
        self.check_owner(newest)
    }

    /// A keyed session has no secret to renew, so who signed in on it meanwhile is told by the principal:
    /// a login hands over nothing that it did not find there when it was asked for.
    fn check_owner(&self, newest: &Record) -> Result<(), SessionError> {
        let Some(principal) = self.settings.login.as_deref() else { return Ok(()) };
        let (owner, found) = (newest.principal(), self.base.as_ref().and_then(Record::principal));
        let theirs = owner.is_some_and(|owner| owner != principal) && owner != found;
        if theirs { Err(SessionError::Superseded) } else { Ok(()) }
    }

    fn is_keyed(&self) -> bool {
        self.base.as_ref().is_some_and(|record| record.hash_algorithm() == HashAlgorithm::Keyed)
    }
}

/// Whether who may create `record` may write into `found`: both are keyed, or a clone of the handle drew
/// the id and was first.
fn is_for_us(found: &Record, record: &Record) -> bool {
    found.hash_algorithm() == record.hash_algorithm() && found.shares_secret(record)
}

/// Whether `found` is the very commit that `record` was sent as.
fn is_same_commit(found: &Record, record: &Record) -> bool {
    found.nonce() == record.nonce() && found.revision() == record.revision()
}
