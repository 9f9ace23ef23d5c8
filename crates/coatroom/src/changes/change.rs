//! One changed attribute, and how it meets another request's change of the same one.

use std::sync::Arc;

use compact_str::CompactString;
use smallvec::SmallVec;

use super::resolved::Merged;
use crate::codec::Codec;
use crate::error::{SessionError, ValueError};
use crate::record::{RawValue, Record, Value};
use crate::slot::OnConflict;

/// A value or its absence; absent is a value like any other.
pub(crate) type Slotted = Option<Value>;

/// An `edit`, to be run on whatever value is the newest.
pub(crate) type EditFn =
    Arc<dyn Fn(&Codec<'_>, Option<RawValue<'_>>) -> Result<Slotted, ValueError> + Send + Sync>;

/// The merge function of a slot: base, theirs, ours.
pub(crate) type MergeRule = Arc<
    dyn Fn(
            &Codec<'_>,
            Option<RawValue<'_>>,
            Option<RawValue<'_>>,
            Option<RawValue<'_>>,
        ) -> Result<Slotted, ValueError>
        + Send
        + Sync,
>;

/// How a change meets another request's change of the same attribute.
#[derive(Clone)]
pub(super) enum Rule {
    Assign(OnConflict),
    Edit(SmallVec<[EditFn; 1]>),
    Merge(MergeRule),
}

/// One changed attribute.
#[derive(Clone)]
pub(crate) struct Change {
    pub(super) name: CompactString,
    pub(super) base: Base,
    pub(super) ours: Slotted,
    pub(super) rule: Rule,
}

/// What this request saw when it first touched an attribute.
#[derive(Clone, Default)]
pub(super) enum Base {
    /// The record that its view still stands on.
    #[default]
    View,
    /// An earlier one, or none: an update moved the view since, or a `clear` emptied it.
    Pinned(Option<Record>),
}

impl Change {
    const NONE: Self = Self {
        name: CompactString::const_new(""),
        base: Base::View,
        ours: None,
        rule: Rule::Assign(OnConflict::LaterWins),
    };

    /// A change that is still without a value. It is boxed, so that name, value and rule are
    /// written where they stay.
    #[inline]
    pub(crate) fn new(name: &str) -> Box<Self> {
        let mut change = Box::new(Self::NONE);
        change.name.push_str(name);
        change
    }

    pub(crate) fn assigning(mut self: Box<Self>, on_conflict: OnConflict) -> Box<Self> {
        self.rule = Rule::Assign(on_conflict);
        self
    }

    pub(crate) fn merging(mut self: Box<Self>, merge: MergeRule) -> Box<Self> {
        self.rule = Rule::Merge(merge);
        self
    }

    /// Takes the place of the value that is set.
    #[inline]
    pub(crate) fn set(&mut self) -> &mut Value {
        self.ours.insert(Value::empty())
    }

    pub(super) fn base<'a>(&'a self, view: Option<&'a Record>) -> Option<&'a Record> {
        match &self.base {
            Base::View => view,
            Base::Pinned(record) => record.as_ref(),
        }
    }

    pub(super) fn ours(&self) -> Option<RawValue<'_>> {
        self.ours.as_ref().map(Value::as_raw)
    }

    /// What to write, `None` where nothing is to be written.
    pub(super) fn resolve(
        &self,
        codec: &Codec<'_>,
        base: Option<RawValue<'_>>,
        theirs: Option<RawValue<'_>>,
    ) -> Result<Option<Merged<'_>>, SessionError> {
        let ours = self.ours();
        if theirs == base {
            return Ok((ours != base).then_some(Merged::Ours(ours)));
        }
        let merged = match &self.rule {
            Rule::Edit(edits) => run_edits(edits, codec, theirs)?,
            _ if ours == base => return Ok(None),
            Rule::Merge(merge) => merge(codec, base, theirs, ours)?,
            Rule::Assign(OnConflict::LaterWins) => {
                return Ok((ours != theirs).then_some(Merged::Ours(ours)));
            }
            // Also where both came to the same: two that counted one each have counted one.
            Rule::Assign(OnConflict::Reject) => {
                return Err(SessionError::Conflict { name: self.name.to_string() });
            }
        };
        let changes_theirs = merged.as_ref().map(Value::as_raw) != theirs;
        Ok(changes_theirs.then(|| Merged::New(Box::new(merged))))
    }
}

fn run_edits(
    edits: &[EditFn],
    codec: &Codec<'_>,
    theirs: Option<RawValue<'_>>,
) -> Result<Slotted, ValueError> {
    let mut value = theirs.map(Value::from);
    for edit in edits {
        value = edit(codec, value.as_ref().map(Value::as_raw))?;
    }
    Ok(value)
}
