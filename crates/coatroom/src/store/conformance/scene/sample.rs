//! Records to put into a store, and to compare with what it gives back.

use std::fmt;
use std::time::Duration;

use super::{HOUR, MINUTE, START};
use crate::clock::Timestamp;
use crate::id::Key;
use crate::record::{Activity, AttributeEdit, Draft, Extensions, HashAlgorithm, Header};
use crate::record::{RawValue, Record, ValueFormat};

/// What a record is made of. The same sample makes the same bytes each time.
#[derive(Clone)]
pub(in crate::store::conformance) struct Sample {
    pub(in crate::store::conformance) key: Key,
    pub(in crate::store::conformance) revision: u64,
    pub(in crate::store::conformance) nonce: u64,
    pub(in crate::store::conformance) created: Timestamp,
    pub(in crate::store::conformance) deadline: Timestamp,
    pub(in crate::store::conformance) idle_timeout: Duration,
    pub(in crate::store::conformance) unconfirmed_timeout: Option<Duration>,
    pub(in crate::store::conformance) activity: Activity,
    pub(in crate::store::conformance) principal: Option<String>,
    /// Sorted by name.
    pub(in crate::store::conformance) attributes: Vec<(String, Vec<u8>)>,
}

impl Sample {
    pub(in crate::store::conformance) fn new(key: Key) -> Self {
        Self {
            key,
            revision: fastrand::u64(..),
            nonce: fastrand::u64(..),
            created: START,
            deadline: START + 12 * HOUR,
            idle_timeout: 20 * MINUTE,
            unconfirmed_timeout: None,
            activity: Activity { last_accessed: START, confirmed: true },
            principal: None,
            attributes: vec![("visits".to_owned(), b"1".to_vec())],
        }
    }

    /// What the next commit would write: one revision on, with another value.
    pub(in crate::store::conformance) fn next(&self) -> Self {
        let mut next = self.clone();
        next.revision = self.revision.wrapping_add(1);
        next.nonce = fastrand::u64(..);
        next.attributes = vec![("visits".to_owned(), next.nonce.to_le_bytes().to_vec())];
        next
    }

    pub(in crate::store::conformance) fn with_principal(mut self, principal: &str) -> Self {
        self.principal = Some(principal.to_owned());
        self
    }

    pub(in crate::store::conformance) fn with_value(mut self, value: Vec<u8>) -> Self {
        self.attributes = vec![("value".to_owned(), value)];
        self
    }

    /// The sample as it is after a touch, for comparing.
    pub(in crate::store::conformance) fn accessed(mut self, at: Timestamp) -> Self {
        self.activity.last_accessed = at;
        self
    }

    #[allow(clippy::expect_used)] // two attributes are far below any limit
    pub(in crate::store::conformance) fn record(&self) -> Record {
        let header = Header {
            persistent: false,
            algorithm: HashAlgorithm::Sha256,
            revision: self.revision,
            generation: 0,
            unconfirmed_timeout: self.unconfirmed_timeout,
            created: self.created,
            deadline: self.deadline,
            idle_timeout: self.idle_timeout,
            nonce: self.nonce,
            secret_hash: [7; 32],
            renewal: None,
        };
        let principal = self.principal.as_deref().map(|name| (0, name));
        let extensions = Extensions::new(&[]).with_principal(principal);
        let edits: Vec<_> = self
            .attributes
            .iter()
            .map(|(name, bytes)| AttributeEdit {
                name,
                value: Some(RawValue { format: ValueFormat::OPAQUE, bytes }),
            })
            .collect();
        Draft {
            key: self.key,
            activity: self.activity,
            header: crate::record::HeaderEdit::Whole(&header),
            extensions: &extensions,
            base: None,
            edits: &edits,
        }
        .assemble()
        .expect("a test's record is within the format")
    }

    /// From when on it is dead.
    pub(in crate::store::conformance) fn expires_at(&self) -> Timestamp {
        self.record().expires_at()
    }
}

/// A record as it was at one moment: its activity does not move on.
#[derive(Clone, Eq, PartialEq)]
pub(in crate::store::conformance) struct Seen {
    key: Key,
    activity: Activity,
    bytes: Vec<u8>,
}

impl Seen {
    pub(in crate::store::conformance) fn key(&self) -> Key {
        self.key
    }
}

impl From<&Record> for Seen {
    fn from(record: &Record) -> Self {
        Self { key: *record.key(), activity: record.activity(), bytes: record.bytes().to_vec() }
    }
}

impl From<&Sample> for Seen {
    fn from(sample: &Sample) -> Self {
        Self::from(&sample.record())
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Record::decode(self.key, self.activity, &self.bytes) {
            Ok(record) => write!(f, "{record:?} {:?}", self.activity),
            Err(error) => write!(f, "{error}"),
        }
    }
}
