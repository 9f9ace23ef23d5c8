//! Attributes: reading this request's view, and deferred changes of it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Session;
use super::replays::{edit_fn, merge_rule};
use crate::changes::{Change, EditFn, Slotted};
use crate::codec::check_name;
use crate::error::SessionError;
use crate::id::Key;
use crate::record::Value;
use crate::slot::Slot;

impl Session {
    /// The value of a slot in this request's view, `None` where it holds none. Never creates a
    /// session; on a superseded one everything is `None`.
    ///
    /// # Errors
    ///
    /// [`ValueError::Decode`](crate::ValueError::Decode) when the stored value is not a `T`,
    /// [`ValueError::Sealed`](crate::ValueError::Sealed) when it cannot be opened. Other attributes are not
    /// affected.
    pub fn get<T: DeserializeOwned>(&self, slot: Slot<'_, T>) -> Result<Option<T>, SessionError> {
        let state = self.shared.state.lock();
        let Some(key) = &state.key else { return Ok(None) };
        match state.changes.view(state.base.as_ref(), slot.name()) {
            None => Ok(None),
            Some(raw) => match self.engine().codec(key).decode(&slot, raw) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Sets a slot. Deferred. Setting what is there already is no change and writes nothing.
    ///
    /// # Errors
    ///
    /// A [`ValueError`](crate::ValueError) when the name or the value exceeds a limit or cannot be encoded;
    /// [`SessionError::Superseded`], [`SessionError::AfterResponse`] or
    /// [`SessionError::SaveRunning`] when no change is possible now. Then nothing changed.
    pub fn set<T: Serialize + DeserializeOwned + 'static>(
        &self,
        slot: Slot<'_, T>,
        value: &T,
    ) -> Result<(), SessionError> {
        // Only a seal depends on the session; and an application's `Serialize` runs outside the lock.
        let own;
        let key = if slot.is_sealed() {
            own = self.change_key()?;
            &own
        } else {
            &Key::NONE
        };
        let mut change = self.change(&slot);
        self.engine().codec(key).encode_into(&slot, value, change.set())?;
        self.assign(change)
    }

    /// Removes a slot's value. Deferred. Never creates a session.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), but for those of the value.
    pub fn remove<T: Serialize + DeserializeOwned + 'static>(
        &self,
        slot: Slot<'_, T>,
    ) -> Result<(), SessionError> {
        if self.contains(slot.name()) {
            self.assign(self.change(&slot))
        } else {
            self.shared.state.lock().check_open()
        }
    }

    /// The value of a slot, removed from it: for what is shown once, such as flash messages.
    /// Deferred; of two requests at once both may take it. A token that may be used once only is in a slot
    /// with [`OnConflict::Reject`](crate::OnConflict::Reject), which refuses the second request. Never creates a session.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`remove`](Self::remove).
    pub fn take<T: Serialize + DeserializeOwned + 'static>(
        &self,
        slot: Slot<'_, T>,
    ) -> Result<Option<T>, SessionError> {
        let value = self.get(slot)?;
        if value.is_some() {
            self.remove(slot)?;
        }
        Ok(value)
    }

    /// Removes every attribute that is there at commit, also what another request adds until then;
    /// what this request sets afterwards stays. Deferred. Login, times and the session remain.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), but for those of the value.
    pub fn clear(&self) -> Result<(), SessionError> {
        let state = &mut *self.shared.state.lock();
        state.check_open()?;
        state.changes.clear(state.base.as_ref(), self.engine().config.on_conflict);
        Ok(())
    }

    /// Whether there is an attribute of this name in this request's view.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        let state = self.shared.state.lock();
        state.changes.view(state.base.as_ref(), name).is_some()
    }

    /// The names of all attributes in this request's view, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let state = self.shared.state.lock();
        state.changes.names(state.base.as_ref())
    }

    /// The value of a slot; where it holds none, that of `init`, which is set. Deferred.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`set`](Self::set).
    pub fn get_or_init<T: Serialize + DeserializeOwned + 'static>(
        &self,
        slot: Slot<'_, T>,
        init: impl FnOnce() -> T,
    ) -> Result<T, SessionError> {
        if let Some(value) = self.get(slot)? {
            return Ok(value);
        }
        let value = init();
        self.set(slot, &value)?;
        Ok(value)
    }

    /// Changes a slot's value in place, beginning with `T::default()` where it holds none.
    /// Deferred.
    ///
    /// The closure runs now, for this request's view, and again on the newer value if another
    /// request committed first: so it must be a pure function of the value, and nothing either
    /// request did is lost. Where it leaves the view's value as it is, and the request writes nothing
    /// else, nothing is committed, as if the request had come first.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`set`](Self::set).
    ///
    /// # Example
    ///
    /// ```
    /// # use coatroom::{Session, SessionError, Slot};
    /// const CART: Slot<Vec<String>> = Slot::new("shop.cart");
    ///
    /// fn put(session: &Session, sku: String) -> Result<(), SessionError> {
    ///     session.edit(CART, move |cart| cart.push(sku.clone()))
    /// }
    /// ```
    pub fn edit<T: Default + Serialize + DeserializeOwned + 'static>(
        &self,
        slot: Slot<'_, T>,
        edit: impl Fn(&mut T) + Send + Sync + 'static,
    ) -> Result<(), SessionError> {
        self.edit_optional(slot, move |value| edit(value.get_or_insert_default()))
    }

    /// As [`edit`](Self::edit), with absence in the closure's hands: what it leaves as `None` is
    /// removed.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    pub fn edit_optional<T: Serialize + DeserializeOwned + 'static>(
        &self,
        slot: Slot<'_, T>,
        edit: impl Fn(&mut Option<T>) + Send + Sync + 'static,
    ) -> Result<(), SessionError> {
        self.apply(slot.name(), edit_fn(slot, edit))
    }

    pub(super) fn apply(&self, name: &str, edit: EditFn) -> Result<(), SessionError> {
        check_name(name)?;
        loop {
            let key = self.change_key()?;
            let before = self.viewed(name);
            let after = edit(&self.engine().codec(&key), before.as_ref().map(Value::as_raw))?;
            let state = &mut *self.shared.state.lock();
            state.check_open()?;
            // Another clone may have changed the attribute while the closure ran.
            if state.changes.view(state.base.as_ref(), name) == before.as_ref().map(Value::as_raw) {
                state.changes.edit(name, after, edit);
                return Ok(());
            }
        }
    }

    pub(super) fn viewed(&self, name: &str) -> Slotted {
        let state = self.shared.state.lock();
        state.changes.view(state.base.as_ref(), name).map(Value::from)
    }

    pub(super) fn change_key(&self) -> Result<Key, SessionError> {
        let mut state = self.shared.state.lock();
        state.check_open()?;
        state.ensure_key(self.engine())
    }

    pub(super) fn assign(&self, change: Box<Change>) -> Result<(), SessionError> {
        let state = &mut *self.shared.state.lock();
        state.check_open()?;
        state.ensure_key(self.engine())?;
        state.changes.assign(change);
        Ok(())
    }

    /// A change of a slot, by its rule for conflicts.
    fn change<T: Serialize + DeserializeOwned + 'static>(&self, slot: &Slot<'_, T>) -> Box<Change> {
        let change = Change::new(slot.name());
        match merge_rule(slot) {
            Some(merge) => change.merging(merge),
            None => change.assigning(slot.conflict_rule().unwrap_or(self.engine().config.on_conflict)),
        }
    }
}
