//! Routes whose requests are no activity: polling, keep-alives, "you will be signed out" warnings.

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::SessionHandle;

/// Marks the requests behind it as passive: reading their session does not extend it.
///
/// Goes on a route or a router, inside or outside the session layer, as long as the session is
/// loaded behind both.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, routing::get};
/// use coatroom::{PassiveLayer, Session};
///
/// async fn time_left(session: Session) -> String {
///     format!("{:?}", session.idle_deadline())
/// }
///
/// let routes: Router = Router::new().route("/time-left", get(time_left)).route_layer(PassiveLayer);
/// # drop(routes);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct PassiveLayer;

impl<S> Layer<S> for PassiveLayer {
    type Service = PassiveService<S>;

    fn layer(&self, inner: S) -> PassiveService<S> {
        PassiveService { inner }
    }
}

/// The mark in a request's extensions, for the session layer to find.
#[derive(Clone, Copy, Debug)]
pub struct Passive;

/// A service behind a [`PassiveLayer`].
#[derive(Clone, Copy, Debug)]
pub struct PassiveService<S> {
    inner: S,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for PassiveService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        match request.extensions().get::<SessionHandle>() {
            Some(handle) => handle.set_passive(),
            None => drop(request.extensions_mut().insert(Passive)),
        }
        self.inner.call(request)
    }
}
