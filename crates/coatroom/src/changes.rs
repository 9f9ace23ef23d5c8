//! What a request changed, and replaying it on a newer record.

use std::fmt;
use std::sync::Arc;

use compact_str::CompactString;
use smallvec::SmallVec;

use crate::codec::Codec;
use crate::error::{SessionError, ValueError};
use crate::record::{AttributeEdit, RawValue, Record, Value};
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
enum Rule {
    Assign(OnConflict),
    Edit(SmallVec<[EditFn; 1]>),
    Merge(MergeRule),
}

/// One changed attribute.
#[derive(Clone)]
pub(crate) struct Change {
    name: CompactString,
    base: Base,
    ours: Slotted,
    rule: Rule,
}

/// What this request saw when it first touched an attribute.
#[derive(Clone, Default)]
enum Base {
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

    fn base<'a>(&'a self, view: Option<&'a Record>) -> Option<&'a Record> {
        match &self.base {
            Base::View => view,
            Base::Pinned(record) => record.as_ref(),
        }
    }

    fn ours(&self) -> Option<RawValue<'_>> {
        self.ours.as_ref().map(Value::as_raw)
    }
}

/// The deferred changes of a request: at most one per attribute, sorted by name.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    list: SmallVec<[Box<Change>; 1]>,
    cleared: Option<Cleared>,
}

/// A `clear`: everything there at commit goes, and what was written after it stays.
#[derive(Clone)]
struct Cleared {
    base: Option<Record>,
    on_conflict: OnConflict,
}

/// The attributes to write: what a replay came to.
#[derive(Default)]
pub(crate) struct Resolved<'a> {
    /// Whether what is in the record goes first.
    pub(crate) clear: bool,
    edits: SmallVec<[(&'a str, Merged<'a>); 2]>,
}

/// Most changes are written as they were made; a replayed one is a value of its own.
enum Merged<'a> {
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

