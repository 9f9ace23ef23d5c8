//! The rules, and nothing but rules: load, commit, replay, renew, end.
//!
//! Everything here works on records and changes; it knows neither HTTP nor which store it has.

mod at_hand;
mod at_once;
mod end;
mod login;
mod plan;
mod sweep;
mod undo;
mod update;
mod write;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::at_once::{AtOnce, Opening, Sent};
use self::at_once::{is_due, is_touch_due};
pub(crate) use self::plan::{Settings, Work};
pub use self::sweep::Swept;
pub use self::undo::Undo;
pub(crate) use self::write::Written;
use crate::clock::{Clock, CorrectedClock, Timestamp};
use crate::codec::{Codec, Sealer};
use crate::config::Config;
use crate::error::{SessionError, StoreError};
use crate::event::{Event, Events, Suspicion};
use crate::id::{Key, Locator, SessionId};
use crate::record::{Activity, HashAlgorithm, Record};
use crate::snapshot::Snapshot;
use crate::store::{Departed, Departure, Store};

/// How long a request that still carries the previous secret is told apart from an unknown one.
const SUPERSEDED_FOR: Duration = Duration::from_secs(60);

/// How often a commit or update starts again from a newer record before it gives up. In-process
/// stores lose a race only to a request that won it, so this bounds a runaway, not a rush.
const MAX_ATTEMPTS: u32 = 500;

/// What a manager, its sessions and its sweeper share.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The same clock, where it follows the one of the store's server.
    pub(crate) corrected: Option<Arc<CorrectedClock>>,
    pub(crate) config: Config,
    pub(crate) events: Events,
    pub(crate) sealer: Option<Arc<dyn Sealer>>,
    /// Kept for the layer, which finds it through any session; no rule looks at it.
    #[cfg(feature = "tower")]
    pub(crate) web: crate::web::Web,
}

/// What an id opened.
#[derive(Debug)]
pub(crate) enum Loaded {
    Live(Record),
    /// The secret is the one before the latest renewal, which was a moment ago.
    Superseded,
    /// Unknown, ended, expired, or another's secret: as if there were no id.
    Nothing,
}

impl Engine {
    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Follows the clock of the store's server, if it has one.
    fn correct_clock(&self) {
        if let (Some(clock), Some(server_time)) = (&self.corrected, self.store.server_time()) {
            clock.correct(server_time);
        }
    }

    #[inline]
    pub(crate) fn key(&self, locator: Locator) -> Key {
        Key { namespace: self.config.namespace, locator }
    }

    #[inline]
    pub(crate) fn codec<'a>(&'a self, key: &'a Key) -> Codec<'a> {
        Codec { key, sealer: self.sealer.as_deref(), max_value_bytes: self.config.max_value_bytes }
    }

    /// Finishes a load that was begun.
    pub(crate) async fn finish_load(
        &self,
        opening: Box<Opening>,
        id: &SessionId,
        passive: bool,
    ) -> Result<Loaded, StoreError> {
        let Opening { answer, now } = *opening;
        let Some(record) = answer.await? else { return Ok(Loaded::Nothing) };
        match judge(&record, id, now) {
            Verdict::Current => {
                if !passive {
                    self.touch(&record, now).await;
                }
                Ok(Loaded::Live(record))
            }
            Verdict::Previous => Ok(Loaded::Superseded),
            Verdict::Wrong => {
                let locator = Some(id.locator());
                self.events.tell(&Event::Suspicious { reason: Suspicion::WrongSecret, locator });
                Ok(Loaded::Nothing)
            }
        }
    }

    /// Opens a locator without a secret: for the server's own code.
    pub(crate) async fn load_trusted(
        &self,
        locator: Locator,
        passive: bool,
    ) -> Result<Option<Record>, StoreError> {
        let now = self.now();
        let record = self.store.load(&self.key(locator), now).await?;
        if let Some(record) = record.as_ref().filter(|_| !passive) {
            self.touch(record, now).await;
        }
        Ok(record)
    }

    /// Moves the idle deadline, once a touch interval; the first time an id comes back, at once.
    /// A store that reads and cannot write, such as one on a full disk, still serves its readers:
    /// their sessions then end early, never late.
    async fn touch(&self, record: &Record, now: Timestamp) {
        if is_touch_due(record, now) {
            self.note(record, Activity { last_accessed: now, confirmed: true }).await;
        }
    }

    /// An access now to a record that was loaded a while ago, where it is to be noted. Only a client
    /// that `brought` its id confirms it.
    pub(crate) fn access(&self, record: &Record, brought: bool) -> Option<Activity> {
        let confirmed = brought || record.activity().confirmed;
        let access = Activity { last_accessed: self.now(), confirmed };
        is_due(record, access).then_some(access)
    }

    /// Notes an access.
    pub(crate) async fn note(&self, record: &Record, access: Activity) {
        let was_confirmed = record.activity().confirmed;
        // Stores in this process share the activity with this record: one that has died meanwhile would live
        // again.
        let is_live = record.is_live(access.last_accessed);
        if let Err(error) = self.store.touch(record.key(), access).await {
            tracing::warn!(target: "coatroom", %error, "extending a session failed; it may end early");
            return;
        }
        if is_live {
            record.touch(access);
        }
        if is_live && access.confirmed && !was_confirmed {
            self.events.tell(&Event::Confirmed { locator: record.key().locator });
        }
    }

    /// Tells of records that made room for a commit.
    fn report_all(&self, departed: &[Departed]) {
        for departed in departed {
            self.report(departed);
        }
    }

    /// Tells of a record that left a store without being ended; whether the listener dealt with it.
    pub(crate) fn report(&self, departed: &Departed) -> bool {
        let snapshot = Snapshot::new(departed.record.clone(), self.sealer.clone());
        self.events.tell(&match departed.reason {
            Departure::Evicted => Event::Evicted(&snapshot),
            Departure::Expired => Event::Expired(&snapshot),
        })
    }

    pub(crate) fn check_text(what: &'static str, text: &str) -> Result<(), SessionError> {
        const LIMIT: usize = 255;
        if text.len() <= LIMIT {
            return Ok(());
        }
        Err(SessionError::InvalidText { what, size: text.len(), limit: LIMIT })
    }
}

enum Verdict {
    Current,
    Previous,
    Wrong,
}

/// Compares the secret by its hash, in constant time.
#[inline]
fn judge(record: &Record, id: &SessionId, now: Timestamp) -> Verdict {
    if record.hash_algorithm() == HashAlgorithm::Keyed {
        return Verdict::Wrong;
    }
    let hash = id.hash();
    if hash.matches(&record.secret_hash()) {
        return Verdict::Current;
    }
    let lately = |at: Timestamp| at.as_millis() > 0 && now < at + SUPERSEDED_FOR;
    match record.renewal() {
        Some(renewal) if lately(renewal.renewed) && hash.matches(&renewal.previous) => Verdict::Previous,
        _ => Verdict::Wrong,
    }
}
