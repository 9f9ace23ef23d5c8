//! The manager, as the command line wants it.

use std::io::Write;
use std::sync::Arc;

use coatroom::{ConfigError, CookieOptions, ErrorResponse, Event, SessionError, SessionManager, Store};

use crate::cli::Demo;

/// A manager with the cookie of a plain-HTTP demo on this machine.
pub(super) fn sessions(store: Arc<dyn Store>, options: &Demo) -> Result<SessionManager, ConfigError> {
    let builder = SessionManager::builder_shared(store)
        .namespace("demo")
        .cookie(CookieOptions::new().name("coatroom-demo").insecure_plain_http_for_localhost())
        .idle_timeout(options.idle_timeout)
        .lifetime(options.lifetime)
        .on_error(in_its_own_words);
    if options.lab { builder.on_event(tell_expired).build() } else { builder.build() }
}

/// What a commit refused, for [`failure::tell`](super::failure::tell) to make a page of. The errors of
/// the client's own doing tell it what to do; the rest is for the log.
fn in_its_own_words(error: &SessionError) -> ErrorResponse {
    let answer = ErrorResponse::of(error);
    match answer.status.is_client_error() {
        true => ErrorResponse { body: error.to_string(), ..answer },
        false => answer,
    }
}

/// Says which sessions expired, so that anyone can see that each is reported once, however many
/// shops stand on its store.
fn tell_expired(event: &Event<'_>) {
    if let Event::Expired(session) = event {
        let mut stdout = std::io::stdout();
        // Whoever closed our output does not want to know.
        let _ = writeln!(stdout, "expired {}", session.info().locator);
        let _ = stdout.flush();
    }
}
