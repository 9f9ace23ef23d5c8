//! The commit of what is deferred: at once where the store does, in a future where it does not.

use std::future::Future;
use std::pin::Pin;

use tracing::Instrument as _;

use super::Session;
use super::spans;
use super::state::{Phase, State};
use crate::changes::Changes;
use crate::engine::{Engine, Sent, Undo, Work, Written};
use crate::error::SessionError;
use crate::id::Key;
use crate::record::Record;

/// A commit that came about at once, or what is left of it.
pub(super) type AtOnce<T> = Result<T, Box<Rest<T>>>;

/// What is left of a commit that did not come about at once.
pub(crate) enum Rest<T> {
    Refused(SessionError),
    Waiting { saving: Saving, then: fn(&mut State) -> T },
}

impl<T: Send + 'static> Rest<T> {
    /// Boxed without a type, so that neither the futures of handlers nor what comes about at once
    /// carry any of it.
    #[cold]
    pub(crate) fn finish(self: Box<Self>) -> Pin<Box<dyn Future<Output = Result<T, SessionError>> + Send>> {
        Box::pin(async {
            match *self {
                Self::Refused(refusal) => Err(refusal),
                Self::Waiting { saving, then } => saving.finish(then).await,
            }
        })
    }
}

/// A commit under way. Until it is done the session takes no changes; if it fails or is dropped,
/// they are deferred as before.
pub(crate) struct Saving {
    session: Session,
    pending: Box<Pending>,
    done: bool,
}

/// A commit that its session has let go of.
pub(super) struct Pending {
    work: Work,
    /// The first attempt, where it was made already.
    sent: Option<Box<Sent>>,
    phase: Phase,
    span: Option<tracing::Span>,
}

impl State {
    /// Commits what is deferred where that needs no waiting, and otherwise begins to; `None` where there is
    /// no session.
    #[inline]
    pub(super) fn commit(&mut self, engine: &Engine) -> Option<Result<(), Box<Pending>>> {
        let span = spans::commit(&self.key.as_ref()?.locator);
        let entered = span.as_ref().map(tracing::Span::enter);
        let Err(sent) = self.commit_at_once(engine) else { return Some(Ok(())) };
        drop(entered);
        self.begin(sent, span).map(Err)
    }

    /// Until the commit is done the session takes no changes.
    #[cold]
    fn begin(&mut self, sent: Option<Box<Sent>>, span: Option<tracing::Span>) -> Option<Box<Pending>> {
        let work = self.take_work()?;
        let phase = std::mem::replace(&mut self.phase, Phase::Saving);
        Some(Box::new(Pending { work, sent, phase, span }))
    }
}

impl Session {
    /// Commits what is deferred if `may` allows it; the result is that of `then` afterwards.
    #[inline]
    pub(super) fn commit_if<T: Default>(
        &self,
        may: fn(&State) -> Result<(), SessionError>,
        then: fn(&mut State) -> T,
    ) -> AtOnce<T> {
        let state = &mut *self.shared.state.lock();
        if let Err(refusal) = may(state) {
            return Err(Box::new(Rest::Refused(refusal)));
        }
        match state.commit(self.engine()) {
            None => Ok(T::default()),
            Some(Ok(())) => Ok(then(state)),
            Some(Err(pending)) => Err(Box::new(Rest::Waiting { saving: self.saving(pending), then })),
        }
    }

    #[cold]
    pub(super) fn saving(&self, pending: Box<Pending>) -> Saving {
        Saving { session: self.clone(), pending, done: false }
    }

