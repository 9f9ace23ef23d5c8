//! What a request changed, and replaying it on a newer record.

mod change;
mod resolved;

use std::fmt;

use smallvec::SmallVec;

use self::change::{Base, Rule};
pub(crate) use self::change::{Change, EditFn, MergeRule, Slotted};
use self::resolved::Merged;
pub(crate) use self::resolved::Resolved;
use crate::codec::Codec;
use crate::error::SessionError;
use crate::record::{AttributeEdit, RawValue, Record};
use crate::slot::OnConflict;

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

impl fmt::Debug for Changes {
    /// The names; never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes")
            .field("cleared", &self.cleared.is_some())
            .field("names", &self.list.iter().map(|change| change.name.as_str()).collect::<Vec<_>>())
            .finish()
    }
}
