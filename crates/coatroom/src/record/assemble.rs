//! Making records: a header, extensions, and the attributes of a base with edits spliced in.

use std::cell::RefCell;

use smallvec::SmallVec;

use super::attributes::Attributes;
use super::header::Header;
use super::value::RawValue;
use super::{Activity, Fields, Overwritten, Record};
use crate::id::Key;

/// One attribute to write, or with `None` to take out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributeEdit<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Option<RawValue<'a>>,
}

/// A record about to be made.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) key: Key,
    pub(crate) activity: Activity,
    pub(crate) header: HeaderEdit<'a>,
    pub(crate) extensions: &'a [u8],
    /// Attributes that stay unless an edit names them.
    pub(crate) base: Option<&'a Record>,
    /// Sorted by name, each name once.
    pub(crate) edits: &'a [AttributeEdit<'a>],
}

/// The header of a record about to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HeaderEdit<'a> {
    /// That of the base, one revision on, with the base's extensions.
    Advance {
        nonce: u64,
    },
    Whole(&'a Header),
}

/// More of something than a record has room for, which is [`FORMAT_MAX`] of each.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FormatLimit {
    /// The number of attributes.
    Attributes(usize),
    /// The bytes of all names together.
    Names(usize),
    /// The bytes of all extensions together.
    Extensions(usize),
}

/// Count, end of names and length of extensions are 16-bit fields.
pub(crate) const FORMAT_MAX: usize = 65_535;

thread_local! {
    /// A record is put together here and copied once into its allocation.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A scratch buffer larger than this is given back rather than kept by its thread.
const SCRATCH_KEPT: usize = 256 * 1024;

impl Record {
    /// This very record with other attributes, or but for the edits without any: not a commit of it, but
    /// what a request sees.
    ///
    /// # Errors
    ///
    /// As [`Draft::assemble`].
    pub(crate) fn seen_with(&self, cleared: bool, edits: &[AttributeEdit<'_>]) -> Result<Self, FormatLimit> {
        Draft {
            key: *self.key(),
            activity: self.activity(),
            header: HeaderEdit::Whole(&self.header()),
            extensions: self.extensions().bytes(),
            base: Some(self).filter(|_| !cleared),
            edits,
        }
        .assemble()
    }
}

impl Draft<'_> {
    /// Puts the record together.
    ///
    /// # Errors
    ///
    /// [`FormatLimit`] where it has more attributes or names than the format has room for; sizes of
    /// values are the caller's to limit, far below the format's 4 GiB.
    pub(crate) fn assemble(&self) -> Result<Record, FormatLimit> {
        if let Some(record) = self.base.and_then(|base| self.overwritten(base)) {
            return Ok(record);
        }
        SCRATCH.with_borrow_mut(|out| {
            out.clear();
            self.write(out)?;
            let record = Record::from_checked(self.key, self.activity, out);
            if out.capacity() > SCRATCH_KEPT {
                *out = Vec::new();
            }
            Ok(record)
        })
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), FormatLimit> {
        let base = self.base.map(|record| Attributes::new(&Fields::new(record.bytes())));
        let merged: SmallVec<[_; 16]> = self.merged(base).collect();
        let (count, extensions) = (merged.len(), self.extensions.len());
        check_room(count, merged.iter().map(|(name, _)| name.len()).sum(), extensions)?;
        let advanced;
        let header = match (self.header, self.base) {
            (HeaderEdit::Advance { nonce }, Some(base)) => {
                advanced = base.header().advanced(nonce);
                &advanced
            }
            (HeaderEdit::Whole(header), _) => header,
            // Nothing advances without a base; the caller would have to make a header.
            (HeaderEdit::Advance { .. }, None) => return Err(FormatLimit::Attributes(count)),
        };
        out.resize(header.len(), 0);
        header.write(out, count, extensions);
        out.extend_from_slice(self.extensions);
        let (mut name_end, mut value_end) = (0, 0);
        for (name, value) in &merged {
            name_end += name.len();
            value_end += value.bytes.len();
            let mut row = [0; super::header::ROW];
            row[..2].copy_from_slice(&(name_end as u16).to_le_bytes());
            row[2] = value.format.0;
            row[4..].copy_from_slice(&(value_end as u32).to_le_bytes());
            out.extend_from_slice(&row);
        }
        merged.iter().for_each(|(name, _)| out.extend_from_slice(name));
        merged.iter().for_each(|(_, value)| out.extend_from_slice(value.bytes));
        Ok(())
    }

    /// Written over a copy of the base, where all that changes are values of the same length.
    fn overwritten(&self, base: &Record) -> Option<Record> {
        let HeaderEdit::Advance { nonce } = self.header else { return None };
        let edits = self.edits.iter().map(|edit| (edit.name, edit.value));
        match base.overwritten(edits, nonce, self.activity) {
            Overwritten::Changed(record) => Some(record),
            Overwritten::Unchanged | Overwritten::Unfit => None,
        }
    }

    /// The attributes of the new record: both sides in order, edits in place of what they name.
    fn merged<'b>(&'b self, base: Option<Attributes<'b>>) -> impl Iterator<Item = (&'b [u8], RawValue<'b>)> {
        let count = base.map_or(0, Attributes::len);
        let (mut at, mut edit_at) = (0, 0);
        std::iter::from_fn(move || {
            loop {
                let kept = base.filter(|_| at < count).map(|base| (base.name_bytes(at), base));
                let edit = self.edits.get(edit_at);
                match (kept, edit) {
                    (None, None) => return None,
                    (Some((name, base)), edit) if edit.is_none_or(|edit| name < edit.name.as_bytes()) => {
                        at += 1;
                        return Some((name, base.value(at - 1)));
                    }
                    (kept, Some(edit)) => {
                        at += usize::from(kept.is_some_and(|(name, _)| name == edit.name.as_bytes()));
                        edit_at += 1;
                        if let Some(value) = edit.value {
                            return Some((edit.name.as_bytes(), value));
                        }
                    }
                    (Some(_), None) => return None, // the guard above takes this case
                }
            }
        })
    }
}

fn check_room(count: usize, names: usize, extensions: usize) -> Result<(), FormatLimit> {
    if count > FORMAT_MAX {
        return Err(FormatLimit::Attributes(count));
    }
    if names > FORMAT_MAX {
        return Err(FormatLimit::Names(names));
    }
    if extensions > FORMAT_MAX { Err(FormatLimit::Extensions(extensions)) } else { Ok(()) }
}
