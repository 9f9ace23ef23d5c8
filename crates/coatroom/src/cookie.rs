//! The session cookie: strict reading of `Cookie`, writing of `Set-Cookie`.
//!
//! Reading is deliberately stricter than cookie libraries are. A session id has one spelling, so
//! nothing is decoded, unquoted or guessed; and of two different values under one name neither is
//! taken, because a neighbouring subdomain can set the second one and the order in which a browser
//! sends them is not to be relied on (RFC 6265bis, section 4.2.2).

use std::time::Duration;

use http::HeaderValue;

use crate::id::SessionId;

mod options;
#[cfg(test)]
mod tests;

pub use self::options::{CookieOptions, CookieOptionsError, SameSite};

/// What a request presents under the name of the session cookie.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Presented {
    /// Two different values, whatever they are: no session, and worth an event, since somebody may
    /// be planting a cookie.
    Duplicate,
    /// One value that is not a session id: no session.
    Malformed,
    /// No such cookie.
    None,
    /// One session id, once or repeated. Whether it opens a session, the store decides.
    One(SessionId),
}

/// The session cookie of one application, ready to be read and written.
///
/// Made by [`CookieOptions::build`], which has checked everything that could be wrong with it, so
/// that nothing here can fail. All that is the same for each visitor is laid out once.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    name: Box<str>,
    /// From the first `;` on: everything behind the value but `Max-Age`.
    attributes: Box<str>,
    persistent: bool,
    removal: HeaderValue,
}

impl SessionCookie {
    /// The full name, with its prefix: `__Host-session` by default.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the cookie is to outlive the browser's run unless a session says otherwise.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        self.persistent
    }

    /// Reads what a request presents, from all its `Cookie` header lines.
    ///
    /// The name must match to the letter; blanks and tabs around name and value are not part of
    /// them, everything else is: quotes, percent signs, commas. Any bytes will do. Takes one pass
    /// and allocates nothing.
    pub fn read<'a>(&self, lines: impl IntoIterator<Item = &'a [u8]>) -> Presented {
        let mut values = lines.into_iter().flat_map(cookies).filter_map(|cookie| self.value_of(cookie));
        let Some(first) = values.next() else { return Presented::None };
        if values.any(|value| value != first) {
            return Presented::Duplicate;
        }
        SessionId::parse(first).map_or(Presented::Malformed, Presented::One)
    }

    /// The `Set-Cookie` value for a cookie that the browser forgets when it closes.
    ///
    /// Marked sensitive, so that `Debug` hides it and HTTP/2 keeps it out of compression tables.
    #[must_use]
    pub fn set(&self, id: &SessionId) -> HeaderValue {
        credential(self.text_for(id, 0))
    }

    /// The `Set-Cookie` value for a cookie that the browser keeps for `max_age`.
    ///
    /// Whole seconds, from one second (nothing less would set a cookie) to 400 days (browsers keep
    /// none longer, RFC 6265bis section 5.5). The server's own limits hold whatever the browser
    /// keeps. Marked sensitive like [`set`](Self::set).
    #[must_use]
    pub fn set_for(&self, id: &SessionId, max_age: Duration) -> HeaderValue {
        let seconds = max_age.as_secs().clamp(1, MAX_AGE_SECONDS);
        let mut text = self.text_for(id, MAX_AGE.len() + 8);
        text.push_str(MAX_AGE);
        text.push_str(&seconds.to_string());
        credential(text)
    }

    /// The `Set-Cookie` value that makes the browser forget the cookie.
    #[must_use]
    pub fn remove(&self) -> HeaderValue {
        self.removal.clone()
    }

    fn new(name: String, attributes: String, persistent: bool) -> Self {
        // Max-Age for browsers; Expires for those few clients that know it alone.
        let removal = header(format!("{name}={attributes}{MAX_AGE}0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
        Self { name: name.into(), attributes: attributes.into(), persistent, removal }
    }

    fn value_of<'a>(&self, cookie: &'a [u8]) -> Option<&'a [u8]> {
        let rest = trim_start(cookie).strip_prefix(self.name.as_bytes())?;
        let value = trim_start(rest).strip_prefix(b"=")?;
        Some(trim_end(trim_start(value)))
    }

    fn text_for(&self, id: &SessionId, room: usize) -> String {
        let size = self.name.len() + 1 + SessionId::TEXT_LEN + self.attributes.len() + room;
        let mut text = String::with_capacity(size);
        text.push_str(&self.name);
        text.push('=');
        id.expose_into(&mut text);
        text.push_str(&self.attributes);
        text
    }
}

const MAX_AGE: &str = "; Max-Age=";
const MAX_AGE_SECONDS: u64 = 400 * 24 * 3600;

fn cookies(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let from_here = rest?;
        let Some(end) = memchr::memchr(b';', from_here) else { return rest.take() };
        rest = Some(&from_here[end + 1..]);
        Some(&from_here[..end])
    })
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn credential(text: String) -> HeaderValue {
    let mut value = header(text);
    value.set_sensitive(true);
    value
}

fn header(text: String) -> HeaderValue {
    // A header value may hold any visible ASCII. Name, domain and path were checked to be that by
    // `CookieOptions::build`, an id is base64url, and the rest is written in this file.
    #[allow(clippy::expect_used)]
    HeaderValue::try_from(text).expect("a checked cookie is visible ASCII")
}
