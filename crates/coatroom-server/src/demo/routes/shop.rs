//! The front page, the ticket and the cart.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use coatroom::Session;
use maud::Markup;
use serde::Deserialize;
use serde_json::json;

use super::shell_with_flash;
use crate::demo::App;
use crate::demo::cart::Cart;
use crate::demo::failure::Failure;
use crate::demo::goods;
use crate::demo::input::{Fields, Wanted};
use crate::demo::lab::Lab;
use crate::demo::pages::{self, Shop, Ticket};
use crate::demo::slots::{CART, FLASH, VISITS, civil};
use crate::demo::view::{Remaining, SessionView};

/// GET /
pub(super) async fn page(
    State(app): State<App>,
    method: Method,
    session: Session,
) -> Result<Markup, Failure> {
    let shell = shell_with_flash(&session, &method)?;
    let now = civil(app.sessions.now()).unwrap_or_default();
    let session = SessionView::of(&session)?;
    let idle = Remaining::until(session.idle_deadline, now, app.idle_timeout);
    let lifetime = Remaining::until(session.deadline, now, app.lifetime);
    Ok(pages::shop(&Shop { shell, ticket: Ticket { session, idle, lifetime, now }, lab: app.lab }))
}

/// GET /session
pub(super) async fn session(session: Session) -> Result<Json<SessionView>, Failure> {
    Ok(Json(SessionView::of(&session)?))
}

/// POST /visits
pub(super) async fn visit(lab: Lab, wanted: Wanted, session: Session) -> Result<Response, Failure> {
    let visits = session.update(VISITS, |visits| visits.saturating_add(1)).await?;
    let answer = match wanted {
        Wanted::Page => Redirect::to("/").into_response(),
        Wanted::Json | Wanted::Text => Json(json!({ "visits": visits })).into_response(),
    };
    lab.answer(answer).await
}

/// The fields of POST /cart.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    sku: String,
    /// Added to what is there; negative takes out, zero takes out all of it.
    quantity: i32,
}

/// POST /cart
pub(super) async fn change_cart(
    lab: Lab,
    session: Session,
    Fields(Item { sku, quantity }): Fields<Item>,
) -> Result<Response, Failure> {
    let Some(good) = goods::find(&sku) else {
        let sku: String = sku.chars().take(40).collect();
        return Err(Failure::unprocessable(format!("there is no such thing as {sku:?} in the shop")));
    };
    if quantity.unsigned_abs() > Cart::MOST {
        return Err(Failure::unprocessable(format!("quantity is from -{0} to {0}", Cart::MOST)));
    }
    if quantity > 0 {
        session.set(FLASH, &format!("{} is in your cart.", good.name))?;
    } else if session.get(CART)?.is_none() {
        return lab.answer(Redirect::to("/")).await;
    }
    session.edit(CART, move |cart| cart.add(&sku, quantity))?;
    lab.answer(Redirect::to("/")).await
}

/// DELETE /cart
pub(super) async fn empty_cart(lab: Lab, session: Session) -> Result<Response, Failure> {
    session.remove(CART)?;
    lab.answer(StatusCode::NO_CONTENT).await
}
