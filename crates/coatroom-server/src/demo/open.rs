//! The manager, as the command line wants it.

use std::io::Write;
use std::sync::Arc;

use coatroom::{ConfigError, CookieOptions, Event, SessionManager, Store};

use crate::cli::Demo;

/// A manager with the cookie of a plain-HTTP demo on this machine.
pub(super) fn sessions(store: Arc<dyn Store>, options: &Demo) -> Result<SessionManager, ConfigError> {
    let builder = SessionManager::builder_shared(store)
        .namespace("demo")
        .cookie(CookieOptions::new().name("coatroom-demo").insecure_plain_http_for_localhost())
        .idle_timeout(options.idle_timeout)
        .lifetime(options.lifetime);
    if options.lab { builder.on_event(tell_expired).build() } else { builder.build() }
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
