//! The attribute table: rows sorted by name, then all names, then all values.

use super::extensions::RecordError;
use super::header::{Fields, ROW};
use super::value::{RawValue, ValueFormat};

/// A row is `name_end: u16, format: u8, zero: u8, value_end: u32`; a name starts where the one
/// before it ends, and so does a value.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a> {
    rows: &'a [u8],
    names: &'a [u8],
    values: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Over fields that [`Attributes::check`] accepted.
    #[inline]
    pub(super) fn new(fields: &Fields<'a>) -> Self {
        let (rows, rest) = fields.attributes().split_at(fields.attribute_count() * ROW);
        let (names, values) = rest.split_at(rows.last_chunk().map_or(0, |row| Row(row).name_end()));
        Self { rows, names, values }
    }

    pub(super) fn check(fields: &Fields<'_>) -> Result<(), RecordError> {
        let table = fields.attributes();
        let (rows, rest) =
            table.split_at_checked(fields.attribute_count() * ROW).ok_or(RecordError::Truncated)?;
        let names = rows.last_chunk().map_or(0, |row| Row(row).name_end());
        let (names, values) = rest.split_at_checked(names).ok_or(RecordError::Truncated)?;
        let (mut name_at, mut value_at, mut previous) = (0, 0, None);
        for row in rows.chunks_exact(ROW).filter_map(<[u8]>::first_chunk).map(Row) {
            let name = names.get(name_at..row.name_end()).ok_or(RecordError::Malformed("a name overruns"))?;
            if previous >= Some(name) {
                return Err(RecordError::Malformed("names are not in order"));
            }
            if std::str::from_utf8(name).is_err() {
                return Err(RecordError::Malformed("a name is not UTF-8"));
            }
            values.get(value_at..row.value_end()).ok_or(RecordError::Malformed("a value overruns"))?;
            (name_at, value_at, previous) = (row.name_end(), row.value_end(), Some(name));
        }
        if value_at == values.len() {
            Ok(())
        } else {
            Err(RecordError::Malformed("bytes behind the last value"))
        }
    }

    pub(super) fn len(self) -> usize {
        self.rows.len() / ROW
    }

    #[inline]
    pub(super) fn get(self, name: &str) -> Option<RawValue<'a>> {
        self.find(name).ok().map(|index| self.value(index))
    }

    /// The index of a name, or where it would stand.
    #[inline]
    pub(super) fn find(self, name: &str) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.name_bytes(middle).cmp(name.as_bytes()) {
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = (&'a str, RawValue<'a>)> {
        (0..self.len()).map(move |index| (self.name(index), self.value(index)))
    }

    fn name(self, index: usize) -> &'a str {
        // Checked when the record was decoded, or made from a `str`.
        std::str::from_utf8(self.name_bytes(index)).unwrap_or_default()
    }

    #[inline]
    pub(super) fn name_bytes(self, index: usize) -> &'a [u8] {
        &self.names[self.name_start(index)..self.row(index).name_end()]
    }

    #[inline]
    pub(super) fn value(self, index: usize) -> RawValue<'a> {
        let row = self.row(index);
        RawValue { format: row.format(), bytes: &self.values[self.value_start(index)..row.value_end()] }
    }

    #[inline]
    pub(super) fn name_start(self, index: usize) -> usize {
        if index == 0 { 0 } else { self.row(index - 1).name_end() }
    }

    #[inline]
    pub(super) fn value_start(self, index: usize) -> usize {
        if index == 0 { 0 } else { self.row(index - 1).value_end() }
    }

    pub(super) fn values_len(self) -> usize {
        self.values.len()
    }

    /// Where among the values `value` can be written over the one of this name: it has the same
    /// length and format.
    #[inline]
    pub(super) fn place_for(self, name: &str, value: RawValue<'_>) -> Option<std::ops::Range<usize>> {
        let index = self.find(name).ok()?;
        let row = self.row(index);
        let place = self.value_start(index)..row.value_end();
        (place.len() == value.bytes.len() && row.format() == value.format).then_some(place)
    }

    #[inline]
    fn row(self, index: usize) -> Row<'a> {
        // The slice is one row long.
        #[allow(clippy::expect_used)]
        Row(self.rows[index * ROW..].first_chunk().expect("a whole row"))
    }
}

struct Row<'a>(&'a [u8; ROW]);

impl Row<'_> {
    fn name_end(&self) -> usize {
        usize::from(u16::from_le_bytes([self.0[0], self.0[1]]))
    }

    fn format(&self) -> ValueFormat {
        ValueFormat(self.0[2])
    }

    fn value_end(&self) -> usize {
        u32::from_le_bytes([self.0[4], self.0[5], self.0[6], self.0[7]]) as usize
    }
}
