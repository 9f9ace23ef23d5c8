//! What the handles of one session share.

use std::fmt;

use crate::changes::Changes;
use crate::engine::{AtOnce, Engine, Sent, Settings, Work, Written};
use crate::error::SessionError;
use crate::id::{EntropyError, Key, SessionId};
use crate::record::{AttributeEdit, HashAlgorithm, Record};

/// One request's view: the record it began with and what it changed.
pub(crate) struct State {
    /// `None` until there is a session or a first write.
    pub(crate) key: Option<Key>,
    /// The id that the client holds or shall hold; `None` for a session opened without one.
    pub(crate) id: Option<SessionId>,
    /// The record this request sees.
    pub(crate) base: Option<Record>,
    pub(crate) changes: Changes,
    pub(crate) settings: Settings,
    pub(crate) phase: Phase,
    pub(crate) detached: bool,
    /// Loading it is no activity.
    #[cfg(feature = "tower")]
    pub(crate) passive: bool,
    /// The request brought an id that opened this session, so the client holds a cookie.
    pub(crate) brought: bool,
    pub(crate) cookie: CookieAction,
}

/// What may be done with a session now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Open,
    /// A commit is under way.
    Saving,
    /// As `Saving`, and the response has left meanwhile.
    SavingSent,
    /// The response has left.
    Sent,
    /// The request's secret was replaced a moment ago: reads are empty, writes refused.
    #[cfg(feature = "tower")]
    Superseded,
    /// Nobody asked for it yet.
    #[cfg(feature = "tower")]
    Unloaded,
}

/// What the response tells the browser about its cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CookieAction {
    Keep,
    Send,
    Expire,
}

impl State {
    pub(super) fn bare(key: Option<Key>, id: Option<SessionId>, base: Option<Record>) -> Self {
        Self {
            key,
            id,
            base,
            changes: Changes::default(),
            settings: Settings::default(),
            phase: Phase::Open,
            detached: false,
            #[cfg(feature = "tower")]
            passive: false,
            brought: false,
            cookie: CookieAction::Keep,
        }
    }

    /// A session that `id` opened.
    pub(crate) fn opened(id: SessionId, record: Record) -> Self {
        Self { brought: true, ..Self::bare(Some(*record.key()), Some(id), Some(record)) }
    }

    /// A session opened by the server itself, without a secret: by its locator or its key.
    pub(crate) fn trusted(key: Key, record: Option<Record>) -> Self {
        Self::bare(Some(key), None, record)
    }

    /// Whether a change may be made now.
    #[inline]
    pub(crate) fn check_open(&self) -> Result<(), SessionError> {
        match self.phase {
            Phase::Open => Ok(()),
            Phase::Saving => Err(SessionError::SaveRunning),
            Phase::Sent if self.detached => Ok(()),
            Phase::SavingSent if self.detached => Err(SessionError::SaveRunning),
            Phase::Sent | Phase::SavingSent => Err(SessionError::AfterResponse),
            #[cfg(feature = "tower")]
            Phase::Superseded => Err(SessionError::Superseded),
            // A handle gives sessions out loaded, so none is changed in this phase.
            #[cfg(feature = "tower")]
            Phase::Unloaded => Err(SessionError::AfterResponse),
        }
    }

    /// Whether a new id could still reach the client.
    pub(crate) fn check_cookie(&self) -> Result<(), SessionError> {
        self.check_open()?;
        let reachable = self.phase != Phase::Sent;
        if reachable { Ok(()) } else { Err(SessionError::AfterResponse) }
    }

    /// The key of the session, of a new one if there is none: its first write begins here.
    #[inline]
    pub(crate) fn ensure_key(&mut self, engine: &Engine) -> Result<Key, SessionError> {
        if let Some(key) = self.key.filter(|_| self.base.is_some() || self.id.is_none()) {
            return Ok(key);
        }
        // The cookie of a session that is not stored yet could not reach the client any more.
        self.check_cookie()?;
        if let Some(key) = self.key {
            return Ok(key);
        }
        let id = SessionId::generate().map_err(|error: EntropyError| SessionError::from(error))?;
        let key = engine.key(id.locator());
        self.key = Some(key);
        self.id = Some(id);
        Ok(key)
    }

    /// Commits what is deferred where that needs no waiting. Otherwise the general way goes on from
    /// what was sent to the store already.
    #[inline]
    pub(super) fn commit_at_once(&mut self, engine: &Engine) -> Result<(), Option<Box<Sent>>> {
        let Some(base) = self.base.as_ref().filter(|_| self.settings.is_empty()) else { return Err(None) };
        match engine.write_at_once(base, &self.changes) {
            AtOnce::Landed(record) => self.base = Some(record),
            AtOnce::Unchanged => {}
            AtOnce::Sent(sent) => return Err(Some(sent)),
            AtOnce::Unfit => return Err(None),
        }
        self.changes = Changes::default();
        Ok(())
    }

