//! The commit of what is deferred: at once where the store does, in a future where it does not.

use std::future::Future;
use std::pin::Pin;

use tracing::Instrument as _;

use super::Session;
use super::spans;
use super::state::{Phase, State};
use crate::changes::Changes;
use crate::engine::{Sent, Undo, Work};
use crate::error::SessionError;
use crate::record::Record;

/// How far a commit came without waiting.
pub(crate) enum Step<T> {
    Done(T),
    Waiting(Box<Saving>),
}

/// A commit that came about at once, or what is left of it.
pub(super) type AtOnce<T> = Result<T, Box<Rest<T>>>;

/// What is left of a commit that did not come about at once.
pub(crate) enum Rest<T> {
    Refused(SessionError),
    Waiting { saving: Box<Saving>, then: fn(&mut State) -> T },
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
    work: Work,
    /// The first attempt, where it was made already.
    sent: Option<Box<Sent>>,
    phase: Phase,
    span: tracing::Span,
    done: bool,
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
        match self.begin_commit(state, then) {
            None => Ok(T::default()),
            Some(Step::Done(result)) => Ok(result),
            Some(Step::Waiting(saving)) => Err(Box::new(Rest::Waiting { saving, then })),
        }
    }

    /// Begins the commit of what is deferred; `None` where there is no session.
    #[inline]
    pub(super) fn begin_commit<T>(&self, state: &mut State, then: fn(&mut State) -> T) -> Option<Step<T>> {
        let span = spans::commit(&state.key.as_ref()?.locator);
        let Err(sent) = span.in_scope(|| state.commit_at_once(self.engine())) else {
            return Some(Step::Done(then(state)));
        };
        self.take_saving(state, sent, span).map(|saving| Step::Waiting(Box::new(saving)))
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
        let saving = {
            let state = &mut *self.shared.state.lock();
            state.check_open()?;
            let Some(key) = state.key else { return Ok(None) };
            self.take_saving(state, None, spans::commit(&key.locator))
        };
        match saving {
            Some(saving) => Box::pin(saving.finish_undoable()).await,
            None => Ok(None),
        }
    }

    /// As [`save_undoable`](Self::save_undoable), where values take the place of old ones of their
    /// length and the store can do it without waiting for anything, a lock that another thread holds
    /// included. `None` where nothing was done; it is left to `save_undoable` then. For callers that
    /// hold others up while they wait, such as a binding that holds its interpreter's lock.
    #[must_use]
    pub fn save_undoable_at_hand(&self) -> Option<Undo> {
        let state = &mut *self.shared.state.try_lock()?;
        state.check_open().ok()?;
        let key = state.key?;
        let before = state.base.clone().filter(|_| state.settings.is_empty())?;
        let span = spans::commit(&key.locator);
        let after = span.in_scope(|| self.engine().write_at_hand(&before, &state.changes))?;
        state.changes = Changes::default();
        state.base = Some(after.clone());
        Some(Undo { key, before: Some(before), after: Some(after) })
    }

    fn take_saving(&self, state: &mut State, sent: Option<Box<Sent>>, span: tracing::Span) -> Option<Saving> {
        let work = state.take_work()?;
        let phase = std::mem::replace(&mut state.phase, Phase::Saving);
        Some(Saving { session: self.clone(), work, sent, phase, span, done: false })
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
        let key = self.work.key;
        let landed = self.land().await?;
        Ok(landed.map(|(before, after)| Undo { key, before, after: Some(after) }))
    }

    /// The record that was replaced and the one that was written.
    async fn land(&mut self) -> Result<Option<(Option<Record>, Record)>, SessionError> {
        let sent = self.sent.take();
        let span = self.span.clone();
        let written = self.session.engine().write(&self.work, sent).instrument(span).await?;
        self.done = true;
        let state = &mut *self.session.shared.state.lock();
        state.saved(self.phase);
        let Some(mut written) = written else { return Ok(None) };
        let landed = (written.replaced.take(), written.record.clone());
        state.written(written, &self.work);
        Ok(Some(landed))
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let state = &mut *self.session.shared.state.lock();
        state.saved(self.phase);
        // An update that was under way before may have moved the view meanwhile.
        self.work.changes.pin(self.work.base.as_ref());
        state.changes = std::mem::take(&mut self.work.changes);
        state.settings = std::mem::take(&mut self.work.settings);
    }
}
