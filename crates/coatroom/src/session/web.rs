//! The layer's side of a session: loading it late, closing it with the response.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tracing::Instrument as _;

use super::saving::{Pending, Saving};
use super::spans;
use super::state::{CookieAction, Phase, State};
use super::{Session, Shared};
use crate::clock::Timestamp;
use crate::engine::{Engine, Loaded, Opening};
use crate::error::{SessionError, StoreError};
use crate::id::SessionId;

/// A load that the store does not answer at once.
pub(crate) struct Begun {
    opening: Box<Opening>,
    id: SessionId,
    passive: bool,
    span: Option<tracing::Span>,
}

/// What the response has to tell the client about its cookie.
pub(crate) enum CookieNews {
    Nothing,
    /// Boxed, since most responses have nothing to tell.
    Send(Box<NewCookie>),
    Expire,
}

/// How far the commit of a request that was answered came without waiting.
pub(crate) enum Step {
    Done(CookieNews),
    Waiting(Saving),
}

/// A cookie to be set.
pub(crate) struct NewCookie {
    pub(crate) id: SessionId,
    /// Whether this session's cookie outlives the browser.
    pub(crate) persistent: bool,
    /// The end of its lifetime.
    pub(crate) deadline: Timestamp,
}

impl Session {
    pub(crate) fn unloaded(engine: Arc<Engine>, id: Option<SessionId>, passive: bool) -> Self {
        Self::new(engine, State { phase: Phase::Unloaded, passive, ..State::bare(None, id, None) })
    }

    pub(crate) fn is_unloaded(&self) -> bool {
        self.shared.state.lock().phase == Phase::Unloaded
    }

    /// Loads the record if nobody has yet, at once where the store does; else it is begun.
    #[inline]
    pub(crate) fn begin_load(&self) -> Option<Box<Begun>> {
        let state = &mut *self.shared.state.lock();
        if state.phase != Phase::Unloaded {
            return None;
        }
        let Some(id) = &state.id else {
            state.fill(Loaded::Nothing);
            return None;
        };
        let span = spans::load(&id.locator());
        let entered = span.as_ref().map(tracing::Span::enter);
        match self.engine().load_at_once(id, state.passive) {
            Ok(loaded) => {
                state.fill(loaded);
                None
            }
            Err(opening) => {
                drop(entered);
                Some(Box::new(Begun { opening, id: id.clone(), passive: state.passive, span }))
            }
        }
    }

    /// Waits for a load that was begun. Boxed without a type, so that neither the futures of
    /// handlers nor what is loaded at once carry any of it.
    #[cold]
    pub(crate) fn finish_load(
        &self,
        begun: Box<Begun>,
    ) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + '_>> {
        Box::pin(async move {
            let Begun { opening, id, passive, span } = *begun;
            let span = span.unwrap_or_else(tracing::Span::none);
            let loaded = self.engine().finish_load(opening, &id, passive).instrument(span).await?;
            let state = &mut *self.shared.state.lock();
            // Another clone of the handle may have been first.
            if state.phase == Phase::Unloaded {
                state.fill(loaded);
            }
            Ok(())
        })
    }

    pub(crate) fn set_passive(&self) {
        self.shared.state.lock().passive = true;
    }

    /// The handler has answered: its deferred changes are committed, or where it failed dropped, and
    /// no change will be committed by the layer any more. `None` where nobody asked for the session.
    pub(crate) fn conclude(&mut self, rolls_back: bool) -> Option<Step> {
        // Most handlers have dropped what they held, and then there is nobody to lock out.
        let concluded = match triomphe::Arc::get_mut(&mut self.shared) {
            Some(Shared { engine, state }) => state.get_mut().conclude(engine, rolls_back),
            None => self.shared.state.lock().conclude(self.engine(), rolls_back),
        };
        match concluded? {
            Ok(news) => Some(Step::Done(news)),
            Err(pending) => Some(Step::Waiting(self.saving(pending))),
        }
    }

    /// The response leaves though its commit failed: what it could not keep is dropped, and is not
    /// committed behind it.
    pub(crate) fn close(&self) -> CookieNews {
        let state = &mut *self.shared.state.lock();
        state.roll_back();
        state.close()
    }
}

impl Saving {
    /// Waits for the store, then lets the response leave.
    pub(crate) async fn finish_for_response(self) -> Result<CookieNews, SessionError> {
        self.finish(State::close).await
    }
}

impl State {
    /// Takes in what was loaded.
    fn fill(&mut self, loaded: Loaded) {
        self.phase = if matches!(loaded, Loaded::Superseded) { Phase::Superseded } else { Phase::Open };
        match loaded {
            Loaded::Live(record) => {
                self.key = Some(*record.key());
                self.base = Some(record);
                self.brought = true;
            }
            Loaded::Superseded | Loaded::Nothing => self.id = None,
        }
    }

    #[inline]
    fn conclude(&mut self, engine: &Engine, rolls_back: bool) -> Option<Result<CookieNews, Box<Pending>>> {
        if self.phase == Phase::Unloaded {
            return None;
        }
        if rolls_back {
            self.roll_back();
        }
        match self.has_deferred().then(|| self.commit(engine)) {
            Some(Some(Err(pending))) => Some(Err(pending)),
            _ => Some(Ok(self.close())),
        }
    }

    fn close(&mut self) -> CookieNews {
        self.phase = match self.phase {
            Phase::Open => Phase::Sent,
            Phase::Saving => Phase::SavingSent,
            other => other,
        };
        match std::mem::replace(&mut self.cookie, CookieAction::Keep) {
            CookieAction::Keep => CookieNews::Nothing,
            CookieAction::Expire => CookieNews::Expire,
            CookieAction::Send => {
                let id = self.id.clone().zip(self.base.as_ref());
                id.map_or(CookieNews::Nothing, |(id, record)| {
                    let (persistent, deadline) = (record.is_persistent(), record.deadline());
                    CookieNews::Send(Box::new(NewCookie { id, persistent, deadline }))
                })
            }
        }
    }
}
