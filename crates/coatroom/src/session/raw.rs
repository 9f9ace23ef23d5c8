//! Attributes as bytes of any format: for bindings and tools.

use std::sync::Arc;

use super::Session;
use crate::changes::{Change, EditFn};
use crate::codec::check_name;
use crate::error::{SessionError, ValueError};
use crate::record::{RawValue, Value, ValueFormat};
use crate::slot::OnConflict;

impl Session {
    /// The bytes of an attribute and their format, whatever that is: for bindings and tools.
    #[must_use]
    pub fn get_raw(&self, name: &str) -> Option<(ValueFormat, Vec<u8>)> {
        self.viewed(name).map(|value| (value.format, value.bytes.to_vec()))
    }

    /// Sets an attribute to bytes of any format, or with `None` removes it. Deferred.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_raw(
        &self,
        name: &str,
        value: Option<RawValue<'_>>,
        on_conflict: OnConflict,
    ) -> Result<(), SessionError> {
        check_name(name)?;
        let key = self.change_key()?;
        let mut change = Change::new(name).assigning(on_conflict);
        if let Some(value) = value {
            let ours = change.set();
            *ours = Value::from(value);
            self.engine().codec(&key).check_size(name, ours)?;
        }
        self.assign(change)
    }

    /// As [`edit_optional`](Self::edit_optional), on the bytes of an attribute of any format: for
    /// bindings.
    ///
    /// # Errors
    ///
    /// As [`set_raw`](Self::set_raw), and whatever `edit` returns.
    pub fn edit_raw(
        &self,
        name: &str,
        edit: impl Fn(Option<RawValue<'_>>) -> Result<Option<(ValueFormat, Vec<u8>)>, ValueError>
        + Send
        + Sync
        + 'static,
    ) -> Result<(), SessionError> {
        let owned: Box<str> = name.into();
        let edit: EditFn = Arc::new(move |codec, raw| {
            let Some((format, bytes)) = edit(raw)? else { return Ok(None) };
            let value = Value::from(RawValue { format, bytes: &bytes });
            codec.check_size(&owned, &value)?;
            Ok(Some(value))
        });
        self.apply(name, edit)
    }
}
