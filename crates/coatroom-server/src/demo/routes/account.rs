//! A user's own sessions: seeing and ending them.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use coatroom::{Locator, Session, SessionInfo};

use super::shell_with_flash;
use crate::demo::App;
use crate::demo::failure::Failure;
use crate::demo::input::{Segment, Wanted};
use crate::demo::lab::Lab;
use crate::demo::pages;
use crate::demo::slots::{FLASH, civil};
use crate::demo::view::{AccountView, OwnSession};

/// GET /account
pub(super) async fn page(
    State(app): State<App>,
    method: Method,
    wanted: Wanted,
    session: Session,
) -> Result<Response, Failure> {
    let Some(user) = session.principal() else { return Ok(Redirect::to("/").into_response()) };
    let current = session.locator();
    let mut sessions: Vec<_> =
        app.sessions.of(&user).await?.into_iter().filter_map(|info| own_session(info, current)).collect();
    sessions.sort_by_key(|own| !own.current);
    let account = AccountView { user, sessions };
    if wanted == Wanted::Json {
        return Ok(Json(account).into_response());
    }
    let now = civil(app.sessions.now()).unwrap_or_default();
    Ok(pages::account(&shell_with_flash(&session, &method)?, &account, now).into_response())
}

/// POST /account/sessions/{locator}/end
pub(super) async fn end(
    lab: Lab,
    State(app): State<App>,
    session: Session,
    Segment(locator): Segment,
) -> Result<Response, Failure> {
    let Some(user) = session.principal() else { return Ok(Redirect::to("/").into_response()) };
    let no_such = || Failure::not_found("none of your sessions has this locator; it may have ended already");
    let locator: Locator = locator.parse().map_err(|_| no_such())?;
    if session.locator() == Some(locator) {
        session.logout().await?;
        return lab.answer(Redirect::to("/account")).await;
    }
    let own = app.sessions.of(&user).await?;
    if !own.iter().any(|info| info.locator == locator) || !app.sessions.end(&locator).await? {
        return Err(no_such());
    }
    session.set(FLASH, &"That session is ended.".to_owned())?;
    lab.answer(Redirect::to("/account")).await
}

/// POST /account/sessions/end-others
pub(super) async fn end_others(
    lab: Lab,
    State(app): State<App>,
    session: Session,
) -> Result<Response, Failure> {
    let (Some(user), Some(current)) = (session.principal(), session.locator()) else {
        return Ok(Redirect::to("/").into_response());
    };
    let ended = app.sessions.end_others(&user, &current).await?;
    let told = match ended {
        0 => "There was no other session.".to_owned(),
        1 => "The other session is ended.".to_owned(),
        _ => format!("{ended} other sessions are ended."),
    };
    session.set(FLASH, &told)?;
    lab.answer(Redirect::to("/account")).await
}

/// What a user may see of a session; `None` for one whose times no calendar has.
fn own_session(info: SessionInfo, current: Option<Locator>) -> Option<OwnSession> {
    Some(OwnSession {
        locator: info.locator.to_string(),
        created: civil(info.created)?,
        last_seen: civil(info.last_accessed)?,
        browser: info.client_label.unwrap_or_default(),
        current: current == Some(info.locator),
    })
}
