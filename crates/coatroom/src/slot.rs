//! Slots: typed names of attributes, and how two changes of one attribute merge.

use std::fmt;
use std::marker::PhantomData;

/// Joins two changes of one value: `(base, theirs, ours)`, each `None` where the attribute is
/// absent, to what shall be kept. See [`Slot::merge`].
pub type MergeFn<T> = fn(Option<T>, Option<T>, Option<T>) -> Option<T>;

/// A typed name of an attribute: one constant per feature of an application.
///
/// The name has 1 to 255 bytes of UTF-8; `feature.thing` keeps features apart. A slot is `Copy`
/// whatever its type, and a name made at run time will do (`Slot::new(&name)`). Values are kept as
/// MessagePack, structs by the names of their fields, so that a deploy may add an
/// `Option` or `#[serde(default)]` field.
///
/// What serde and MessagePack cannot tell apart comes back as the plainer of the two: an
/// `Option<Option<T>>` that is `Some(None)` as `None`.
///
/// # Example
///
/// ```
/// use coatroom::{OnConflict, Slot};
///
/// const VISITS: Slot<u64> = Slot::new("visits");
/// // What both requests added counts.
/// const LIKES: Slot<u64> = Slot::new("likes").merge(|base, theirs, ours| {
///     let base = base.unwrap_or(0);
///     Some(theirs.unwrap_or(0) + ours.unwrap_or(0).saturating_sub(base))
/// });
/// // Two requests that set it at once shall not pass unnoticed.
/// const ADDRESS: Slot<String> = Slot::new("checkout.address").on_conflict(OnConflict::Reject);
/// # let _ = (VISITS, LIKES, ADDRESS);
/// ```
pub struct Slot<'n, T> {
    name: &'n str,
    merge: Option<MergeFn<T>>,
    on_conflict: Option<OnConflict>,
    sealed: bool,
    holds: PhantomData<fn() -> T>,
}

impl<'n, T> Slot<'n, T> {
    /// A slot of this name: not sealed, without a merge function, conflicts as the manager says
    /// (default [`OnConflict::LaterWins`]). The name is checked at the first write.
    #[must_use]
    pub const fn new(name: &'n str) -> Self {
        Self { name, merge: None, on_conflict: None, sealed: false, holds: PhantomData }
    }

    /// Joins two changes by `merge(base, theirs, ours)` where another request changed the
    /// attribute since this one first touched it: `base` is what both began from, `theirs` what
    /// the other committed, `ours` what this request set. It must be a pure function; it may run
    /// more than once.
    #[must_use]
    pub const fn merge(mut self, merge: MergeFn<T>) -> Self {
        self.merge = Some(merge);
        self
    }

    /// What `set` and `remove` do where another request changed the attribute meanwhile. Has no
    /// effect on `edit`, on `update`, or beside a merge function.
    #[must_use]
    pub const fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = Some(on_conflict);
        self
    }

    /// Seals the value with the manager's [`Sealer`](crate::Sealer) before it reaches the store.
    /// Writing it without one is an error.
    #[must_use]
    pub const fn sealed(mut self) -> Self {
        self.sealed = true;
        self
    }

    /// The name of the attribute.
    #[must_use]
    pub const fn name(&self) -> &'n str {
        self.name
    }

    pub(crate) fn merge_fn(&self) -> Option<MergeFn<T>> {
        self.merge
    }

    pub(crate) fn conflict_rule(&self) -> Option<OnConflict> {
        self.on_conflict
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed
    }
}

impl<T> Clone for Slot<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Slot<'_, T> {}

impl<T> fmt::Debug for Slot<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot<{}>({:?})", std::any::type_name::<T>(), self.name)
    }
}

/// What becomes of a `set` or `remove` when another request changed the same attribute since this
/// one first touched it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OnConflict {
    /// The later commit wins (the default).
    #[default]
    LaterWins,
    /// The later commit fails with [`SessionError::Conflict`](crate::SessionError::Conflict), and
    /// nothing of it is kept.
    Reject,
}
