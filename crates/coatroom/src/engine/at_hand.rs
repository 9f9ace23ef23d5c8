//! What a store can do without waiting for anything: for callers that hold others up meanwhile.

use super::login::Admission;
use super::plan::Draw;
use super::{Engine, Work};
use crate::changes::Changes;
use crate::id::Locator;
use crate::record::{Overwritten, Record};

impl Engine {
    /// The live record of a locator, if it is at hand.
    pub(crate) fn load_at_hand(&self, locator: Locator) -> Option<Record> {
        self.store.load_at_hand(&self.key(locator), self.now())
    }

    /// Commits `changes`, made on `base`, if they are values in the place of old ones and nothing has
    /// to be waited for. Otherwise nothing was done.
    pub(crate) fn write_at_hand(&self, base: &Record, changes: &Changes) -> Option<Record> {
        let edits = changes.on_view().filter(|_| self.is_within_limits(base))?;
        let Overwritten::Changed(record) = base.overwritten(edits, fastrand::u64(..), base.activity()) else {
            return None;
        };
        let landed = self.store.commit_at_hand(base.revision(), &record, self.now());
        #[cfg(feature = "metrics")]
        if landed {
            crate::metrics::landed(record.bytes().len());
        }
        landed.then_some(record)
    }

    /// Creates the session of `work`, if nobody signs in on it and nothing has to be waited for.
    /// Otherwise nothing was done.
    pub(crate) fn create_at_hand(&self, work: &Work) -> Option<Record> {
        let is_plain =
            work.base.is_none() && work.settings.login.is_none() && work.changes.on_view().is_some();
        if !is_plain {
            return None;
        }
        let draw = Draw {
            now: self.now(),
            nonce: fastrand::u64(..),
            renewed: None,
            admission: Admission::default(),
        };
        let record = self.plan(work, None, &draw).ok()??;
        let landed = self.store.create_at_hand(&record, draw.now);
        #[cfg(feature = "metrics")]
        if landed {
            crate::metrics::landed(record.bytes().len());
        }
        landed.then_some(record)
    }
}
