//! What a trace shows of a session. Made only where somebody looks: a span costs more than the work
//! it is about.

use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};

use crate::id::Locator;

#[cfg(feature = "tower")]
#[inline]
pub(super) fn load(locator: &Locator) -> Option<Span> {
    is_traced().then(|| tracing::debug_span!(target: "coatroom", "load", %locator))
}

#[inline]
pub(super) fn commit(locator: &Locator) -> Option<Span> {
    is_traced().then(|| tracing::debug_span!(target: "coatroom", "commit", %locator))
}

fn is_traced() -> bool {
    LevelFilter::current() >= Level::DEBUG
}
