//! Whether the shop can work.

use axum::extract::State;
use axum::http::StatusCode;

use crate::demo::App;

/// GET /healthz
pub(super) async fn check(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.sessions.check().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}
