//! A request's way to its session: nothing is read until somebody asks.

use std::fmt;

use http::header::GetAll;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};

use super::answer;
use super::passive::Passive;
use crate::cookie::Presented;
use crate::error::StoreError;
use crate::event::{Event, Suspicion};
use crate::id::SessionId;
use crate::manager::SessionManager;
use crate::session::{CookieNews, Session};
use crate::web::Web;

/// What a service that is not axum's takes from a request's extensions to reach its session.
///
/// # Example
///
/// ```
/// use coatroom::{SessionHandle, Slot, StoreError};
///
/// async fn visits<B>(request: &http::Request<B>) -> Result<u64, StoreError> {
///     let Some(handle) = request.extensions().get::<SessionHandle>() else { return Ok(0) };
///     let session = handle.load().await?;
///     Ok(session.get(Slot::new("visits")).ok().flatten().unwrap_or(0))
/// }
/// ```
#[derive(Clone)]
pub struct SessionHandle {
    /// Holds the id that the request brought, until somebody asks.
    pub(super) session: Session,
    carrier: Carrier,
    suspicion: Option<Suspicion>,
}

/// What brings the id and takes it back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Carrier {
    Cookie,
    Header,
}

impl SessionHandle {
    pub(super) fn new<B>(sessions: &SessionManager, request: &Request<B>) -> Self {
        let (web, headers) = (&sessions.engine().web, request.headers());
        let in_header = web.header.as_ref().filter(|name| !web.reads_cookie || headers.contains_key(*name));
        let (carrier, presented) = match in_header {
            Some(name) => (Carrier::Header, read_header(headers.get_all(name))),
            None => (
                Carrier::Cookie,
                web.cookie.read(headers.get_all(header::COOKIE).iter().map(|v| v.as_bytes())),
            ),
        };
        let (id, suspicion) = match presented {
            Presented::One(id) => (Some(id), None),
            Presented::None => (None, None),
            Presented::Duplicate => (None, Some(Suspicion::Duplicate)),
            Presented::Malformed => (None, Some(Suspicion::Malformed)),
        };
        let passive = request.extensions().get::<Passive>().is_some();
        let session = Session::unloaded(sessions.engine().clone(), id, passive);
        Self { session, carrier, suspicion }
    }

    /// The request's session: one read of the store, shared by all that ask.
    ///
    /// # Errors
    ///
    /// When the store fails. A later call tries again.
    ///
    /// # Cancellation
    ///
    /// Safe: nothing is changed but the time of the last access.
    #[inline]
    pub async fn load(&self) -> Result<Session, StoreError> {
        if let Some(reason) = self.suspicion {
            self.tell_of_suspicion(reason);
        }
        if let Some(begun) = self.session.begin_load() {
            self.session.finish_load(begun).await?;
        }
        Ok(self.session.clone())
    }

    #[cold]
    fn tell_of_suspicion(&self, reason: Suspicion) {
        if self.session.is_unloaded() {
            self.session.engine().events.tell(&Event::Suspicious { reason, locator: None });
        }
    }

    /// Makes this request passive: loading its session is no activity. For polling, before the
    /// session is loaded; see [`PassiveLayer`](super::PassiveLayer).
    pub fn set_passive(&self) {
        self.session.set_passive();
    }

    /// How its application meets HTTP.
    pub(super) fn web(&self) -> &Web {
        &self.session.engine().web
    }

    /// Whether both would answer to the same cookie or header: then one layer is there twice.
    pub(super) fn serves_same_id(&self, other: &Self) -> bool {
        self.carrier == other.carrier
            && self.web().header == other.web().header
            && self.web().cookie.name() == other.web().cookie.name()
    }

    pub(super) fn rolls_back(&self, status: StatusCode) -> bool {
        (self.web().roll_back_on)(status)
    }

    /// Adds what the client must know to a response: `Vary`, the new id or the end of the old.
    pub(super) fn tell_client(&self, news: CookieNews, headers: &mut HeaderMap) {
        self.add_vary(headers);
        if matches!(news, CookieNews::Nothing) {
            return;
        }
        self.tell_of_cookie(news, headers);
    }

    /// Names all that decides which session it is, and not only what brought the id of this request: a
    /// cache must not serve an answer to a request without our header to one that has it.
    fn add_vary(&self, headers: &mut HeaderMap) {
        let web = self.web();
        if let Some(name) = &web.header {
            answer::add_vary(headers, name.clone().into());
        }
        if web.reads_cookie {
            answer::add_vary(headers, HeaderValue::from_static("cookie"));
        }
    }

    #[cold]
    fn tell_of_cookie(&self, news: CookieNews, headers: &mut HeaderMap) {
        let news = match (news, self.header()) {
            (CookieNews::Nothing, _) => return,
            (CookieNews::Send(new), Some(name)) => (name.clone(), answer::credential(&new.id)),
            (CookieNews::Expire, Some(name)) => (name.clone(), HeaderValue::from_static("")),
            (CookieNews::Send(new), None) => {
                let remaining = new.deadline.since(self.session.engine().now());
                let cookie = &self.web().cookie;
                let outlives = new.persistent || cookie.is_persistent();
                let value = if outlives { cookie.set_for(&new.id, remaining) } else { cookie.set(&new.id) };
                (header::SET_COOKIE, value)
            }
            (CookieNews::Expire, None) => (header::SET_COOKIE, self.web().cookie.remove()),
        };
        headers.append(news.0, news.1);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }

    /// The header that carries the id of this request, unless it is the cookie.
    fn header(&self) -> Option<&HeaderName> {
        self.web().header.as_ref().filter(|_| self.carrier == Carrier::Header)
    }
}

/// The same rule as for cookies: two different values are none.
fn read_header(values: GetAll<'_, HeaderValue>) -> Presented {
    let mut values = values.iter().map(HeaderValue::as_bytes).filter(|value| !value.is_empty());
    let Some(first) = values.next() else { return Presented::None };
    if values.any(|value| value != first) {
        return Presented::Duplicate;
    }
    SessionId::parse(first).map_or(Presented::Malformed, Presented::One)
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle").field("session", &self.session).finish_non_exhaustive()
    }
}
