//! The lab: holding an answer back, or failing after the change, so that anyone can see what
//! parallel requests and failed ones do to a session.

use std::time::Duration;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::failure::Failure;

/// What `--lab` lets a request ask for; nothing without that flag.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "the answer goes through it"]
pub(crate) struct Lab {
    hold: Duration,
    fail: bool,
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    hold_ms: u64,
    #[serde(default)]
    fail: u8,
}

impl Lab {
    /// Gives the answer to a change that is made by now: after the time that was asked for, or 500
    /// in its place.
    pub(crate) async fn answer(self, answer: impl IntoResponse) -> Result<Response, Failure> {
        if !self.hold.is_zero() {
            tokio::time::sleep(self.hold).await;
        }
        if self.fail { Err(Failure::asked_for()) } else { Ok(answer.into_response()) }
    }
}

impl FromRequestParts<App> for Lab {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if !app.lab {
            return Ok(Self::default());
        }
        let Ok(Query(Asked { hold_ms: hold_ms @ ..=MOST_MS, fail: fail @ ..=1 })) =
            Query::try_from_uri(&parts.uri)
        else {
            return Err(Failure::bad_request(format!(
                "hold_ms is a number from 0 to {MOST_MS}, fail is 0 or 1"
            )));
        };
        Ok(Self { hold: Duration::from_millis(hold_ms), fail: fail == 1 })
    }
}

const MOST_MS: u64 = 60_000;