    /// The work of a commit of everything deferred; the changes go with it.
    pub(crate) fn take_work(&mut self) -> Option<Work> {
        Some(Work {
            key: self.key?,
            base: self.base.clone(),
            fresh: self.fresh_id(),
            changes: std::mem::take(&mut self.changes),
            settings: std::mem::take(&mut self.settings),
        })
    }

    /// The work of an immediate change, which leaves what is deferred alone.
    pub(crate) fn bare_work(&self, key: Key) -> Work {
        let mut settings = Settings::default();
        if self.settings.confirmed {
            settings.confirmed = true;
        }
        Work { key, base: self.base.clone(), fresh: self.fresh_id(), changes: Changes::default(), settings }
    }

    /// The id to create a session with, where it has one and does not exist yet.
    fn fresh_id(&self) -> Option<Box<SessionId>> {
        if self.base.is_none() { self.id.clone().map(Box::new) } else { None }
    }

    /// A commit that began in the phase `before` is no longer under way.
    pub(super) fn saved(&mut self, before: Phase) {
        self.phase = if self.phase == Phase::SavingSent { Phase::Sent } else { before };
    }

    /// Takes in what a commit of `work` came to.
    pub(super) fn written(&mut self, written: Written, work: &Work) {
        if let Some(view) = self.overtaken(&written) {
            self.base = Some(work.changes.over(view));
            return;
        }
        self.take(written);
        if work.settings.change_cookie() {
            self.renew_cookie();
        }
    }

    /// Takes in what an update of the attribute `name` came to; what is deferred keeps the base it saw.
    pub(super) fn updated(&mut self, written: Written, name: &str) {
        // A logout through a clone was first.
        if self.key != Some(*written.record.key()) {
            return;
        }
        if self.is_beyond(&written.record) {
            return self.take(written);
        }
        self.changes.pin(self.base.as_ref());
        match self.overtaken(&written) {
            Some(view) => {
                let edit = AttributeEdit { name, value: written.record.get(name) };
                self.base = Some(view.seen_with(false, &[edit]).unwrap_or_else(|_| view.clone()));
            }
            None => self.take(written),
        }
    }

    /// The view that this request keeps where what it wrote landed behind a renewal that is not its own. It
    /// gains what this request wrote and nothing else: the rest is for whoever holds the new secret.
    /// And since its record is still the one that the request's own secret opened, every later commit
    /// meets a newer one, and signs in nobody and renews nothing.
    fn overtaken(&self, written: &Written) -> Option<&Record> {
        self.base.as_ref().filter(|view| written.id.is_none() && !view.shares_secret(&written.record))
    }

    fn take(&mut self, written: Written) {
        if let Some(id) = written.id {
            self.id = Some(*id);
            self.cookie = CookieAction::Send;
        }
        if !self.is_beyond(&written.record) {
            self.base = Some(written.record);
        }
    }

    /// Whether the view is of a later commit: what clones of one handle do at once may end in any order.
    fn is_beyond(&self, record: &Record) -> bool {
        self.base.as_ref().is_some_and(|base| base.succeeds(record))
    }

    /// The browser holds a cookie of another duration than the session now has.
    fn renew_cookie(&mut self) {
        if self.id.is_some() && self.phase != Phase::Sent {
            self.cookie = CookieAction::Send;
        }
    }

    /// The id that the client must now use, where it is a new one it has not been told.
    #[inline]
    pub(crate) fn take_new_id(&mut self) -> Option<Box<SessionId>> {
        let sends = std::mem::replace(&mut self.cookie, CookieAction::Keep) == CookieAction::Send;
        if sends { self.id.clone().map(Box::new) } else { None }
    }

    /// Forgets the session: the next write draws a new one. A keyed session keeps its key.
    pub(crate) fn forget(&mut self) {
        let is_keyed = self.base.as_ref().is_some_and(|r| r.hash_algorithm() == HashAlgorithm::Keyed);
        self.key = self.key.filter(|_| is_keyed);
        self.id = None;
        self.base = None;
        self.changes = Changes::default();
        self.settings = Settings::default();
    }

    #[cfg(feature = "tower")]
    pub(crate) fn has_deferred(&self) -> bool {
        let creates = self.settings.login.is_some() || self.settings.create;
        !self.changes.is_empty() || creates || self.base.is_some() && self.settings.change_record()
    }

    /// Drops everything deferred.
    #[cfg(feature = "tower")]
    pub(crate) fn roll_back(&mut self) {
        self.changes = Changes::default();
        self.settings = Settings::default();
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("locator", &self.key.map(|key| key.locator))
            .field("record", &self.base)
            .field("changes", &self.changes)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
