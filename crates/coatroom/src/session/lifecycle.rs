//! Login, renewal, limits of this session, and outliving the response.

use std::time::Duration;

use super::Session;
use crate::engine::Engine;
use crate::error::SessionError;
use crate::record::{Activity, Record};

impl Session {
    /// Signs a principal in: new secret, same locator, same data, lifetime begun anew, at the
    /// commit of this request. Deferred; [`renew`](Self::renew) for other changes of privilege.
    ///
    /// Nothing of another principal's is handed over: where the session belongs to someone else, its
    /// attributes are cleared first, and its idle timeout, lifetime, persistence and client label are as in
    /// a new session, but for what this request sets. Check the password before; the library does not.
    ///
    /// `principal` has 1 to 255 bytes and is compared byte for byte.
    ///
    /// # Errors
    ///
    /// [`SessionError::EmptyPrincipal`] for an empty one, so that users whose id got lost on the way do not
    /// share one; [`SessionError::InvalidText`] for a longer one; as [`set`](Self::set) when no change is
    /// possible now. The commit may fail with [`SessionError::TooManySessions`],
    /// [`SessionError::PrincipalEnded`] or, where another request signed in or renewed since this one loaded
    /// the session, [`SessionError::Superseded`].
    ///
    /// Source: OWASP ASVS 7.2.4; NIST SP 800-63B-4 section 5.2.
    pub fn login(&self, principal: &str) -> Result<(), SessionError> {
        if principal.is_empty() {
            return Err(SessionError::EmptyPrincipal);
        }
        Engine::check_text("principal", principal)?;
        let state = &mut *self.shared.state.lock();
        state.check_cookie()?;
        state.ensure_key(self.engine())?;
        let owner = state.settings.login.as_deref();
        let owner = owner.or_else(|| state.base.as_ref()?.principal());
        if owner.is_some_and(|owner| owner != principal) {
            state.changes.clear(state.base.as_ref(), crate::OnConflict::LaterWins);
        }
        state.settings.login = Some(principal.into());
        Ok(())
    }

    /// Replaces the secret at the commit of this request: for every change of privilege that is
    /// not a login. Same locator, same data, same lifetime. Deferred; without a session it does
    /// nothing.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set) when no change is possible now. The commit may fail with
    /// [`SessionError::Superseded`], as that of a [`login`](Self::login).
    pub fn renew(&self) -> Result<(), SessionError> {
        let state = &mut *self.shared.state.lock();
        state.check_cookie()?;
        state.settings.renew = true;
        Ok(())
    }

    /// Gives the client a label for its user's list of sessions, such as the name of the browser.
    /// At most 255 bytes. Deferred; takes effect with the first write of a new session.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidText`] for a longer one; as [`set`](Self::set).
    pub fn set_client_label(&self, label: &str) -> Result<(), SessionError> {
        Engine::check_text("client label", label)?;
        let state = &mut *self.shared.state.lock();
        state.check_open()?;
        state.settings.client_label = Some(label.into());
        Ok(())
    }

    /// Gives this session an idle timeout of its own (1 s and more; `Duration::MAX` for none).
    /// Deferred.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set) when no change is possible now.
    pub fn set_idle_timeout(&self, timeout: Duration) -> Result<(), SessionError> {
        let state = &mut *self.shared.state.lock();
        state.check_open()?;
        state.settings.idle_timeout = Some(timeout.max(Duration::from_secs(1)));
        Ok(())
    }

    /// Gives this session a lifetime of its own (1 s and more; `Duration::MAX` for none), counted
    /// from its login or else its creation. It holds for later logins too. Deferred.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set) when no change is possible now.
    pub fn set_lifetime(&self, lifetime: Duration) -> Result<(), SessionError> {
        let state = &mut *self.shared.state.lock();
        state.check_open()?;
        state.settings.lifetime = Some(lifetime.max(Duration::from_secs(1)));
        Ok(())
    }

    /// Whether the cookie outlives the browser ("remember me"); with a
    /// [lifetime](Self::set_lifetime) and an [idle timeout](Self::set_idle_timeout) to match.
    /// Deferred.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set) when no change is possible now.
    pub fn set_persistent(&self, persistent: bool) -> Result<(), SessionError> {
        let state = &mut *self.shared.state.lock();
        state.check_open()?;
        state.settings.persistent = Some(persistent);
        Ok(())
    }

    /// Lets this session be changed after the response has left, for event streams and websockets:
    /// each change is then kept by [`save`](Self::save). What is deferred until the headers leave
    /// is still committed with them, or dropped where they could not be. A session that does not
    /// exist by then cannot be created any more, since its cookie could not be sent: a change of it is
    /// [`SessionError::AfterResponse`].
    #[must_use = "the detached session is the one to change and save"]
    pub fn detach(self) -> Self {
        self.shared.state.lock().detached = true;
        self
    }

    /// Counts as activity now, as loading the session for a request does: for one that was opened
    /// passively, and for one that is held for long, such as by a websocket. Moves the idle deadline,
    /// once a touch interval (a twentieth of the idle timeout, at most a minute); nothing for a session
    /// that is not stored, and nothing brings back one that has ended. Immediate, at any time, also
    /// after the response. Only where this very request brought the id of a new session does it confirm
    /// that the client has it.
    ///
    /// A store that cannot write is no error, as at a load: it is logged, and the session may end
    /// early.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the access noted or not.
    pub async fn touch(&self) {
        if let Some((record, access)) = self.access() {
            self.engine().note(&record, access).await;
        }
    }

    /// Whether [`touch`](Self::touch) has anything to write now. Does not wait and asks no store: for
    /// callers to whom waiting is dear.
    #[must_use]
    pub fn is_touch_due(&self) -> bool {
        self.access().is_some()
    }

    fn access(&self) -> Option<(Record, Activity)> {
        let state = self.shared.state.lock();
        let record = state.base.as_ref()?;
        let access = self.engine().access(record, state.brought)?;
        Some((record.clone(), access))
    }

    /// Drops everything deferred in this request.
    pub fn discard(&self) {
        let state = &mut *self.shared.state.lock();
        if state.check_open().is_ok() {
            state.changes = Default::default();
            state.settings = Default::default();
        }
    }
}
