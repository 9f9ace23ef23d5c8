//! Signing in and out.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use coatroom::Session;
use serde::Deserialize;

use super::shell_of;
use crate::demo::App;
use crate::demo::failure::Failure;
use crate::demo::input::Fields;
use crate::demo::lab::Lab;
use crate::demo::{pages, wording};

/// The fields of POST /login.
#[derive(Deserialize)]
pub(super) struct Credentials {
    user: String,
    password: String,
}

/// POST /login
pub(super) async fn login(
    lab: Lab,
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
    Fields(Credentials { user, password }): Fields<Credentials>,
) -> Result<Response, Failure> {
    let Some(name) = app.users.verify(&user, password).await? else {
        let shell = shell_of(&session)?;
        let typed: String = user.chars().take(64).collect();
        return Ok((StatusCode::UNAUTHORIZED, pages::sign_in_failed(&shell, &typed)).into_response());
    };
    session.set_client_label(&client_label(&headers))?;
    session.login(name)?;
    lab.answer(Redirect::to("/")).await
}

/// GET /login, where a browser lands that reloads the page of a failed attempt.
pub(super) async fn form() -> Redirect {
    Redirect::to("/#sign-in")
}

/// POST /logout
pub(super) async fn logout(lab: Lab, session: Session) -> Result<Response, Failure> {
    session.logout().await?;
    lab.answer(Redirect::to("/")).await
}

fn client_label(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    let mut label = wording::label(&agent.unwrap_or_default());
    while label.len() > MOST_BYTES {
        label.pop();
    }
    label
}

/// What the library takes as a client label.
const MOST_BYTES: usize = 255;
