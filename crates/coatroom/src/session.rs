//! What a handler holds: one request's view of a session.

mod immediate;
mod lifecycle;
mod raw;
mod replays;
mod saving;
mod spans;
mod state;
mod values;
#[cfg(feature = "tower")]
mod web;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

pub use self::immediate::TryUpdateError;
pub(crate) use self::state::State;
#[cfg(feature = "tower")]
pub(crate) use self::web::{CookieNews, Step};
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::id::Locator;
use crate::snapshot;

/// One request's view of its session.
///
/// Taking it as an argument of a handler has loaded the record, so reading and deferred changes are
/// plain calls on memory. It is a cheap handle: clones share one state. Reading never creates a
/// session; the first write does, and its cookie leaves with the response.
///
/// | change | holds when | examples |
/// |---|---|---|
/// | deferred | the handler succeeded, once, before the headers leave | `set`, `remove`, `clear`, `take`, `edit`, `login`, `renew` |
/// | immediate | the call returned, whatever the handler then does | `update`, `save`, `logout` |
///
/// Where another request committed first, deferred changes are replayed on its record attribute by
/// attribute: different attributes never collide, [`edit`](Self::edit) runs its closure again on
/// the newer value, a slot with a merge function merges, and `set` is later-wins unless its slot
/// says otherwise. A `get` followed by a `set` of what was computed from it protects nothing: use
/// `edit` or `update`.
///
/// No lock is held between calls, nothing here blocks, and dropping it changes nothing.
#[derive(Clone)]
pub struct Session {
    shared: triomphe::Arc<Shared>,
}

/// The mutex is never held across an await, nor while an application's closure runs. Values are
/// decoded under it, so a `Deserialize` must not use the session it is read from.
struct Shared {
    engine: Arc<Engine>,
    state: Mutex<State>,
}

impl Session {
    #[inline]
    pub(crate) fn new(engine: Arc<Engine>, state: State) -> Self {
        Self { shared: triomphe::Arc::new(Shared { engine, state: Mutex::new(state) }) }
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// Whether there is a session in the store that this request loaded or has written.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.shared.state.lock().base.is_some()
    }

    /// The public name of the session; `None` until the first write draws one.
    #[must_use]
    pub fn locator(&self) -> Option<Locator> {
        self.shared.state.lock().key.map(|key| key.locator)
    }

    /// The revision of the record that this request sees: it rises with every commit, and a session
    /// begun again under the same key has another one.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.shared.state.lock().base.as_ref().map(|record| record.revision())
    }

    /// Whose session it is in this request's view, a deferred [`login`](Self::login) included. Never
    /// somebody who signed in through another request meanwhile, whatever this one wrote since.
    #[must_use]
    pub fn principal(&self) -> Option<String> {
        let state = self.shared.state.lock();
        let login = state.settings.login.as_ref().map(|name| name.to_string());
        login.or_else(|| state.base.as_ref()?.principal().map(str::to_owned))
    }

    /// What the application called the client; see [`set_client_label`](Self::set_client_label).
    #[must_use]
    pub fn client_label(&self) -> Option<String> {
        let state = self.shared.state.lock();
        let label = state.settings.client_label.as_ref().map(|label| label.to_string());
        label.or_else(|| state.base.as_ref()?.client_label().map(str::to_owned))
    }

    /// When it was created; `None` without a stored session.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.shared.state.lock().base.as_ref().map(|record| record.created())
    }

    /// When its principal signed in.
    #[must_use]
    pub fn authenticated(&self) -> Option<Timestamp> {
        self.shared.state.lock().base.as_ref()?.authenticated()
    }

    /// Its last access, to within the touch interval (a twentieth of the idle timeout, at most a
    /// minute).
    #[must_use]
    pub fn last_accessed(&self) -> Option<Timestamp> {
        self.shared.state.lock().base.as_ref().map(|record| record.activity().last_accessed)
    }

    /// When it ends without further activity, unless its [`deadline`](Self::deadline) comes first. Until a
    /// client has brought its id back the unconfirmed timeout counts too.
    #[must_use]
    pub fn idle_deadline(&self) -> Option<Timestamp> {
        self.shared.state.lock().base.as_ref().map(snapshot::idle_deadline)
    }

    /// When it ends in any case; [`Timestamp::NEVER`] without a lifetime.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.shared.state.lock().base.as_ref().map(|record| record.deadline())
    }

    /// The idle timeout that holds for it.
    #[must_use]
    pub fn idle_timeout(&self) -> Duration {
        let state = self.shared.state.lock();
        let own = state.settings.idle_timeout.or_else(|| Some(state.base.as_ref()?.idle_timeout()));
        own.unwrap_or(self.shared.engine.config.idle_timeout)
    }
}

impl fmt::Debug for Session {
    /// The locator and what changed, by name; never a secret or a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.shared.state.lock(), f)
    }
}
