//! What did not work, told as the client likes to be told: a page, JSON or a line of text.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use coatroom::{RollBack, SessionError, SessionHandle, StoreError};

use super::input::Wanted;
use super::pages::{self, ErrorPage, Shell};
use super::routes::shell_of;
use super::users::CheckFailed;

/// A request that failed: a status, and what to say about it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    detail: Option<String>,
}

impl Failure {
    pub(crate) fn of(status: StatusCode, detail: Option<String>) -> Self {
        Self { status, detail }
    }

    pub(crate) fn bad_request(detail: String) -> Self {
        Self::of(StatusCode::BAD_REQUEST, Some(detail))
    }

    pub(crate) fn unprocessable(detail: String) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, Some(detail))
    }

    pub(crate) fn not_found(detail: &str) -> Self {
        Self::of(StatusCode::NOT_FOUND, Some(detail.to_owned()))
    }

    /// The 500 of `?fail=1`.
    pub(crate) fn asked_for() -> Self {
        let told = "the request asked to fail after its change; what was deferred is rolled back, what was done at once stands";
        Self::of(StatusCode::INTERNAL_SERVER_ERROR, Some(told.to_owned()))
    }

    /// The 403 for a browser that was sent here by another site.
    pub(crate) fn cross_site() -> Self {
        Self::of(StatusCode::FORBIDDEN, Some("the request came from another site".to_owned()))
    }

    fn words(&self) -> (&'static str, &'static str) {
        match self.status {
            StatusCode::BAD_REQUEST
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "We did not understand that",
                "Something in the request was not as the shop expects it. Nothing was changed.",
            ),
            StatusCode::FORBIDDEN => (
                "That came from another site",
                "A page elsewhere asked your browser to change something here, and we refused. If you meant it, do it in the shop itself.",
            ),
            StatusCode::NOT_FOUND => {
                ("Nothing hangs here", "There is nothing at this address; it may have been taken away.")
            }
            StatusCode::METHOD_NOT_ALLOWED => ("Not like this", "This address cannot be asked in that way."),
            StatusCode::CONFLICT => (
                "Your session changed meanwhile",
                "Another tab or browser was faster, perhaps by signing in or out. What this request brought was not kept; go back and try again.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => (
                "That is too much to carry",
                "It is more than one request may bring, or than a session holds; it was not kept.",
            ),
            StatusCode::SERVICE_UNAVAILABLE => (
                "The coatroom is shut for a moment",
                "The place where sessions are kept did not answer, so what this request wanted was probably not done. Please look again soon.",
            ),
            _ => (
                "Something went wrong",
                "That is our fault, and the request ended early. What it had put off until its end was dropped; what it did at once, such as a stamp, signing out or ending a session, stands.",
            ),
        }
    }

    fn page(self, shell: &Shell) -> Response {
        let (title, advice) = self.words();
        let page = ErrorPage { status: self.status.as_u16(), title, advice, detail: self.detail };
        pages::error(shell, &page).into_response()
    }

    fn line(self) -> String {
        let (title, advice) = self.words();
        match self.detail {
            Some(detail) => format!("{title}: {detail}\n"),
            None => format!("{title}. {advice}\n"),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
        }
        // The errors of the client's own doing tell it what to do; the rest is for the log.
        Self::of(status, status.is_client_error().then(|| error.to_string()))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        SessionError::from(error).into()
    }
}

impl From<CheckFailed> for Failure {
    fn from(error: CheckFailed) -> Self {
        Self::of(StatusCode::INTERNAL_SERVER_ERROR, Some(error.to_string()))
    }
}

impl IntoResponse for Failure {
    /// Only a status, with the failure beside it for [`tell`] to put into words.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        // Its words say that nothing was kept.
        response.extensions_mut().insert(RollBack);
        response
    }
}

/// Puts failures into words. Stands inside the session layer, where pages can say who is signed in,
/// and again outside of everything, for what the layers themselves refuse.
pub(crate) async fn tell(wanted: Wanted, request: Request, next: Next) -> Response {
    let session = request.extensions().get::<SessionHandle>().cloned();
    let mut response = next.run(request).await;
    let status = response.status();
    if status.as_u16() < 400 || is_told(&response) {
        return response;
    }
    let failure = match response.extensions_mut().remove::<Failure>() {
        Some(failure) => failure,
        None => Failure::of(status, words_of(&mut response).await),
    };
    let told = match wanted {
        Wanted::Page => failure.page(&shell_at_a_failure(session).await),
        Wanted::Json => Json(serde_json::json!({ "error": failure.line().trim_end() })).into_response(),
        Wanted::Text => failure.line().into_response(),
    };
    let (parts, body) = told.into_parts();
    *response.body_mut() = body;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.extend(parts.headers);
    response.extensions_mut().insert(Told);
    response
}

/// What an answer says that is no [`Failure`] of a handler: why the session was not committed.
async fn words_of(response: &mut Response) -> Option<String> {
    if !response.status().is_client_error() {
        return None;
    }
    let body = std::mem::take(response.body_mut());
    let words = axum::body::to_bytes(body, MOST_BYTES_OF_WORDS).await.ok()?;
    let words = str::from_utf8(&words).ok()?.trim();
    (!words.is_empty()).then(|| words.to_owned())
}

const MOST_BYTES_OF_WORDS: usize = 4_096;

/// The mark of an answer that is in words already.
#[derive(Clone, Copy)]
struct Told;

/// Handlers' own pages are told too; they have a type.
fn is_told(response: &Response) -> bool {
    let html = |media_type: &HeaderValue| media_type.as_bytes().starts_with(b"text/html");
    response.extensions().get::<Told>().is_some()
        || response.headers().get(header::CONTENT_TYPE).is_some_and(html)
}

/// A page about a failure must not fail: without a session it says nothing of the visitor.
async fn shell_at_a_failure(session: Option<SessionHandle>) -> Shell {
    let Some(session) = session else { return Shell::UNKNOWN };
    session.load().await.ok().and_then(|session| shell_of(&session).ok()).unwrap_or(Shell::UNKNOWN)
}
