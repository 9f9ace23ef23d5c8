//! What happens to sessions, told to one listener.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::id::Locator;
use crate::snapshot::Snapshot;

/// Something happened to a session.
///
/// No event carries a session id. Those that carry a locator may be logged whole; a [`Snapshot`]'s
/// values may be read from it, and its `Debug` shows none.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A client brought the id back for the first time.
    Confirmed {
        /// The session.
        locator: Locator,
    },
    /// A session was first stored.
    Created {
        /// The session.
        locator: Locator,
    },
    /// A session was ended: by logout, by its locator, with all of its principal, or at the cap.
    Ended {
        /// The session.
        locator: Locator,
        /// Whose it was.
        principal: Option<&'a str>,
    },
    /// A bounded store needed the room.
    Evicted(&'a Snapshot),
    /// A deadline had passed. Delivered at least once, with the data; again if the listener failed
    /// or the process died meanwhile. Locator and revision tell a repeat.
    Expired(&'a Snapshot),
    /// A principal signed in, or the secret was replaced by `renew`. A login that begins its session, whose
    /// secret is new anyway, is told behind [`Created`](Self::Created).
    Renewed {
        /// The session.
        locator: Locator,
        /// Whose it is now.
        principal: Option<&'a str>,
    },
    /// A request came with an id that an honest browser does not send.
    Suspicious {
        /// What was odd.
        reason: Suspicion,
        /// The session it named, where it named a live one.
        locator: Option<Locator>,
    },
}

/// What was odd about a request's session id (OWASP session management, detection points).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Suspicion {
    /// Two different values under our cookie name: a sibling domain may be tossing cookies.
    Duplicate,
    /// Not in the form of an id.
    Malformed,
    /// The locator names a live session; the secret is not, and was not lately, its own.
    WrongSecret,
}

impl Suspicion {
    fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate cookie",
            Self::Malformed => "malformed id",
            Self::WrongSecret => "wrong secret",
        }
    }
}

/// Hears events. A closure `Fn(&Event<'_>)` is one.
///
/// Runs on the thread on which the event happened, expiries on the sweeper's: it should be quick.
/// A panic is caught and logged. An error or a panic on [`Event::Expired`] has it delivered again
/// after a minute; on the others it is logged.
pub trait Listener: Send + Sync + 'static {
    /// Hears one event.
    ///
    /// # Errors
    ///
    /// Whatever kept the listener from dealing with the event.
    fn hear(&self, event: &Event<'_>) -> Result<(), ListenerError>;
}

/// Why a listener could not deal with an event.
pub type ListenerError = Box<dyn std::error::Error + Send + Sync>;

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Listener for F {
    fn hear(&self, event: &Event<'_>) -> Result<(), ListenerError> {
        self(event);
        Ok(())
    }
}

/// The way of events to the log, the metrics and the listener.
#[derive(Clone, Default)]
pub(crate) struct Events(Option<Arc<dyn Listener>>);

impl Events {
    pub(crate) fn new(listener: Arc<dyn Listener>) -> Self {
        Self(Some(listener))
    }

    /// Whether the listener dealt with it.
    pub(crate) fn tell(&self, event: &Event<'_>) -> bool {
        log(event);
        #[cfg(feature = "metrics")]
        crate::metrics::count(name(event));
        let Some(listener) = &self.0 else { return true };
        match catch_unwind(AssertUnwindSafe(|| listener.hear(event))) {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(target: "coatroom", event = name(event), %error, "a listener failed");
                false
            }
            Err(_) => {
                tracing::error!(target: "coatroom", event = name(event), "a listener panicked");
                false
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Events(to a listener)" } else { "Events" })
    }
}

fn log(event: &Event<'_>) {
    match event {
        Event::Suspicious { reason, locator } => {
            let reason = reason.as_str();
            tracing::info!(target: "coatroom", reason, ?locator, "suspicious session id");
        }
        Event::Evicted(session) | Event::Expired(session) => {
            tracing::debug!(target: "coatroom", event = name(event), locator = %session.info().locator);
        }
        Event::Confirmed { locator } | Event::Created { locator } => {
            tracing::debug!(target: "coatroom", event = name(event), %locator);
        }
        Event::Ended { locator, principal } | Event::Renewed { locator, principal } => {
            tracing::info!(target: "coatroom", event = name(event), %locator, ?principal);
        }
    }
}

/// The name of an event, in logs and metrics.
fn name(event: &Event<'_>) -> &'static str {
    match event {
        Event::Confirmed { .. } => "confirmed",
        Event::Created { .. } => "created",
        Event::Ended { .. } => "ended",
        Event::Evicted(_) => "evicted",
        Event::Expired(_) => "expired",
        Event::Renewed { .. } => "renewed",
        Event::Suspicious { .. } => "suspicious",
    }
}
