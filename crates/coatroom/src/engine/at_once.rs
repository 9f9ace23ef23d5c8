//! What most requests are: a load and a commit that a store in this process answers at once, with
//! nothing to wait for, to replay or to tell. Done in one go, they cost a fraction of the general way,
//! which takes over from whatever was begun here.

use super::{Engine, Loaded, Verdict, judge};
use crate::changes::Changes;
use crate::clock::Timestamp;
use crate::expiry;
use crate::id::SessionId;
use crate::record::{Activity, Overwritten, Record};
use crate::store::{Commit, StoreFuture};

/// A load that the general way has to finish. Boxed, as all that only that way takes, so that the
/// usual answer is two words.
pub(crate) struct Opening {
    pub(super) answer: StoreFuture<Option<Record>>,
    pub(super) now: Timestamp,
}

/// A record on its way to the store.
pub(crate) struct Sent {
    pub(super) record: Record,
    pub(super) answer: StoreFuture<Commit>,
}

/// What a commit came to.
pub(crate) enum AtOnce {
    /// It landed, and there is nobody to tell.
    Landed(Record),
    /// Everything is there already.
    Unchanged,
    /// The store was asked, and its answer is another one or is still awaited.
    Sent(Box<Sent>),
    /// It takes more than new values in the place of old ones; nothing was done.
    Unfit,
}

impl Engine {
    /// Opens an id. Counts as activity unless `passive`.
    #[inline]
    pub(crate) fn load_at_once(&self, id: &SessionId, passive: bool) -> Result<Loaded, Box<Opening>> {
        let now = self.now();
        let mut answer = self.store.load(&self.key(id.locator()), now);
        let StoreFuture::Ready(Some(Ok(found))) = &mut answer else {
            return Err(Box::new(Opening { answer, now }));
        };
        if let Some(record) = found {
            record.prefetch();
        }
        let opens = |record: &mut Record| {
            matches!(judge(record, id, now), Verdict::Current) && (passive || !is_touch_due(record, now))
        };
        match found.take_if(opens) {
            Some(record) => Ok(Loaded::Live(record)),
            None if found.is_none() => Ok(Loaded::Nothing),
            None => Err(Box::new(Opening { answer, now })),
        }
    }

    /// Commits `changes`, made on `base`.
    #[inline]
    pub(crate) fn write_at_once(&self, base: &Record, changes: &Changes) -> AtOnce {
        let edits = changes.on_view().filter(|_| self.is_within_limits(base));
        let Some(edits) = edits else { return AtOnce::Unfit };
        let record = match base.overwritten(edits, fastrand::u64(..), base.activity()) {
            Overwritten::Changed(record) => record,
            Overwritten::Unchanged => {
                #[cfg(feature = "metrics")]
                crate::metrics::commit("unchanged");
                return AtOnce::Unchanged;
            }
            Overwritten::Unfit => return AtOnce::Unfit,
        };
        let answer = self.store.commit(base.revision(), record.clone(), self.now());
        if matches!(&answer, StoreFuture::Ready(Some(Ok(Commit::Landed(departed)))) if departed.is_empty()) {
            #[cfg(feature = "metrics")]
            crate::metrics::landed(record.bytes().len());
            return AtOnce::Landed(record);
        }
        AtOnce::Sent(Box::new(Sent { record, answer }))
    }

    /// Whether a record of the size of this one may be committed.
    #[inline]
    pub(super) fn is_within_limits(&self, record: &Record) -> bool {
        let limits = &self.config;
        record.attribute_count() <= limits.max_attributes && record.bytes().len() <= limits.max_record_bytes
    }
}

/// Whether an access now is to be written down.
#[inline]
pub(super) fn is_touch_due(record: &Record, now: Timestamp) -> bool {
    is_due(record, Activity { last_accessed: now, confirmed: true })
}

/// Whether an access is to be written down: once a touch interval, and where it confirms.
#[inline]
pub(super) fn is_due(record: &Record, access: Activity) -> bool {
    let noted = record.activity();
    let interval = expiry::touch_interval(record.idle_millis());
    let next = noted.last_accessed.as_millis().saturating_add(interval);
    access.confirmed && !noted.confirmed || access.last_accessed.as_millis() >= next
}
