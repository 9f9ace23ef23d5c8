//! The fixed part of a record, and the renewal block behind it.

use std::time::Duration;

use super::extensions::RecordError;
use crate::clock::{Timestamp, millis};
use crate::expiry::Limits;

pub(super) const VERSION: u8 = 1;

const RENEWED: u8 = 1;
const PERSISTENT: u8 = 2;

const FLAGS: usize = 1;
const HASH_ALGORITHM: usize = 2;
const ZERO: usize = 3;
const ATTRIBUTE_COUNT: usize = 4;
const EXTENSION_BYTES: usize = 6;
const REVISION: usize = 8;
const GENERATION: usize = 16;
const UNCONFIRMED_SECONDS: usize = 20;
const CREATED: usize = 24;
const DEADLINE: usize = 32;
const IDLE_MILLIS: usize = 40;
const NONCE: usize = 48;
const SECRET_HASH: usize = 56;
const FIXED: usize = 88;

const RENEWAL_AUTHENTICATED: usize = FIXED;
const RENEWAL_RENEWED: usize = FIXED + 8;
const RENEWAL_PREVIOUS: usize = FIXED + 16;
const RENEWAL: usize = 48;

/// Bytes of one row of the attribute table.
pub(super) const ROW: usize = 8;

/// How the secret was hashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HashAlgorithm {
    /// A keyed session: there is no secret, and no cookie opens it.
    Keyed,
    Sha256,
}

/// What a login or a renewal leaves behind. Most sessions never have one, so they carry no room
/// for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewal {
    /// Zero where nobody signed in.
    pub(crate) authenticated: Timestamp,
    /// Zero where the secret is still the first one.
    pub(crate) renewed: Timestamp,
    pub(crate) previous: [u8; 32],
}

/// The fixed fields, taken out to be changed.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) persistent: bool,
    pub(crate) algorithm: HashAlgorithm,
    pub(crate) revision: u64,
    pub(crate) generation: u32,
    pub(crate) unconfirmed_timeout: Option<Duration>,
    pub(crate) created: Timestamp,
    pub(crate) deadline: Timestamp,
    pub(crate) idle_timeout: Duration,
    pub(crate) nonce: u64,
    pub(crate) secret_hash: [u8; 32],
    pub(crate) renewal: Option<Renewal>,
}

impl Header {
    /// The header of the next commit.
    pub(crate) fn advanced(mut self, nonce: u64) -> Self {
        self.revision = self.revision.wrapping_add(1);
        self.nonce = nonce;
        self
    }

    /// As [`Header::advanced`], over the bytes of a record.
    pub(super) fn write_advance(out: &mut [u8], revision: u64, nonce: u64) {
        put(out, REVISION, revision.wrapping_add(1).to_le_bytes());
        put(out, NONCE, nonce.to_le_bytes());
    }

    /// Bytes of the fixed part, and of the renewal block if there is one.
    pub(super) fn len(&self) -> usize {
        if self.renewal.is_some() { FIXED + RENEWAL } else { FIXED }
    }

    /// Writes [`Header::len`] bytes to the start of `out`.
    pub(super) fn write(&self, out: &mut [u8], attributes: usize, extensions: usize) {
        out[0] = VERSION;
        out[FLAGS] = u8::from(self.renewal.is_some()) * RENEWED + u8::from(self.persistent) * PERSISTENT;
        out[HASH_ALGORITHM] = u8::from(self.algorithm == HashAlgorithm::Sha256);
        out[ZERO] = 0;
        // Both fit: `Draft::assemble` checked them against the format's limits.
        put(out, ATTRIBUTE_COUNT, (attributes as u16).to_le_bytes());
        put(out, EXTENSION_BYTES, (extensions as u16).to_le_bytes());
        put(out, REVISION, self.revision.to_le_bytes());
        put(out, GENERATION, self.generation.to_le_bytes());
        let unconfirmed =
            self.unconfirmed_timeout.map_or(0, |t| u32::try_from(t.as_secs()).unwrap_or(u32::MAX).max(1));
        put(out, UNCONFIRMED_SECONDS, unconfirmed.to_le_bytes());
        put(out, CREATED, self.created.as_millis().to_le_bytes());
        put(out, DEADLINE, self.deadline.as_millis().to_le_bytes());
        put(out, IDLE_MILLIS, millis(self.idle_timeout).to_le_bytes());
        put(out, NONCE, self.nonce.to_le_bytes());
        put(out, SECRET_HASH, self.secret_hash);
        if let Some(renewal) = &self.renewal {
            put(out, RENEWAL_AUTHENTICATED, renewal.authenticated.as_millis().to_le_bytes());
            put(out, RENEWAL_RENEWED, renewal.renewed.as_millis().to_le_bytes());
            put(out, RENEWAL_PREVIOUS, renewal.previous);
        }
    }
}

fn put<const N: usize>(out: &mut [u8], at: usize, bytes: [u8; N]) {
    out[at..at + N].copy_from_slice(&bytes);
}

