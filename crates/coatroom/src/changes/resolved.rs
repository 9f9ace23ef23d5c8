use smallvec::SmallVec;

use super::Slotted;
use crate::record::{AttributeEdit, RawValue, Value};

/// The attributes to write: what a replay came to.
#[derive(Default)]
pub(crate) struct Resolved<'a> {
    /// Whether what is in the record goes first.
    pub(crate) clear: bool,
    pub(super) edits: SmallVec<[(&'a str, Merged<'a>); 2]>,
}

/// Most changes are written as they were made; a replayed one is a value of its own.
pub(super) enum Merged<'a> {
    Ours(Option<RawValue<'a>>),
    New(Box<Slotted>),
}

impl Resolved<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        !self.clear && self.edits.is_empty()
    }

    pub(crate) fn edits(&self) -> SmallVec<[AttributeEdit<'_>; 2]> {
        self.edits.iter().map(|(name, merged)| AttributeEdit { name, value: merged.value() }).collect()
    }
}

impl Merged<'_> {
    fn value(&self) -> Option<RawValue<'_>> {
        match self {
            Merged::Ours(raw) => *raw,
            Merged::New(value) => (**value).as_ref().map(Value::as_raw),
        }
    }
}
