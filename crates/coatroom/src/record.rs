//! What a store keeps for a session: one contiguous buffer, and its activity beside it.
//!
//! `docs/format.md` of the project gives the layout byte by byte, with test vectors.

mod activity;
mod assemble;
mod attributes;
mod extensions;
mod header;
mod overwrite;
mod value;

use std::fmt;
use std::time::Duration;

use triomphe::ThinArc;

pub use self::activity::Activity;
pub(crate) use self::activity::SharedActivity;
pub(crate) use self::assemble::{AttributeEdit, Draft, FORMAT_MAX, FormatLimit, HeaderEdit};
use self::attributes::Attributes;
pub use self::extensions::RecordError;
pub(crate) use self::extensions::{Extension, Extensions};
use self::header::Fields;
pub(crate) use self::header::{HashAlgorithm, Header, Renewal};
pub(crate) use self::overwrite::Overwritten;
pub use self::value::{RawValue, ValueFormat};
pub(crate) use self::value::{Value, ValueBytes};
use crate::clock::Timestamp;
use crate::expiry;
use crate::id::Key;

/// A session as a store keeps it: key, header, extensions and attributes in one shared buffer.
///
/// Cloning costs a reference count. The bytes never change; a commit makes a new record. Only the
/// [`Activity`] beside them moves, and only forward, and all clones see it move.
#[derive(Clone)]
pub struct Record(ThinArc<Beside, u8>);

/// What lies beside the bytes in the same allocation.
struct Beside {
    key: Key,
    activity: SharedActivity,
}

impl Record {
    /// A record from what a store wrote down: the key it was filed under, its activity and
    /// [`Record::bytes`].
    ///
    /// # Errors
    ///
    /// [`RecordError`] when the bytes are not a whole record of a known format version. Every
    /// offset is checked here, once, so that reading cannot fail afterwards.
    pub fn decode(key: Key, activity: Activity, bytes: &[u8]) -> Result<Self, RecordError> {
        let fields = Fields::check(bytes)?;
        Extensions::check(fields.extensions())?;
        Attributes::check(&fields)?;
        Ok(Self::from_checked(key, activity, bytes))
    }

    fn from_checked(key: Key, activity: Activity, bytes: &[u8]) -> Self {
        let beside = Beside { key, activity: SharedActivity::new(activity) };
        Self(ThinArc::from_header_and_slice(beside, bytes))
    }

    /// Writes over the bytes of a record that was made a moment ago and that nobody else holds.
    fn write_over(&mut self, write: impl FnOnce(&mut [u8])) {
        self.0.with_arc_mut(|arc| triomphe::Arc::get_mut(arc).map(|record| write(record.slice_mut())));
    }

    /// The key it is filed under.
    #[must_use]
    #[inline]
    pub fn key(&self) -> &Key {
        &self.0.header.header.key
    }

