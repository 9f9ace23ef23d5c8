//! The most frequent commit: values put where others of their length lay, as counters and times are.

use smallvec::SmallVec;

use super::attributes::Attributes;
use super::header::{Fields, Header};
use super::value::RawValue;
use super::{Activity, Record};

/// What came of putting values where others lie.
pub(crate) enum Overwritten {
    /// The record with these values, one revision on.
    Changed(Record),
    /// All values are there already.
    Unchanged,
    /// One is to go, has another length or format than what is there, or is new: the record has to
    /// be put together anew.
    Unfit,
}

impl Record {
    /// This record with `edits` where the values of their names lie.
    pub(crate) fn overwritten<'a>(
        &self,
        edits: impl IntoIterator<Item = (&'a str, Option<RawValue<'a>>)>,
        nonce: u64,
        activity: Activity,
    ) -> Overwritten {
        let bytes = self.bytes();
        let attributes = Attributes::new(&Fields::new(bytes));
        let values_start = bytes.len() - attributes.values_len();
        // Where in the bytes, and what; only what differs from what is there.
        let mut places = SmallVec::<[(usize, &[u8]); 2]>::new();
        for (name, value) in edits {
            let place = value.and_then(|value| Some((attributes.place_for(name, value)?, value.bytes)));
            let Some((place, value)) = place else { return Overwritten::Unfit };
            let start = values_start + place.start;
            if &bytes[start..][..value.len()] != value {
                places.push((start, value));
            }
        }
        if places.is_empty() {
            return Overwritten::Unchanged;
        }
        let revision = self.revision();
        let mut record = Self::from_checked(*self.key(), activity, bytes);
        record.write_over(|bytes| {
            Header::write_advance(bytes, revision, nonce);
            for (start, value) in &places {
                bytes[*start..][..value.len()].copy_from_slice(value);
            }
        });
        Overwritten::Changed(record)
    }
}