    /// As [`Session::save`], and hands out what takes the commit back with
    /// [`SessionManager::undo`](crate::SessionManager::undo): for callers that commit together with
    /// others who may yet refuse. `None` where there was nothing to write.
    ///
    /// # Errors
    ///
    /// As [`Session::save`].
    ///
    /// # Cancellation
    ///
    /// As [`Session::save`]; where the record was written, what takes it back is lost.
    pub async fn save_undoable(&self) -> Result<Option<Undo>, SessionError> {
        let pending = {
            let state = &mut *self.shared.state.lock();
            state.check_open()?;
            let Some(key) = state.key else { return Ok(None) };
            state.begin(None, spans::commit(&key.locator))
        };
        match pending {
            Some(pending) => Box::pin(self.saving(pending).finish_undoable()).await,
            None => Ok(None),
        }
    }

    /// As [`save_undoable`](Self::save_undoable), where the session is new or values take the place of
    /// old ones of their length, and the store can do it without waiting for anything, a lock that
    /// another thread holds included. `None` where nothing was done; it is left to `save_undoable` then.
    /// For callers that hold others up while they wait, such as a binding that holds its interpreter's
    /// lock.
    #[must_use]
    pub fn save_undoable_at_hand(&self) -> Option<Undo> {
        let mut state = self.shared.state.try_lock()?;
        state.check_open().ok()?;
        if state.base.is_some() {
            return self.replace_at_hand(&mut state);
        }
        let (key, record) = self.create_at_hand(&mut state)?;
        // Who is told may use the session.
        drop(state);
        self.engine().tell_created(&record);
        Some(Undo { key, before: None, after: Some(record) })
    }

    fn create_at_hand(&self, state: &mut State) -> Option<(Key, Record)> {
        let work = state.take_work()?;
        let span = spans::commit(&work.key.locator);
        let _entered = span.as_ref().map(tracing::Span::enter);
        let Some(record) = self.engine().create_at_hand(&work) else {
            (state.changes, state.settings) = (work.changes, work.settings);
            return None;
        };
        let written = Written { record: record.clone(), replaced: None, id: work.fresh.clone() };
        state.written(written, &work);
        Some((work.key, record))
    }

    fn replace_at_hand(&self, state: &mut State) -> Option<Undo> {
        let key = state.key?;
        let before = state.base.clone().filter(|_| state.settings.is_empty())?;
        let span = spans::commit(&key.locator);
        let _entered = span.as_ref().map(tracing::Span::enter);
        let after = self.engine().write_at_hand(&before, &state.changes)?;
        state.changes = Changes::default();
        state.base = Some(after.clone());
        Some(Undo { key, before: Some(before), after: Some(after) })
    }
}

impl Saving {
    /// Waits for the store.
    pub(crate) async fn finish<T>(mut self, then: fn(&mut State) -> T) -> Result<T, SessionError> {
        self.land().await?;
        Ok(then(&mut self.session.shared.state.lock()))
    }

    /// Waits for the store, and keeps what takes the commit back; `None` where nothing was written.
    async fn finish_undoable(mut self) -> Result<Option<Undo>, SessionError> {
        let key = self.pending.work.key;
        let landed = self.land().await?;
        Ok(landed.map(|(before, after)| Undo { key, before, after: Some(after) }))
    }

    /// The record that was replaced and the one that was written.
    async fn land(&mut self) -> Result<Option<(Option<Record>, Record)>, SessionError> {
        let Pending { work, sent, phase, span } = &mut *self.pending;
        let span = span.take().unwrap_or_else(tracing::Span::none);
        let written = self.session.engine().write(work, sent.take()).instrument(span).await?;
        self.done = true;
        let state = &mut *self.session.shared.state.lock();
        state.saved(*phase);
        let Some(mut written) = written else { return Ok(None) };
        let landed = (written.replaced.take(), written.record.clone());
        state.written(written, work);
        Ok(Some(landed))
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let state = &mut *self.session.shared.state.lock();
        let Pending { work, phase, .. } = &mut *self.pending;
        state.saved(*phase);
        // An update that was under way before may have moved the view meanwhile.
        work.changes.pin(work.base.as_ref());
        state.changes = std::mem::take(&mut work.changes);
        state.settings = std::mem::take(&mut work.settings);
    }
}
