//! Values to bytes and back: MessagePack, sealed where a slot asks for it.

use std::fmt;
use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ValueError;
use crate::id::Key;
use crate::record::{RawValue, Value, ValueBytes, ValueFormat};
use crate::slot::Slot;

/// Seals values before they reach a store and opens them again: authenticated encryption with keys
/// that the application holds.
///
/// What it returns from [`seal`](Sealer::seal) is kept as it is, so it carries the id of its key
/// and its nonce itself. The place of a value ([`Place::to_bytes`]) must go in as associated data,
/// so that a sealed value cannot be moved to another session, attribute or application.
pub trait Sealer: fmt::Debug + Send + Sync + 'static {
    /// Seals `plain` for its place.
    fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Vec<u8>;

    /// Opens what [`seal`](Sealer::seal) returned for the same place; `None` if the key is not
    /// known or the bytes were changed.
    fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Option<Vec<u8>>;
}

/// Where a sealed value lies.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Application and session.
    pub key: Key,
    /// The attribute.
    pub name: &'a str,
}

impl Place<'_> {
    /// Namespace (8 bytes), locator (16), then the name: the associated data of the value.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.key.to_bytes()[..], self.name.as_bytes()].concat()
    }
}

/// What reading and writing a value needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Codec<'a> {
    pub(crate) key: &'a Key,
    pub(crate) sealer: Option<&'a dyn Sealer>,
    pub(crate) max_value_bytes: usize,
}

/// Names have at most this many bytes.
pub(crate) const MAX_NAME_BYTES: usize = 255;

impl Codec<'_> {
    pub(crate) fn encode<T: Serialize>(&self, slot: &Slot<'_, T>, value: &T) -> Result<Value, ValueError> {
        let mut out = Value::empty();
        self.encode_into(slot, value, &mut out)?;
        Ok(out)
    }

    /// As [`Codec::encode`], into an empty value where the caller wants it: moving one that was
    /// just written byte by byte takes longer than writing it.
    pub(crate) fn encode_into<T: Serialize>(
        &self,
        slot: &Slot<'_, T>,
        value: &T,
        out: &mut Value,
    ) -> Result<(), ValueError> {
        check_name(slot.name())?;
        let mut serializer = rmp_serde::Serializer::new(Bytes(&mut out.bytes)).with_struct_map();
        value.serialize(&mut serializer).map_err(|error| ValueError::Encode {
            name: slot.name().to_owned(),
            reason: unencodable(&error),
        })?;
        if slot.is_sealed() {
            *out = self.seal(slot.name(), out)?;
        }
        self.check_size(slot.name(), out)
    }

    pub(crate) fn decode<T: DeserializeOwned>(
        &self,
        slot: &Slot<'_, T>,
        raw: RawValue<'_>,
    ) -> Result<T, ValueError> {
        let decode_error = |reason: String| ValueError::Decode {
            name: slot.name().to_owned(),
            expected: std::any::type_name::<T>(),
            reason,
        };
        let opened;
        let (format, bytes) = if raw.format.is_sealed() {
            opened = self.open(slot.name(), raw)?;
            (raw.format.unsealed(), &opened[..])
        } else {
            (raw.format, raw.bytes)
        };
        if format != ValueFormat::MESSAGE_PACK {
            return Err(decode_error(format!("its format is {}, not MessagePack", format.0)));
        }
        rmp_serde::from_slice(bytes).map_err(|error| decode_error(without_value(&error)))
    }

    pub(crate) fn check_size(&self, name: &str, value: &Value) -> Result<(), ValueError> {
        if value.bytes.len() <= self.max_value_bytes {
            return Ok(());
        }
        Err(ValueError::TooLarge {
            name: name.to_owned(),
            size: value.bytes.len(),
            limit: self.max_value_bytes,
        })
    }

    fn seal(&self, name: &str, value: &Value) -> Result<Value, ValueError> {
        let sealer = self.sealer.ok_or_else(|| ValueError::Encode {
            name: name.to_owned(),
            reason: "the slot is sealed and the manager has no sealer; give it one".to_owned(),
        })?;
        let sealed = sealer.seal(&Place { key: *self.key, name }, &value.bytes);
        Ok(Value { format: value.format.sealed(), bytes: ValueBytes::from_vec(sealed) })
    }

    fn open(&self, name: &str, raw: RawValue<'_>) -> Result<Vec<u8>, ValueError> {
        let place = Place { key: *self.key, name };
        self.sealer
            .and_then(|sealer| sealer.open(&place, raw.bytes))
            .ok_or_else(|| ValueError::Sealed { name: name.to_owned() })
    }
}

#[inline]
pub(crate) fn check_name(name: &str) -> Result<(), ValueError> {
    if (1..=MAX_NAME_BYTES).contains(&name.len()) {
        Ok(())
    } else {
        Err(ValueError::InvalidName { size: name.len(), limit: MAX_NAME_BYTES })
    }
}

/// What was wrong, without the part of a decoder's message that may quote the value.
fn without_value(error: &rmp_serde::decode::Error) -> String {
    use rmp_serde::decode::Error;
    match error {
        Error::TypeMismatch(marker) => format!("found a MessagePack {}", kind(&format!("{marker:?}"))),
        Error::InvalidMarkerRead(_) | Error::InvalidDataRead(_) => "the bytes end too early".to_owned(),
        Error::LengthMismatch(length) => format!("found {length} elements"),
        Error::OutOfRange => "a number is out of range".to_owned(),
        Error::DepthLimitExceeded => "it is nested too deeply".to_owned(),
        _ => "the value has another shape".to_owned(),
    }
}

/// The kind of value that a marker announces. The shortest numbers and truth values are their own marker,
/// so a marker whole would show them.
fn kind(marker: &str) -> &str {
    match marker.split('(').next() {
        Some("True" | "False") | None => "boolean",
        Some(kind) => kind,
    }
}

/// What was wrong, without the words of an application's `Serialize`, which may quote the value.
fn unencodable(error: &rmp_serde::encode::Error) -> String {
    use rmp_serde::encode::Error;
    match error {
        Error::UnknownLength => "a sequence or map in it does not say how long it is".to_owned(),
        Error::DepthLimitExceeded => "it is nested too deeply".to_owned(),
        _ => "its Serialize refused it, in words that are left out since they may quote it".to_owned(),
    }
}

/// Lets the encoder write into a buffer that small values do not allocate for.
struct Bytes<'a>(&'a mut ValueBytes);

impl io::Write for Bytes<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match bytes {
            // Every value begins with a byte of its own.
            [byte] => self.0.push(*byte),
            bytes => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
