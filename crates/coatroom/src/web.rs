//! How sessions meet HTTP, as a manager is told: where ids come from, and how failures are answered.

use std::fmt;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::config::ConfigError;
use crate::cookie::{CookieOptions, SessionCookie};
use crate::error::{SessionError, ValueError};

/// Where session ids come from and go to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum IdSource {
    /// The cookie (the default).
    #[default]
    Cookie,
    /// A request header of this name, for APIs: the id comes in it, a new id goes out in a response
    /// header of the same name, and an empty one says that the session ended. A header with another
    /// meaning, such as `Vary`, is refused.
    Header(String),
    /// The header where the request has it, empty for "none yet"; the cookie otherwise.
    HeaderOrCookie(String),
}

/// What is sent instead of a response whose session failed: status, and a text for people.
///
/// # Example
///
/// How a service that is not axum's answers what its session refused:
///
/// ```
/// use coatroom::{ErrorResponse, SessionError};
///
/// fn refused(error: &SessionError) -> http::Response<String> {
///     ErrorResponse::of(error).into()
/// }
/// # assert_eq!(refused(&SessionError::Superseded).headers()["cache-control"], "no-store");
/// ```
#[derive(Clone, Debug)]
pub struct ErrorResponse {
    /// The status.
    pub status: StatusCode,
    /// The value of `Content-Type`.
    pub content_type: HeaderValue,
    /// The body.
    pub body: String,
}

impl ErrorResponse {
    /// The default answer: [`SessionError::status`] and a sentence that tells a visitor what to do and
    /// gives nothing away; what went wrong is logged.
    #[must_use]
    pub fn of(error: &SessionError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
        Self { status, content_type, body: sentence(error).to_owned() }
    }
}

/// The response that it makes: not to be kept, with 503 to be tried again in five seconds, and marked with
/// [`RollBack`].
impl<B: From<String>> From<ErrorResponse> for Response<B> {
    fn from(answer: ErrorResponse) -> Self {
        let ErrorResponse { status, content_type, body } = answer;
        let mut response = Self::new(B::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response.extensions_mut().insert(RollBack);
        response
    }
}

/// A mark in a response's extensions: the handler failed, whatever the status says, so its session is left
/// as it was. For error types of an application's own, whose answers are "too much" or "not now" with a
/// status below 500; what an [`ErrorResponse`] makes has it. Immediate changes hold in any case.
///
/// # Example
///
/// ```
/// use coatroom::RollBack;
///
/// struct SoldOut;
///
/// impl From<SoldOut> for http::Response<String> {
///     fn from(_: SoldOut) -> Self {
///         let mut response = http::Response::new("Nothing was put into your cart.".to_owned());
///         *response.status_mut() = http::StatusCode::CONFLICT;
///         response.extensions_mut().insert(RollBack);
///         response
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RollBack;

/// What a visitor can do about it. Without `_`, so that a new error needs a sentence of its own.
fn sentence(error: &SessionError) -> &'static str {
    match error {
        SessionError::Conflict { .. } | SessionError::Contended { .. } => {
            "The session changed meanwhile. Please try again."
        }
        SessionError::Gone => "The session ended meanwhile, and nothing was kept. Please begin again.",
        SessionError::PrincipalEnded => "You were signed out everywhere meanwhile. Please sign in again.",
        SessionError::Superseded => "You signed in meanwhile. Please load the page again.",
        SessionError::TooManySessions { .. } => {
            "You are signed in as often as is allowed. Please sign out somewhere else first."
        }
        SessionError::NamesTooLong { .. }
        | SessionError::RecordTooLarge { .. }
        | SessionError::TooManyAttributes { .. }
        | SessionError::Value(ValueError::TooLarge { .. }) => {
            "That is more than a session holds, and nothing was kept. Please send less, or remove something first."
        }
        SessionError::Entropy(_) | SessionError::Store(_) => {
            "Sessions are not available at the moment. Please try again soon."
        }
        SessionError::Value(ValueError::Decode { .. } | ValueError::Sealed { .. }) => {
            "Something that the session keeps cannot be read any more. Please tell those who run this site."
        }
        // Whoever builds the application sees it at the first request.
        SessionError::NestedLayers => {
            "The session layer is there twice. Keep one, or give each manager a cookie name of its own."
        }
        SessionError::AfterResponse
        | SessionError::DeferredChange { .. }
        | SessionError::EmptyPrincipal
        | SessionError::InvalidText { .. }
        | SessionError::SaveRunning
        | SessionError::Value(ValueError::Encode { .. } | ValueError::InvalidName { .. }) => {
            "The session could not be used, and trying again will not help. Please tell those who run this site."
        }
    }
}

type OnError = Arc<dyn Fn(&SessionError) -> ErrorResponse + Send + Sync>;
type RollBackOn = fn(StatusCode) -> bool;

/// As set on the builder.
#[derive(Clone)]
pub(crate) struct WebOptions {
    pub(crate) cookie: CookieOptions,
    pub(crate) source: IdSource,
    pub(crate) on_error: Option<OnError>,
    pub(crate) roll_back_on: RollBackOn,
}

impl Default for WebOptions {
    fn default() -> Self {
        Self {
            cookie: CookieOptions::new(),
            source: IdSource::Cookie,
            on_error: None,
            roll_back_on: |status| status.is_server_error(),
        }
    }
}

impl fmt::Debug for WebOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebOptions")
            .field("cookie", &self.cookie)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// As checked by `build`.
pub(crate) struct Web {
    pub(crate) cookie: SessionCookie,
    pub(crate) header: Option<HeaderName>,
    pub(crate) reads_cookie: bool,
    /// `None` for [`ErrorResponse::of`].
    pub(crate) on_error: Option<OnError>,
    pub(crate) roll_back_on: RollBackOn,
}

impl WebOptions {
    pub(crate) fn check(self) -> Result<Web, ConfigError> {
        let name = match &self.source {
            IdSource::Cookie => None,
            IdSource::Header(name) | IdSource::HeaderOrCookie(name) => Some(name),
        };
        let parse = |name: &String| {
            let invalid = || ConfigError::InvalidHeader { name: name.clone() };
            HeaderName::try_from(name.as_str()).ok().filter(|name| !TAKEN.contains(name)).ok_or_else(invalid)
        };
        Ok(Web {
            header: name.map(parse).transpose()?,
            reads_cookie: !matches!(self.source, IdSource::Header(_)),
            cookie: self.cookie.build()?,
            on_error: self.on_error,
            roll_back_on: self.roll_back_on,
        })
    }
}

/// Headers that every HTTP message, every browser or the layer itself has another use for: an id in one
/// would be lost, or break the message.
const TAKEN: [HeaderName; 13] = [
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::DATE,
    header::HOST,
    header::LOCATION,
    header::RETRY_AFTER,
    header::SET_COOKIE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::VARY,
];

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web")
            .field("cookie", &self.cookie)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
