//! The most frequent commit: values put where others of their length lay, as counters and times are.

use smallvec::SmallVec;

use super::attributes::Attributes;
use super::header::{Fields, Header};
use super::value::RawValue;
use super::{Activity, Record};

/// Values that fit where others lie.
pub(crate) struct Overwrite<'a> {
    base: &'a Record,
    /// Where in the bytes, and what; only what differs from what is there.
    places: SmallVec<[(usize, &'a [u8]); 2]>,
}

impl Record {
    /// Finds the places of these values. `None` where one is to go, has another length or format
    /// than what is there, or is new: then the record has to be put together anew.
    pub(crate) fn overwrite<'a>(
        &'a self,
        edits: impl IntoIterator<Item = (&'a str, Option<RawValue<'a>>)>,
    ) -> Option<Overwrite<'a>> {
        let bytes = self.bytes();
        let attributes = Attributes::new(&Fields::new(bytes));
        let values_start = bytes.len() - attributes.values_len();
        let mut places = SmallVec::new();
        for (name, value) in edits {
            let value = value?;
            let place = values_start + attributes.place_for(name, value)?.start;
            if &bytes[place..][..value.bytes.len()] != value.bytes {
                places.push((place, value.bytes));
            }
        }
        Some(Overwrite { base: self, places })
    }
}

impl Overwrite<'_> {
    /// Whether all values are there already.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The record with these values, one revision on.
    pub(crate) fn write(&self, nonce: u64, activity: Activity) -> Record {
        let (base, revision) = (self.base.bytes(), self.base.revision());
        let mut record = Record::from_checked(*self.base.key(), activity, base);
        record.write_over(|bytes| {
            Header::write_advance(bytes, revision, nonce);
            for (place, value) in &self.places {
                bytes[*place..][..value.len()].copy_from_slice(value);
            }
        });
        record
    }
}