impl Changes {
    #[cfg(feature = "tower")]
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.cleared.is_none()
    }

    /// Whether this attribute has a deferred change; a `clear` changes all.
    pub(crate) fn touches(&self, name: &str) -> bool {
        self.cleared.is_some() || self.find(name).is_ok()
    }

    /// This request's view of an attribute over the record `base`.
    #[inline]
    pub(crate) fn view<'a>(&'a self, base: Option<&'a Record>, name: &str) -> Option<RawValue<'a>> {
        match self.find(name) {
            Ok(index) => self.list[index].ours(),
            Err(_) if self.cleared.is_some() => None,
            Err(_) => base?.get(name),
        }
    }

    /// This request's view as a record: `view` with the changes in it.
    pub(crate) fn over(&self, view: &Record) -> Record {
        let edits: SmallVec<[_; 2]> = self
            .list
            .iter()
            .map(|change| AttributeEdit { name: &change.name, value: change.ours() })
            .collect();
        view.seen_with(self.cleared.is_some(), &edits).unwrap_or_else(|_| view.clone())
    }

    /// The names of this request's view, in order.
    pub(crate) fn names(&self, base: Option<&Record>) -> Vec<String> {
        let kept = base.into_iter().flat_map(|record| record.attributes_iter().map(|(name, _)| name));
        let mut names: Vec<_> = kept
            .filter(|name| !self.touches(name))
            .chain(self.list.iter().filter(|change| change.ours.is_some()).map(|change| &*change.name))
            .map(str::to_owned)
            .collect();
        names.sort_unstable();
        names
    }

    /// A `set` or `remove`. What the attribute's earlier edits were made of no longer matters.
    #[inline]
    pub(crate) fn assign(&mut self, mut change: Box<Change>) {
        match self.find(&change.name) {
            Ok(index) => {
                let earlier = &mut self.list[index];
                change.base = std::mem::take(&mut earlier.base);
                *earlier = change;
            }
            Err(index) => self.insert(index, change),
        }
    }

    /// An `edit` that came to `ours` in this request's view. After a `set` it is part of the value
    /// that was set; otherwise it joins the edits to be run again.
    pub(crate) fn edit(&mut self, name: &str, ours: Slotted, edit: EditFn) {
        match self.find(name) {
            Ok(index) => {
                let change = &mut self.list[index];
                change.ours = ours;
                if let Rule::Edit(edits) = &mut change.rule {
                    edits.push(edit);
                }
            }
            Err(index) => {
                let mut change = Change::new(name);
                change.ours = ours;
                change.rule = Rule::Edit(SmallVec::from_iter([edit]));
                self.insert(index, change);
            }
        }
    }

    pub(crate) fn clear(&mut self, base: Option<&Record>, on_conflict: OnConflict) {
        self.list.clear();
        if self.cleared.is_none() {
            self.cleared = Some(Cleared { base: base.cloned(), on_conflict });
        }
    }

    /// The view moves on from `view`: what was changed on it keeps it as its base.
    pub(crate) fn pin(&mut self, view: Option<&Record>) {
        for change in self.list.iter_mut().filter(|change| matches!(change.base, Base::View)) {
            change.base = Base::Pinned(view.cloned());
        }
    }

    /// Replays the changes, made on `view`, on `newest`, each against the base it saw at its first
    /// touch.
    pub(crate) fn resolve<'a>(
        &'a self,
        codec: &Codec<'_>,
        view: Option<&Record>,
        newest: Option<&Record>,
        resolved: &mut Resolved<'a>,
    ) -> Result<(), SessionError> {
        if let Some(cleared) = &self.cleared {
            cleared.check(newest)?;
            // An empty view says nothing of what is there: whether another has added to it a commit finds.
            let is_view = |record: &Record| view.is_some_and(|view| record.is_same(view));
            resolved.clear = newest.is_some_and(|record| record.attribute_count() > 0 || is_view(record));
            resolved.edits = self
                .list
                .iter()
                .filter(|c| c.ours.is_some())
                .map(|c| (&*c.name, Merged::Ours(c.ours())))
                .collect();
            return Ok(());
        }
        for change in &self.list {
            let base = change.base(view);
            let unmoved = matches!((base, newest), (Some(base), Some(newest)) if newest.is_same(base));
            let base = base.and_then(|record| record.get(&change.name));
            let theirs = if unmoved { base } else { newest.and_then(|record| record.get(&change.name)) };
            if let Some(merged) = change.resolve(codec, base, theirs)? {
                resolved.edits.push((&change.name, merged));
            }
        }
        Ok(())
    }

    /// The attributes to write on the very record that `view` was, where nothing has to be replayed
    /// on it; `None` where something was cleared, or was changed on another record than the view.
    #[inline]
    pub(crate) fn on_view(&self) -> Option<impl Iterator<Item = (&str, Option<RawValue<'_>>)>> {
        let moved = self.list.iter().any(|change| !matches!(change.base, Base::View));
        let unfit = self.cleared.is_some() || moved;
        (!unfit).then(|| self.list.iter().map(|change| (&*change.name, change.ours())))
    }

    #[inline]
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.list.binary_search_by(|change| change.name.as_str().cmp(name))
    }

    /// The first change of an attribute in this request.
    #[inline]
    fn insert(&mut self, index: usize, mut change: Box<Change>) {
        if self.cleared.is_some() {
            change.base = Base::Pinned(None);
        }
        self.list.insert(index, change);
    }
}

impl Change {
    /// What to write, `None` where nothing is to be written.
    fn resolve(
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

impl Cleared {
    fn check(&self, newest: Option<&Record>) -> Result<(), SessionError> {
        if self.on_conflict == OnConflict::LaterWins {
            return Ok(());
        }
        let mut theirs = newest.into_iter().flat_map(Record::attributes_iter);
        let mut base = self.base.iter().flat_map(Record::attributes_iter);
        loop {
            match (theirs.next(), base.next()) {
                (None, None) => return Ok(()),
                (a, b) if a == b => {}
                (a, b) => {
                    let name = a.or(b).map_or("", |(name, _)| name);
                    return Err(SessionError::Conflict { name: name.to_owned() });
                }
            }
        }
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

impl fmt::Debug for Changes {
    /// The names; never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("cleared", &self.cleared.is_some())
            .field("names", &self.list.iter().map(|change| change.name.as_str()).collect::<Vec<_>>())
            .finish()
    }
}
