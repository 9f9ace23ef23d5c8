//! A session seen from outside: what lists show and what listeners are handed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::codec::{Codec, Sealer};
use crate::error::ValueError;
use crate::id::Locator;
use crate::record::Record;
use crate::slot::Slot;

/// What a list of sessions says of each: all that may be shown to its user or an operator.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its public name.
    pub locator: Locator,
    /// Whose it is.
    pub principal: Option<String>,
    /// What the application called the client at login.
    pub client_label: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When its principal signed in.
    pub authenticated: Option<Timestamp>,
    /// Its last access, to within the touch interval.
    pub last_accessed: Timestamp,
    /// When it ends without further activity, unless its `deadline` comes first; until it is `confirmed`
    /// the unconfirmed timeout counts too.
    pub idle_deadline: Timestamp,
    /// When it ends in any case; [`Timestamp::NEVER`] without a lifetime.
    pub deadline: Timestamp,
    /// Whether a client ever brought its id back.
    pub confirmed: bool,
    /// The number of its attributes.
    pub attributes: usize,
    /// The size of its record in bytes.
    pub bytes: usize,
    /// The commit that wrote it.
    pub revision: u64,
}

impl From<&Record> for SessionInfo {
    fn from(record: &Record) -> Self {
        let activity = record.activity();
        Self {
            locator: record.key().locator,
            principal: record.principal().map(str::to_owned),
            client_label: record.client_label().map(str::to_owned),
            created: record.created(),
            authenticated: record.authenticated(),
            last_accessed: activity.last_accessed,
            idle_deadline: idle_deadline(record),
            deadline: record.deadline(),
            confirmed: activity.confirmed,
            attributes: record.attribute_count(),
            bytes: record.bytes().len(),
            revision: record.revision(),
        }
    }
}

/// When a record ends without further activity; its unconfirmed timeout counts as such.
pub(crate) fn idle_deadline(record: &Record) -> Timestamp {
    let activity = record.activity();
    let idle = activity.last_accessed + record.idle_timeout();
    match record.unconfirmed_timeout() {
        Some(timeout) if !activity.confirmed => idle.min(record.created() + timeout),
        _ => idle,
    }
}

/// A session as it was at one moment, with its data: what a listener is handed when it expires.
pub struct Snapshot {
    record: Record,
    sealer: Option<Arc<dyn Sealer>>,
}

impl Snapshot {
    pub(crate) fn new(record: Record, sealer: Option<Arc<dyn Sealer>>) -> Self {
        Self { record, sealer }
    }

    /// What is known of it.
    #[must_use]
    pub fn info(&self) -> SessionInfo {
        SessionInfo::from(&self.record)
    }

    /// The value of a slot, `None` where it holds none.
    ///
    /// # Errors
    ///
    /// [`ValueError::Decode`] or [`ValueError::Sealed`] when the value cannot be read.
    pub fn get<T: DeserializeOwned>(&self, slot: Slot<'_, T>) -> Result<Option<T>, ValueError> {
        let codec =
            Codec { key: self.record.key(), sealer: self.sealer.as_deref(), max_value_bytes: usize::MAX };
        self.record.get(slot.name()).map(|raw| codec.decode(&slot, raw)).transpose()
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// How long it lived, from creation to last access.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.record.activity().last_accessed.since(self.record.created())
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.record, f)
    }
}
