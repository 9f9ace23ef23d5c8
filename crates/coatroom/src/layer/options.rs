//! What the builder of a manager is told of HTTP.

use std::sync::Arc;

use http::StatusCode;

use crate::cookie::CookieOptions;
use crate::error::SessionError;
use crate::manager::SessionManagerBuilder;
use crate::web::{ErrorResponse, IdSource};

impl SessionManagerBuilder {
    /// The session cookie; by default `__Host-session`, Secure, HttpOnly, SameSite=Lax, Path=/.
    pub fn cookie(mut self, options: CookieOptions) -> Self {
        self.web.cookie = options;
        self
    }

    /// Where ids come from; default [`IdSource::Cookie`].
    pub fn id_source(mut self, source: IdSource) -> Self {
        self.web.source = source;
        self
    }

    /// What is answered when the store fails or refuses a commit, and with axum where a handler returns a
    /// [`SessionError`] itself; default [`ErrorResponse::of`].
    pub fn on_error(
        mut self,
        answer: impl Fn(&SessionError) -> ErrorResponse + Send + Sync + 'static,
    ) -> Self {
        self.web.on_error = Some(Arc::new(answer));
        self
    }

    /// Which responses leave the session as it was; default those of status 500 and above. Those marked
    /// with [`RollBack`](crate::RollBack) do in any case. Immediate changes hold in any case.
    pub fn roll_back_on(mut self, failed: fn(StatusCode) -> bool) -> Self {
        self.web.roll_back_on = failed;
        self
    }
}
