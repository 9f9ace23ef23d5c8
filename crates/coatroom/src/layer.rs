//! The tower layer: loads a session when a handler asks for it, commits it before the headers leave.

mod answer;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod handle;
mod options;
mod passive;

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "axum")]
pub use self::extract::{FailedLoad, SessionRejection};
pub use self::future::SessionFuture;
pub use self::handle::SessionHandle;
pub use self::passive::{Passive, PassiveLayer, PassiveService};
use crate::manager::SessionManager;

/// Gives requests their session: see [`SessionManager::layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct SessionLayer {
    sessions: SessionManager,
}

impl SessionManager {
    /// The layer that gives every request behind it its session.
    ///
    /// It costs next to nothing where no handler takes a session. Where one does: the record is
    /// loaded once, the deferred changes are committed after the handler and before the headers
    /// leave (also before a 101 upgrade), and a response of a failed handler (status 500 and above,
    /// [configurable](crate::SessionManagerBuilder::roll_back_on), one that is marked with
    /// [`RollBack`](crate::RollBack), and a returned [`SessionError`](crate::SessionError)) leaves the
    /// session as it was.
    /// Bodies are neither buffered nor touched. `Vary` is added where a session was read, and
    /// `Cache-Control: no-store` where a cookie is set.
    ///
    /// The response body must be `From<String>`, as axum's and http-body-util's `Full` are, for the
    /// answer when the store fails. Layers that make another body of it, such as tower-http's for tracing
    /// and compression, go into a `.layer()` of their own on the router, or in a `ServiceBuilder` before
    /// this one. Of two managers' layers around one route, which need cookies of two names, a handler sees
    /// the inner one's session; the outer one's is for the services between them.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "axum")] {
    /// use axum::{Router, routing::post};
    /// use coatroom::{MemoryStore, Session, SessionError, SessionManager, Slot};
    ///
    /// const VISITS: Slot<u64> = Slot::new("visits");
    ///
    /// async fn visit(session: Session) -> Result<String, SessionError> {
    ///     Ok(session.update(VISITS, |visits| visits + 1).await?.to_string())
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sessions = SessionManager::builder(MemoryStore::new()).build()?;
    /// let app: Router = Router::new().route("/", post(visit)).layer(sessions.layer());
    /// # drop(app);
    /// # Ok(())
    /// # }
    /// # }
    /// ```
    pub fn layer(&self) -> SessionLayer {
        SessionLayer { sessions: self.clone() }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService { inner, sessions: self.sessions.clone() }
    }
}

/// A service behind a [`SessionLayer`].
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    sessions: SessionManager,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: From<String>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = SessionFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let handle = SessionHandle::new(&self.sessions, &request);
        let outer = request.extensions_mut().insert(handle.clone());
        if outer.is_some_and(|outer| outer.serves_same_id(&handle)) {
            return SessionFuture::nested(handle);
        }
        SessionFuture::handling(self.inner.call(request), handle)
    }
}
