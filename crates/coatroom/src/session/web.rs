//! The layer's side of a session: loading it late, closing it with the response.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use super::state::{CookieAction, Phase, State};
use crate::engine::{Engine, Loaded};
use crate::id::SessionId;

/// What the response has to tell the client about its cookie.
pub(crate) enum CookieNews {
    Nothing,
    Send {
        id: SessionId,
        /// Whether this session's cookie outlives the browser.
        persistent: bool,
        /// Until the end of its lifetime.
        remaining: Duration,
    },
    Expire,
}

impl Session {
    pub(crate) fn unloaded(engine: Arc<Engine>, id: Option<SessionId>, passive: bool) -> Self {
        let mut state = State::empty();
        state.phase = Phase::Unloaded;
        state.id = id;
        state.passive = passive;
        Self::new(engine, state)
    }

    pub(crate) fn is_unloaded(&self) -> bool {
        self.shared.state.lock().phase == Phase::Unloaded
    }

    /// The id that the request brought and whether it is passive; `None` once it is loaded.
    pub(crate) fn presented(&self) -> Option<(Option<SessionId>, bool)> {
        let state = self.shared.state.lock();
        (state.phase == Phase::Unloaded).then(|| (state.id.clone(), state.passive))
    }

    /// Takes in what was loaded, unless another clone of the handle was first.
    pub(crate) fn fill(&self, loaded: Loaded) {
        let state = &mut *self.shared.state.lock();
        if state.phase != Phase::Unloaded {
            return;
        }
        state.phase = if matches!(loaded, Loaded::Superseded) { Phase::Superseded } else { Phase::Open };
        match loaded {
            Loaded::Live(record) => {
                state.key = Some(*record.key());
                state.base = Some(record);
                state.brought = true;
            }
            Loaded::Superseded | Loaded::Nothing => state.id = None,
        }
    }

    pub(crate) fn set_passive(&self) {
        self.shared.state.lock().passive = true;
    }

    pub(crate) fn roll_back(&self) {
        self.shared.state.lock().roll_back();
    }

    /// Whether there is anything to commit.
    pub(crate) fn has_deferred(&self) -> bool {
        self.shared.state.lock().has_deferred()
    }

    /// The response leaves: no change will be committed by the layer any more.
    pub(crate) fn close(&self) -> CookieNews {
        let state = &mut *self.shared.state.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Sent;
        }
        match std::mem::replace(&mut state.cookie, CookieAction::Keep) {
            CookieAction::Keep => CookieNews::Nothing,
            CookieAction::Expire => CookieNews::Expire,
            CookieAction::Send => {
                state.id.clone().zip(state.base.as_ref()).map_or(CookieNews::Nothing, |(id, record)| {
                    CookieNews::Send {
                        id,
                        persistent: record.is_persistent(),
                        remaining: record.deadline().since(self.shared.engine.now()),
                    }
                })
            }
        }
    }
}