/// The fixed fields, read where they lie.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    fixed: &'a [u8; FIXED],
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Over bytes that [`Fields::check`] accepted.
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        // A record is never shorter: it was checked, or begun with a whole header.
        #[allow(clippy::expect_used)]
        let fixed = bytes.first_chunk().expect("a whole header");
        Self { fixed, bytes }
    }

    pub(super) fn check(bytes: &'a [u8]) -> Result<Self, RecordError> {
        match bytes.first() {
            None => return Err(RecordError::Truncated),
            Some(&VERSION) => {}
            Some(&version) => return Err(RecordError::UnknownVersion { version }),
        }
        let fixed = bytes.first_chunk().ok_or(RecordError::Truncated)?;
        let fields = Self { fixed, bytes };
        if bytes.len() < fields.table_start() {
            return Err(RecordError::Truncated);
        }
        if bytes[FLAGS] & !(RENEWED | PERSISTENT) != 0 {
            return Err(RecordError::Malformed("an unknown flag"));
        }
        if bytes[HASH_ALGORITHM] > 1 {
            return Err(RecordError::Malformed("an unknown hash algorithm"));
        }
        Ok(fields)
    }

    pub(super) fn header(self) -> Header {
        Header {
            persistent: self.is_persistent(),
            algorithm: self.algorithm(),
            revision: self.revision(),
            generation: self.generation(),
            unconfirmed_timeout: self.unconfirmed_timeout(),
            created: self.created(),
            deadline: self.deadline(),
            idle_timeout: self.idle_timeout(),
            nonce: self.nonce(),
            secret_hash: self.array(SECRET_HASH),
            renewal: self.renewal(),
        }
    }

    pub(super) fn is_persistent(self) -> bool {
        self.fixed[FLAGS] & PERSISTENT != 0
    }

    pub(super) fn algorithm(self) -> HashAlgorithm {
        if self.fixed[HASH_ALGORITHM] == 0 { HashAlgorithm::Keyed } else { HashAlgorithm::Sha256 }
    }

    pub(super) fn attribute_count(self) -> usize {
        usize::from(u16::from_le_bytes(self.array(ATTRIBUTE_COUNT)))
    }

    pub(super) fn revision(self) -> u64 {
        u64::from_le_bytes(self.array(REVISION))
    }

    pub(super) fn generation(self) -> u32 {
        u32::from_le_bytes(self.array(GENERATION))
    }

    pub(super) fn unconfirmed_timeout(self) -> Option<Duration> {
        let seconds = u32::from_le_bytes(self.array(UNCONFIRMED_SECONDS));
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }

    pub(super) fn created(self) -> Timestamp {
        self.timestamp(CREATED)
    }

    pub(super) fn deadline(self) -> Timestamp {
        self.timestamp(DEADLINE)
    }

    #[inline]
    pub(super) fn limits(self) -> Limits {
        let seconds = u32::from_le_bytes(self.array(UNCONFIRMED_SECONDS));
        Limits {
            created: self.created(),
            deadline: self.deadline(),
            idle_millis: self.idle_millis(),
            unconfirmed_millis: (seconds > 0).then(|| u64::from(seconds) * 1_000),
        }
    }

    /// `u64::MAX` for none.
    pub(super) fn idle_millis(self) -> u64 {
        u64::from_le_bytes(self.array(IDLE_MILLIS))
    }

    pub(super) fn idle_timeout(self) -> Duration {
        match self.idle_millis() {
            u64::MAX => Duration::MAX,
            millis => Duration::from_millis(millis),
        }
    }

    pub(super) fn nonce(self) -> u64 {
        u64::from_le_bytes(self.array(NONCE))
    }

    pub(super) fn secret_hash(self) -> [u8; 32] {
        self.array(SECRET_HASH)
    }

    pub(super) fn renewal(self) -> Option<Renewal> {
        self.has_renewal().then(|| Renewal {
            authenticated: Timestamp::from_millis(u64::from_le_bytes(self.behind(RENEWAL_AUTHENTICATED))),
            renewed: Timestamp::from_millis(u64::from_le_bytes(self.behind(RENEWAL_RENEWED))),
            previous: self.behind(RENEWAL_PREVIOUS),
        })
    }

    pub(super) fn extensions(self) -> &'a [u8] {
        &self.bytes[self.extensions_start()..self.table_start()]
    }

    /// The attribute table and what lies behind it.
    pub(super) fn attributes(self) -> &'a [u8] {
        &self.bytes[self.table_start()..]
    }

    pub(super) fn has_extensions(self) -> bool {
        self.array::<2>(EXTENSION_BYTES) != [0; 2]
    }

    pub(super) fn has_renewal(self) -> bool {
        self.fixed[FLAGS] & RENEWED != 0
    }

    fn extensions_start(self) -> usize {
        if self.has_renewal() { FIXED + RENEWAL } else { FIXED }
    }

    fn table_start(self) -> usize {
        self.extensions_start() + usize::from(u16::from_le_bytes(self.array(EXTENSION_BYTES)))
    }

    fn timestamp(self, at: usize) -> Timestamp {
        Timestamp::from_millis(u64::from_le_bytes(self.array(at)))
    }

    #[inline]
    fn array<const N: usize>(self, at: usize) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&self.fixed[at..at + N]);
        array
    }

    /// What lies behind the fixed part.
    fn behind<const N: usize>(self, at: usize) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&self.bytes[at..at + N]);
        array
    }
}
