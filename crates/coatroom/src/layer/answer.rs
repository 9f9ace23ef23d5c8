//! Small pieces of responses.

use std::sync::Arc;

use http::header::Entry;
use http::{HeaderMap, HeaderValue, Response, header};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::web::{ErrorResponse, RollBack, Web};

/// The answer to a request whose session failed: logged whole, told briefly.
pub(super) fn failed<B: From<String>>(web: &Web, error: &SessionError) -> Response<B> {
    let cause = error as &dyn std::error::Error;
    if error.status() >= 500 {
        tracing::error!(target: "coatroom", error = cause, "a session failed");
    } else if error.is_over_limit() {
        tracing::warn!(target: "coatroom", error = cause, "a session was not written, because of a limit");
    } else {
        tracing::info!(target: "coatroom", error = cause, "a session was not written");
    }
    web.on_error.as_ref().map_or_else(|| ErrorResponse::of(error), |answer| answer(error)).into()
}

/// In a response's extensions: the error that a handler returned as it is.
#[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "only axum makes responses of errors"))]
#[derive(Clone)]
pub(super) struct Returned(pub(super) Arc<SessionError>);

/// Whether the handler says itself that it failed.
pub(super) fn has_failed<B>(response: &Response<B>) -> bool {
    response.extensions().get::<RollBack>().is_some()
}

/// Answers an error that a handler returned as the application answers all others. Where that has no say
/// in it the response stays, with what has been added to it since.
pub(super) fn answer_returned<B: From<String>>(web: &Web, response: &mut Response<B>) {
    let returned = response.extensions_mut().remove::<Returned>();
    if let Some((Returned(error), answer)) = returned.zip(web.on_error.as_ref()) {
        *response = answer(&error).into();
    }
}

/// Names what the response varies by, beside what the application named.
pub(super) fn add_vary(headers: &mut HeaderMap, name: HeaderValue) {
    let mut named = match headers.entry(header::VARY) {
        Entry::Vacant(place) => {
            place.insert(name);
            return;
        }
        Entry::Occupied(named) => named,
    };
    let names = |value: &HeaderValue| {
        let listed = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        listed.into_iter().any(|one| one == b"*" || one.eq_ignore_ascii_case(name.as_bytes()))
    };
    if !named.iter().any(names) {
        named.append(name);
    }
}

/// An id as a header's value, hidden from `Debug` and from compression tables.
pub(super) fn credential(id: &SessionId) -> HeaderValue {
    // 64 characters of base64url are a header value.
    let mut value = HeaderValue::try_from(id.expose()).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
