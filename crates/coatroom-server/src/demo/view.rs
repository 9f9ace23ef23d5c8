//! A session as the shop shows it: the body of GET /session, and what pages are made from.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::cart::Cart;

/// What one visitor may know of the own session. All empty for a visitor without one.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct SessionView {
    pub(crate) locator: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) last_accessed: Option<Timestamp>,
    pub(crate) idle_deadline: Option<Timestamp>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) visits: u64,
    pub(crate) notes: BTreeMap<String, String>,
    pub(crate) cart: Cart,
}

/// A time limit that runs down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remaining {
    pub(crate) left: Duration,
    /// What it was at first, never less than `left`.
    pub(crate) whole: Duration,
}

impl Remaining {
    /// The way from `now` to `deadline`; none where there is no deadline.
    pub(crate) fn until(deadline: Option<Timestamp>, now: Timestamp, whole: Duration) -> Option<Self> {
        let left = Duration::try_from(deadline?.duration_since(now)).unwrap_or_default();
        Some(Self { left, whole: whole.max(left) })
    }
}

/// One of a user's sessions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OwnSession {
    pub(crate) locator: String,
    pub(crate) created: Timestamp,
    pub(crate) last_seen: Timestamp,
    /// The client label: what the browser called itself at sign-in.
    pub(crate) browser: String,
    /// Whether this request came with it.
    pub(crate) current: bool,
}

/// The body of GET /account as JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AccountView {
    pub(crate) user: String,
    pub(crate) sessions: Vec<OwnSession>,
}
