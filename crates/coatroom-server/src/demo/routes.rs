//! The routes, and the layers around them.

mod account;
mod health;
mod notes;
mod shop;
mod sign_in;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use coatroom::{Session, SessionError};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};

use super::failure::{self, Failure};
use super::input::MOST_BODY_BYTES;
use super::pages::{Shell, Visitor};
use super::slots::{CART, FLASH};
use super::{App, assets, headers};

/// The whole shop.
///
/// The layers, from the outside: headers for every answer, words for every failure, panics caught,
/// requests from other sites refused before they see a session, the session, and words again where
/// they can say who is signed in.
pub(crate) fn router(app: App) -> Router {
    let sessions = app.sessions.layer();
    Router::new()
        .route("/", get(shop::page))
        .route("/session", get(shop::session))
        .route("/visits", post(shop::visit))
        .route("/cart", post(shop::change_cart).delete(shop::empty_cart))
        .route("/notes/{name}", put(notes::put).delete(notes::remove))
        .route("/login", post(sign_in::login).get(sign_in::form))
        .route("/logout", post(sign_in::logout))
        .route("/account", get(account::page))
        .route("/account/sessions/end-others", post(account::end_others))
        .route("/account/sessions/{locator}/end", post(account::end))
        .route("/healthz", get(health::check))
        .route("/assets/{file}", get(assets::serve))
        .fallback(async || Failure::of(axum::http::StatusCode::NOT_FOUND, None))
        .with_state(app)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(from_fn(failure::tell))
        .layer(sessions)
        .layer(
            CsrfLayer::new()
                .with_rejection_response(|_: ProtectionError| Failure::cross_site().into_response()),
        )
        .layer(CatchPanicLayer::new())
        .layer(from_fn(failure::tell))
        .layer(from_fn(headers::add))
}

/// What the frame of a page says of this visitor, but for the flash.
pub(crate) fn shell_of(session: &Session) -> Result<Shell, SessionError> {
    let cart = session.get(CART)?.unwrap_or_default();
    let visitor = session.principal().map_or(Visitor::Anonymous, Visitor::SignedIn);
    Ok(Shell { visitor, cart_count: cart.count(), flash: None })
}

/// The same with the flash, which is thereby used up; by a HEAD, whose page nobody sees, it is not.
fn shell_with_flash(session: &Session, method: &Method) -> Result<Shell, SessionError> {
    let flash = if method == Method::HEAD { session.get(FLASH)? } else { session.take(FLASH)? };
    Ok(Shell { flash, ..shell_of(session)? })
}
