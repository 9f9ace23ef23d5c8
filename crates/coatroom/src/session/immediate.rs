//! Changes that hold once the call returns: update, save, logout.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Session;
use super::saving::AtOnce;
use super::state::{CookieAction, State};
use crate::engine::{Undo, Work};
use crate::error::SessionError;
use crate::id::SessionId;
use crate::slot::Slot;

/// Why [`Session::try_update`] did not update.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TryUpdateError<E> {
    /// The closure refused; nothing changed.
    #[error("the update was refused")]
    Refused(#[source] E),
    /// The session could not do it.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Session {
    /// Replaces a slot's value by `change` of the newest value, beginning with `T::default()`
    /// where it holds none, and returns the new value. Immediate and atomic, in every store: of any
    /// number of parallel updates none is lost. Where there is no session it creates one, whose
    /// cookie is sent with any status.
    ///
    /// The closure may run more than once. Where another request has signed in meanwhile, the update lands
    /// and is all that this request sees of the newer session.
    ///
    /// # Errors
    ///
    /// [`SessionError::DeferredChange`] when this request has a deferred change of the attribute;
    /// [`SessionError::Gone`] when the session was ended meanwhile; [`SessionError::Store`] when the
    /// store fails; those of [`set`](Self::set).
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the value as before or as after.
    pub async fn update<T: Default + Serialize + DeserializeOwned + 'static>(
        &self,
        slot: Slot<'_, T>,
        mut change: impl FnMut(T) -> T,
    ) -> Result<T, SessionError> {
        let change = |value: Option<T>| Ok::<_, std::convert::Infallible>(change(value.unwrap_or_default()));
        self.try_update(slot, change).await.map_err(|error| match error {
            TryUpdateError::Refused(never) => match never {},
            TryUpdateError::Session(error) => error,
        })
    }

    /// As [`update`](Self::update), with a closure that sees absence and may refuse.
    ///
    /// # Errors
    ///
    /// [`TryUpdateError::Refused`] with the closure's error, and then nothing changed;
    /// [`TryUpdateError::Session`] as for `update`.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the value as before or as after.
    pub async fn try_update<T: Serialize + DeserializeOwned + 'static, E>(
        &self,
        slot: Slot<'_, T>,
        mut change: impl FnMut(Option<T>) -> Result<T, E>,
    ) -> Result<T, TryUpdateError<E>> {
        let work = self.update_work(slot.name())?;
        let codec = self.engine().codec(&work.key);
        let mut updated = None;
        let written = self
            .engine()
            .update(&work, slot.name(), |raw| {
                let value =
                    raw.map(|raw| codec.decode(&slot, raw)).transpose().map_err(SessionError::from)?;
                let value = updated.insert(change(value).map_err(TryUpdateError::Refused)?);
                Ok::<_, TryUpdateError<E>>(codec.encode(&slot, value).map_err(SessionError::from)?)
            })
            .await?;
        self.shared.state.lock().updated(written, slot.name());
        // The closure ran in the attempt that landed.
        updated.ok_or(TryUpdateError::Session(SessionError::Gone))
    }

    /// Commits what is deferred, at once. For handlers that outlive their response, after
    /// [`detach`](Self::detach), and for sessions opened without HTTP.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] when the session was ended meanwhile, [`SessionError::Conflict`] when a
    /// slot rejects another's change, [`SessionError::Store`] when the store fails, the limits'
    /// errors, [`SessionError::AfterResponse`] where the response has left and the session was not
    /// detached. The changes stay deferred then.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the record as before or as after, and the changes deferred:
    /// saving them again applies nothing twice but the closures of `edit`.
    pub async fn save(&self) -> Result<(), SessionError> {
        match self.commit_if(State::check_open, |_| ()) {
            Ok(()) => Ok(()),
            Err(rest) => rest.finish().await,
        }
    }

    /// Ends the session: its data is gone at once, on every node, whatever this handler then does;
    /// the cookie is expired with the response. What was deferred is dropped. A write after it
    /// begins a new session. Without a session it does nothing.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] when the store fails: then the session may still be alive, and the
    /// client must not be told otherwise. [`SessionError::Superseded`] on a superseded request.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the session as it was or ended.
    pub async fn logout(&self) -> Result<(), SessionError> {
        let stored = {
            let state = self.shared.state.lock();
            state.check_open()?;
            state.base.as_ref().map(|record| record.key().locator)
        };
        if let Some(locator) = stored {
            self.engine().end(locator).await?;
        }
        let state = &mut *self.shared.state.lock();
        // One that was created by this very request has no cookie to expire yet.
        let known_to_client = state.brought;
        state.forget();
        state.cookie = if known_to_client { CookieAction::Expire } else { CookieAction::Keep };
        Ok(())
    }

    /// As [`logout`](Self::logout), and hands out what takes it back with
    /// [`SessionManager::undo`](crate::SessionManager::undo). Ends the session that this handle
    /// opened and no other: `None` where it has ended already, also where another was begun under
    /// its key.
    ///
    /// # Errors
    ///
    /// As [`logout`](Self::logout).
    ///
    /// # Cancellation
    ///
    /// As [`logout`](Self::logout); where the session was ended, what takes it back is lost.
    pub async fn end_undoable(&self) -> Result<Option<Undo>, SessionError> {
        let base = {
            let state = self.shared.state.lock();
            state.check_open()?;
            state.base.clone()
        };
        let ended = match base {
            Some(base) => self.engine().end_same(&base).await?,
            None => None,
        };
        self.shared.state.lock().forget();
        Ok(ended.map(|record| Undo { key: *record.key(), before: Some(record), after: None }))
    }

    /// As [`save`](Self::save), with the id that the client must now use, where it is a new one.
    #[inline]
    pub(crate) fn save_for_client(&self) -> AtOnce<Option<Box<SessionId>>> {
        self.commit_if(State::check_open, State::take_new_id)
    }

    fn update_work(&self, name: &str) -> Result<Work, SessionError> {
        crate::codec::check_name(name)?;
        let mut state = self.shared.state.lock();
        state.check_open()?;
        if state.changes.touches(name) {
            return Err(SessionError::DeferredChange { name: name.to_owned() });
        }
        let key = state.ensure_key(self.engine())?;
        Ok(state.bare_work(key))
    }
}