    /// The bytes to keep. They hold no secret, only its hash.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.0.slice
    }

    /// When it was last accessed and whether it was ever presented back, as of now.
    #[must_use]
    #[inline]
    pub fn activity(&self) -> Activity {
        self.shared_activity().load()
    }

    /// Moves the activity forward; what lies behind is ignored. For stores.
    pub fn touch(&self, activity: Activity) {
        self.shared_activity().advance(activity);
    }

    /// A copy whose activity moves on its own.
    pub(crate) fn unshared(&self) -> Self {
        Self::from_checked(*self.key(), self.activity(), self.bytes())
    }

    #[inline]
    pub(crate) fn shared_activity(&self) -> &SharedActivity {
        &self.0.header.header.activity
    }

    /// The counter that each commit raises; a commit must name the revision it replaces.
    #[must_use]
    #[inline]
    pub fn revision(&self) -> u64 {
        self.fields().revision()
    }

    /// Whether both are one and the same commit, seen through clones.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.bytes(), other.bytes())
    }

    /// Whether this is the same session as `earlier`, as later commits left it, and not one that was
    /// created again under its key: revisions begin at a random number and rise by one.
    pub(crate) fn succeeds(&self, earlier: &Self) -> bool {
        let commits = self.revision().wrapping_sub(earlier.revision());
        commits < 1 << 32 && self.created() == earlier.created()
    }

    /// Whether one secret opens both: there was no renewal between them.
    pub(crate) fn shares_secret(&self, other: &Self) -> bool {
        self.secret_hash() == other.secret_hash()
    }

    /// The number of renewals.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.fields().generation()
    }

    /// When the session was created.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.fields().created()
    }

    /// The end of its lifetime, [`Timestamp::NEVER`] without one.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.fields().deadline()
    }

    /// How long it lives without activity; `Duration::MAX` is without limit.
    #[must_use]
    pub fn idle_timeout(&self) -> Duration {
        self.fields().idle_timeout()
    }

    /// How long it lives without being presented back once, counted from creation.
    #[must_use]
    pub fn unconfirmed_timeout(&self) -> Option<Duration> {
        self.fields().unconfirmed_timeout()
    }

    /// The random number of the commit that wrote it, by which a retry knows its own work.
    #[must_use]
    pub fn nonce(&self) -> u64 {
        self.fields().nonce()
    }

    /// Whether its cookie outlives the browser.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        self.fields().is_persistent()
    }

    /// When its principal signed in.
    #[must_use]
    pub fn authenticated(&self) -> Option<Timestamp> {
        self.fields().renewal().map(|r| r.authenticated).filter(|at| at.as_millis() > 0)
    }

    /// The user it belongs to.
    #[must_use]
    #[inline]
    pub fn principal(&self) -> Option<&str> {
        // Most have no extension at all, and every commit asks a few times.
        if self.fields().has_extensions() {
            self.extensions().principal().map(|(_, name)| name)
        } else {
            None
        }
    }

    /// The epoch of the principal at login.
    #[must_use]
    pub fn principal_epoch(&self) -> Option<u64> {
        self.extensions().principal().map(|(epoch, _)| epoch)
    }

    /// What the application calls the client, for a user's list of sessions.
    #[must_use]
    pub fn client_label(&self) -> Option<&str> {
        self.extensions().text(Extension::CLIENT_LABEL)
    }

    /// The lifetime of this session where it has one of its own.
    #[must_use]
    pub fn own_lifetime(&self) -> Option<Duration> {
        self.extensions().number(Extension::LIFETIME).map(Duration::from_millis)
    }

    /// One attribute.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<RawValue<'_>> {
        self.attributes().get(name)
    }

    /// All attributes, in the order of their names.
    pub fn attributes_iter(&self) -> impl ExactSizeIterator<Item = (&str, RawValue<'_>)> {
        self.attributes().iter()
    }

    /// The number of attributes.
    #[must_use]
    #[inline]
    pub fn attribute_count(&self) -> usize {
        self.fields().attribute_count()
    }

    /// The point at which it is dead: the nearest of its deadlines, by its activity now.
    #[must_use]
    #[inline]
    pub fn expires_at(&self) -> Timestamp {
        expiry::expires_at(&self.fields().limits(), self.activity())
    }

    /// Whether it is not dead yet. A record is dead from the very millisecond of a deadline on,
    /// swept or not.
    #[must_use]
    #[inline]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at()
    }

    /// The idle timeout in milliseconds; `u64::MAX` for none.
    #[inline]
    pub(crate) fn idle_millis(&self) -> u64 {
        self.fields().idle_millis()
    }

    #[inline]
    pub(crate) fn hash_algorithm(&self) -> HashAlgorithm {
        self.fields().algorithm()
    }

    #[inline]
    pub(crate) fn secret_hash(&self) -> [u8; 32] {
        self.fields().secret_hash()
    }

    pub(crate) fn renewal(&self) -> Option<Renewal> {
        self.fields().renewal()
    }

    pub(crate) fn header(&self) -> Header {
        self.fields().header()
    }

    pub(crate) fn extensions(&self) -> Extensions<'_> {
        Extensions::new(self.fields().extensions())
    }

    #[inline]
    fn attributes(&self) -> Attributes<'_> {
        Attributes::new(&self.fields())
    }

    /// Asks memory for the beginning of a large record all at once: who is about to look at header,
    /// names and values then waits for them together rather than for one line after another.
    #[inline]
    pub(crate) fn prefetch(&self) {
        const LINE: usize = 64;
        const LARGE: usize = 8 * LINE;
        if self.bytes().len() > LARGE {
            let ahead = self.bytes().iter().step_by(LINE).take(16);
            std::hint::black_box(ahead.fold(0, |all, byte| all | byte));
        }
    }

    #[inline]
    fn fields(&self) -> Fields<'_> {
        Fields::new(self.bytes())
    }
}

impl fmt::Debug for Record {
    /// Locator and sizes; never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("locator", &self.key().locator)
            .field("revision", &self.revision())
            .field("generation", &self.generation())
            .field("attributes", &self.attribute_count())
            .field("bytes", &self.bytes().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
