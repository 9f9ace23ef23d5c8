//! What a trace shows of a session. Made only where somebody looks: a span costs more than the work
//! it is about.

use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};

use crate::id::Locator;

#[cfg(feature = "tower")]
pub(super) fn load(locator: &Locator) -> Span {
    if is_traced() { tracing::debug_span!(target: "coatroom", "load", %locator) } else { Span::none() }
}

pub(super) fn commit(locator: &Locator) -> Span {
    if is_traced() { tracing::debug_span!(target: "coatroom", "commit", %locator) } else { Span::none() }
}

fn is_traced() -> bool {
    LevelFilter::current() >= Level::DEBUG
}
