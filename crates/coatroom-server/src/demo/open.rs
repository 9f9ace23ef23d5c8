//! The manager, as the command line wants it.

use std::sync::Arc;

use coatroom::{ConfigError, CookieOptions, SessionManager, Store};

use crate::cli::Demo;

/// A manager with the cookie of a plain-HTTP demo on this machine.
pub(super) fn sessions(store: Arc<dyn Store>, options: &Demo) -> Result<SessionManager, ConfigError> {
    SessionManager::builder_shared(store)
        .namespace("demo")
        .cookie(CookieOptions::new().name("coatroom-demo").insecure_plain_http_for_localhost())
        .idle_timeout(options.idle_timeout)
        .lifetime(options.lifetime)
        .build()
}
