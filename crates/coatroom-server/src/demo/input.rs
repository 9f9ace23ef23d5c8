//! What requests bring, read strictly.

use axum::Form;
use axum::extract::rejection::{PathRejection, StringRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::failure::Failure;

/// A form; one that does not fit is a [`Failure`] in our words.
#[derive(Debug)]
pub(crate) struct Fields<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match Form::from_request(request, state).await {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(rejection) => Err(unread(rejection.status(), rejection.body_text())),
        }
    }
}

/// A body of text.
#[derive(Debug)]
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match String::from_request(request, state).await {
            Ok(text) => Ok(Self(text)),
            Err(StringRejection::InvalidUtf8(_)) => Err(Failure::bad_request(NOT_TEXT.to_owned())),
            Err(rejection) => Err(unread(rejection.status(), rejection.body_text())),
        }
    }
}

/// The part of an address that its route leaves open, decoded.
#[derive(Debug)]
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        // A decoder takes `%zz` for itself, so that it and `%25zz` would be one name.
        if !is_percent_encoded(parts.uri.path()) {
            return Err(Failure::bad_request(NOT_ENCODED.to_owned()));
        }
        match Path::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => {
                Err(Failure::bad_request(NOT_UTF8.to_owned()))
            }
            Err(rejection) => Err(Failure::of(rejection.status(), None)),
        }
    }
}

/// Whether each `%` begins an escape (RFC 3986, section 2.1).
fn is_percent_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| {
        let mut digits = rest.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.next().is_some() && digits.next().is_some()
    })
}

/// A body that could not be read, in our words where the reader of it has none that help.
fn unread(status: StatusCode, told: String) -> Failure {
    let told = match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            format!("a request brings at most {MOST_BODY_BYTES} bytes; send less at once")
        }
        _ => told,
    };
    Failure::of(status, Some(told))
}

/// The most that a request's body may have.
pub(crate) const MOST_BODY_BYTES: usize = 2 << 20;

const NOT_TEXT: &str = "the body is to be text in UTF-8; convert it before you send it";
const NOT_ENCODED: &str =
    "in an address, % is followed by two hexadecimal digits; write %25 for a percent sign itself";
const NOT_UTF8: &str = "the address is to be percent-encoded UTF-8; an ü, for example, is %C3%BC";

/// The kind of answer a client likes best.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wanted {
    Json,
    Page,
    Text,
}

impl Wanted {
    /// What `Accept` names first; text for clients that take anything, such as curl.
    pub(crate) fn by(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        match (accept.find("text/html"), accept.find("application/json")) {
            (Some(page), json) if json.is_none_or(|json| page < json) => Self::Page,
            (_, Some(_)) => Self::Json,
            _ => Self::Text,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::by(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_client_gets_what_it_names_first() {
        for (accept, wanted) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", Wanted::Page),
            ("text/html, application/json", Wanted::Page),
            ("application/json", Wanted::Json),
            ("application/json, text/html;q=0.5", Wanted::Json),
            ("*/*", Wanted::Text),
            ("", Wanted::Text),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Wanted::by(&headers), wanted, "{accept}");
        }
    }
}
