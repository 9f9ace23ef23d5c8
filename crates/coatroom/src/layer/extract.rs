//! The axum extractors: `Session`, and `Option<Session>` for handlers that go on without.

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use super::{SessionHandle, answer};
use crate::error::{SessionError, StoreError};
use crate::session::Session;
use crate::web::ErrorResponse;

/// Why a handler did not get its session.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionRejection {
    /// No session layer is around the route. Answered with status 500.
    #[error(
        "there is no session layer around this route; add `.layer(sessions.layer())` to the router \
         after the route, so that it stands outside of everything that takes a session"
    )]
    MissingLayer,
    /// The store failed. Answered as the builder's `on_error` says, by default with status 503.
    #[error(transparent)]
    Store(FailedLoad),
}

/// A load that failed, and how it is answered.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct FailedLoad {
    #[source]
    error: StoreError,
    session: Session,
}

impl FailedLoad {
    /// What the store said.
    #[must_use]
    pub fn error(&self) -> &StoreError {
        &self.error
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        match self {
            Self::MissingLayer => {
                tracing::error!(target: "coatroom", "{self}");
                (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
            }
            Self::Store(failed) => {
                answer::failed::<Body>(&failed.session.engine().web, &SessionError::Store(failed.error))
            }
        }
    }
}

impl IntoResponse for SessionError {
    /// As the builder's [`on_error`](crate::SessionManagerBuilder::on_error) says, by default the status of
    /// [`SessionError::status`] and a sentence for people; the error is logged. The handler failed, so what
    /// it deferred is rolled back, also where the status is below 500.
    fn into_response(self) -> Response {
        tracing::warn!(target: "coatroom", error = &self as &dyn std::error::Error, "a handler's session call failed");
        let mut response = Response::from(ErrorResponse::of(&self));
        response.extensions_mut().insert(answer::Returned(self.into()));
        response
    }
}

/// Loads the request's session: one read, shared by all extractors of the request.
impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let handle = parts.extensions.get::<SessionHandle>().ok_or(SessionRejection::MissingLayer)?;
        let failed = |error| SessionRejection::Store(FailedLoad { error, session: handle.session.clone() });
        handle.load().await.map_err(failed)
    }
}

/// `None` where the store fails, so that a page can do without its session.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, SessionRejection> {
        match <Self as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(session) => Ok(Some(session)),
            Err(SessionRejection::Store(failed)) => {
                tracing::warn!(target: "coatroom", error = &failed.error as &dyn std::error::Error, "going on without a session");
                Ok(None)
            }
            Err(missing) => Err(missing),
        }
    }
}
