//! What changes of a slot keep until the commit, to be run on the newest value.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::changes::{EditFn, MergeRule};
use crate::codec::Codec;
use crate::error::ValueError;
use crate::record::{RawValue, Value};
use crate::slot::Slot;

/// A slot that outlives the call, for closures that are kept until the commit.
struct OwnedSlot<T> {
    name: Box<str>,
    sealed: bool,
    holds: std::marker::PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> OwnedSlot<T> {
    fn new(slot: &Slot<'_, T>) -> Self {
        Self { name: slot.name().into(), sealed: slot.is_sealed(), holds: std::marker::PhantomData }
    }

    fn slot(&self) -> Slot<'_, T> {
        let slot = Slot::new(&self.name);
        if self.sealed { slot.sealed() } else { slot }
    }

    fn decode(&self, codec: &Codec<'_>, raw: Option<RawValue<'_>>) -> Result<Option<T>, ValueError> {
        raw.map(|raw| codec.decode(&self.slot(), raw)).transpose()
    }

    fn encode(&self, codec: &Codec<'_>, value: Option<&T>) -> Result<Option<Value>, ValueError> {
        value.map(|value| codec.encode(&self.slot(), value)).transpose()
    }
}

pub(super) fn edit_fn<T: Serialize + DeserializeOwned + 'static>(
    slot: Slot<'_, T>,
    edit: impl Fn(&mut Option<T>) + Send + Sync + 'static,
) -> EditFn {
    let slot = OwnedSlot::new(&slot);
    Arc::new(move |codec, raw| {
        let mut value = slot.decode(codec, raw)?;
        edit(&mut value);
        slot.encode(codec, value.as_ref())
    })
}

pub(super) fn merge_rule<T: Serialize + DeserializeOwned + 'static>(slot: &Slot<'_, T>) -> Option<MergeRule> {
    let merge = slot.merge_fn()?;
    let slot = OwnedSlot::new(slot);
    Some(Arc::new(move |codec, base, theirs, ours| {
        let (base, theirs, ours) =
            (slot.decode(codec, base)?, slot.decode(codec, theirs)?, slot.decode(codec, ours)?);
        slot.encode(codec, merge(base, theirs, ours).as_ref())
    }))
}
