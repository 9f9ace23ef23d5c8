//! For the tests of applications (feature `test-util`): a signed-in visitor in one call, a client
//! that keeps its cookies, and time moved by hand.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use axum::{Router, routing::get};
//! use coatroom::testing::Client;
//! use coatroom::{ManualClock, MemoryStore, Session, SessionManager, Wait};
//!
//! async fn who(session: Session) -> String {
//!     session.principal().unwrap_or_else(|| "nobody".to_owned())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = Arc::new(ManualClock::new());
//! let sessions = SessionManager::builder(MemoryStore::new()).clock(clock.clone()).build()?;
//! let app: Router = Router::new().route("/", get(who)).layer(sessions.layer());
//!
//! let mut alice = Client::new(app.clone()).signed_in(&sessions, "alice").wait()?;
//! assert_eq!(alice.get("/").wait().text(), "alice");
//!
//! clock.advance(Duration::from_secs(3600));
//! assert_eq!(alice.get("/").wait().text(), "nobody");
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tower_service::Service;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::manager::SessionManager;

/// Stores a session of `principal`, as a login makes one, and returns its id.
///
/// # Errors
///
/// As [`SessionManager::commit`].
pub async fn signed_in(sessions: &SessionManager, principal: &str) -> Result<SessionId, SessionError> {
    let (id, session) = sessions.create()?;
    session.login(principal)?;
    Ok(sessions.commit(&session).await?.unwrap_or(id))
}

/// A browser without a window: sends requests to a tower service and keeps the cookies it is told
/// to keep, by name, whatever their path and domain; and the session id that a header brings, where
/// it is [told to](Self::with_id_header).
#[derive(Clone)]
pub struct Client<S> {
    service: S,
    cookies: BTreeMap<String, String>,
    id_header: Option<(HeaderName, HeaderValue)>,
}

impl<S> Client<S> {
    /// A client without cookies.
    pub fn new(service: S) -> Self {
        Self { service, cookies: BTreeMap::new(), id_header: None }
    }

    /// This client as one of an API whose ids come in a header
    /// ([`IdSource::Header`](crate::IdSource::Header) or `HeaderOrCookie`): it sends the id it was last
    /// told, at first an empty one.
    ///
    /// # Panics
    ///
    /// When `name` is not the name of a header.
    #[must_use]
    #[allow(clippy::expect_used)] // a test's own mistake
    pub fn with_id_header(mut self, name: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the name is that of a header");
        self.id_header = Some((name, NO_ID));
        self
    }

    /// This client, signed in as `principal`: by its cookie, or by the header where that alone brings
    /// ids or this client [sends it](Self::with_id_header).
    ///
    /// # Errors
    ///
    /// As [`signed_in`].
    pub async fn signed_in(
        mut self,
        sessions: &SessionManager,
        principal: &str,
    ) -> Result<Self, SessionError> {
        let id = signed_in(sessions, principal).await?;
        let web = &sessions.engine().web;
        match &web.header {
            Some(name) if self.id_header.is_some() || !web.reads_cookie => {
                // 64 characters of base64url are a header's value.
                let id = HeaderValue::try_from(id.expose()).unwrap_or(NO_ID);
                self.id_header = Some((name.clone(), id));
            }
            _ => self.set_cookie(web.cookie.name(), &id.expose()),
        }
        Ok(self)
    }

    /// The value of a cookie it holds.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Puts a cookie into the jar.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Empties the jar, and forgets the id of a header.
    pub fn forget_cookies(&mut self) {
        self.cookies.clear();
        if let Some((_, id)) = &mut self.id_header {
            *id = NO_ID;
        }
    }

    /// Adds the header with the id, unless the request has it.
    fn show_id(&self, headers: &mut HeaderMap) {
        if let Some((name, id)) = &self.id_header {
            headers.entry(name).or_insert_with(|| id.clone());
        }
    }

    fn keep_id(&mut self, headers: &HeaderMap) {
        if let Some((name, id)) = &mut self.id_header
            && let Some(told) = headers.get(&*name)
        {
            *id = told.clone();
        }
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            if parts.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(name);
            } else {
                self.set_cookie(name, value);
            }
        }
    }

    fn cookie_line(&self) -> Option<HeaderValue> {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        HeaderValue::try_from(pairs.join("; ")).ok().filter(|line| !line.is_empty())
    }
}

impl<S, B> Client<S>
where
    S: Service<Request<String>, Response = Response<B>>,
    S::Error: fmt::Debug,
    B: http_body::Body,
    B::Error: fmt::Debug,
{
    /// Sends a GET.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.request(Method::GET, path, "").await
    }

    /// Sends a POST with a form as its body (`a=1&b=2`).
    pub async fn post(&mut self, path: &str, form: &str) -> Answer {
        self.request(Method::POST, path, form).await
    }

    /// Sends a request with a body; one that is not empty is declared to be a form.
    ///
    /// # Panics
    ///
    /// When `path` is not the target of a request.
    #[allow(clippy::expect_used)] // a test's own mistake
    pub async fn request(&mut self, method: Method, path: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        self.send(request.body(body.to_owned()).expect("the path is the target of a request")).await
    }

    /// Sends any request with this client's cookies and keeps those of the answer.
    ///
    /// # Panics
    ///
    /// When the service or the body of its answer fails: a test wants to hear of it.
    #[allow(clippy::expect_used)] // as documented
    pub async fn send(&mut self, mut request: Request<String>) -> Answer {
        if let Some(line) = self.cookie_line() {
            request.headers_mut().append(header::COOKIE, line);
        }
        self.show_id(request.headers_mut());
        std::future::poll_fn(|cx| self.service.poll_ready(cx)).await.expect("the service is ready");
        let (parts, body) = self.service.call(request).await.expect("the service answers").into_parts();
        self.keep_cookies(&parts.headers);
        self.keep_id(&parts.headers);
        let body = body.collect().await.expect("the whole body arrives").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// What a client sends that has no id yet.
const NO_ID: HeaderValue = HeaderValue::from_static("");

impl<S> fmt::Debug for Client<S> {
    /// The names of its cookies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("cookies", &self.cookies.keys()).finish_non_exhaustive()
    }
}

/// A whole response.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    ///
    /// # Panics
    ///
    /// When it is not UTF-8.
    #[must_use]
    #[allow(clippy::expect_used)] // as documented
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }
}
