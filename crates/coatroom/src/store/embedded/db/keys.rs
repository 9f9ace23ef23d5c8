//! Keys and values of the files.
//!
//! | key | value |
//! |---|---|
//! | `s`, namespace, locator | activity (8), CRC-32C of the record (4), the record |
//! | `u`, namespace, length of the principal (2, big-endian), principal, locator | – |
//! | `p`, namespace, principal | epoch (8) |
//! | `e`, namespace, time slice (4, big-endian), locator | – |
//! | `m` | the epoch of the journal through which the files have everything (8) |

use super::DbError;
use crate::clock::Timestamp;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};

/// Milliseconds of a time slice of the index of deadlines.
const SLICE: u64 = 4096;

pub(in crate::store::embedded) const CHECKPOINT: &[u8] = b"m";
/// All records of all namespaces lie between these.
pub(in crate::store::embedded) const ALL_RECORDS: (&[u8], &[u8]) = (b"s", b"t");

/// The slice that a point in time falls into; `None` if it never comes.
pub(in crate::store::embedded) fn slice_of(at: Timestamp) -> Option<u32> {
    u32::try_from(at.as_millis() / SLICE).ok()
}

pub(in crate::store::embedded) fn record_key(key: &Key) -> [u8; 25] {
    let mut bytes = [b's'; 25];
    bytes[1..].copy_from_slice(&key.to_bytes());
    bytes
}

/// The records of a namespace behind `after` whose locators begin with `byte`.
pub(in crate::store::embedded) fn records_of(
    namespace: Namespace,
    byte: u8,
    after: Option<Locator>,
) -> (Vec<u8>, Vec<u8>) {
    let mut from = [b"s", &namespace.as_bytes()[..]].concat();
    let mut to = from.clone();
    match after {
        // The smallest key behind a whole locator is that locator and a zero.
        Some(after) if after.as_bytes()[0] == byte => from.extend([after.as_bytes(), &[0][..]].concat()),
        _ => from.push(byte),
    }
    to.extend([&[byte][..], &[0xFF; 17]].concat());
    (from, to)
}

/// Behind all records of the namespace, and before those of any later one.
pub(in crate::store::embedded) fn behind(namespace: Namespace) -> Vec<u8> {
    [b"s", &namespace.as_bytes()[..], &[0xFF; 17]].concat()
}

/// The namespace of a [`record_key`].
pub(in crate::store::embedded) fn namespace_in(key: &[u8]) -> Option<Namespace> {
    Some(Namespace::from_bytes(*key.get(1..)?.first_chunk()?))
}

pub(in crate::store::embedded) fn write_record(record: &Record, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&record.activity().to_bits().to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c(record.bytes()).to_le_bytes());
    out.extend_from_slice(record.bytes());
}

pub(in crate::store::embedded) fn read_record(key: Key, value: &[u8]) -> Result<Record, DbError> {
    let damaged = |what: &str| DbError::Damaged(format!("the record of {} {what}", key.locator));
    let (activity, rest) = value.split_first_chunk().ok_or_else(|| damaged("is cut short"))?;
    let (checksum, bytes) = rest.split_first_chunk().ok_or_else(|| damaged("is cut short"))?;
    if crc32c::crc32c(bytes) != u32::from_le_bytes(*checksum) {
        return Err(damaged("fails its checksum"));
    }
    let activity = Activity::from_bits(u64::from_le_bytes(*activity));
    Record::decode(key, activity, bytes).map_err(|error| damaged(&format!("is not readable: {error}")))
}

pub(in crate::store::embedded) fn principal_prefix(namespace: Namespace, principal: &str) -> Vec<u8> {
    // A principal is an extension of a record, which has at most 65,535 bytes.
    let length = (principal.len() as u16).to_be_bytes();
    [b"u", &namespace.as_bytes()[..], &length, principal.as_bytes()].concat()
}

pub(in crate::store::embedded) fn principal_key(principal: &str, key: &Key) -> Vec<u8> {
    let mut bytes = principal_prefix(key.namespace, principal);
    bytes.extend_from_slice(key.locator.as_bytes());
    bytes
}

/// Everything that begins with the prefix and ends in a locator lies between these.
pub(in crate::store::embedded) fn locators_behind(prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (prefix.to_vec(), [prefix, &[0xFF; 17]].concat())
}

pub(in crate::store::embedded) fn epoch_key(namespace: Namespace, principal: &str) -> Vec<u8> {
    [b"p", &namespace.as_bytes()[..], principal.as_bytes()].concat()
}

pub(in crate::store::embedded) fn number(value: &[u8]) -> Result<u64, DbError> {
    let bytes = value.try_into().map_err(|_| DbError::Damaged("a number has not eight bytes".to_owned()))?;
    Ok(u64::from_le_bytes(bytes))
}

pub(in crate::store::embedded) fn slice_prefix(namespace: Namespace, slice: u32) -> Vec<u8> {
    [b"e", &namespace.as_bytes()[..], &slice.to_be_bytes()].concat()
}

pub(in crate::store::embedded) fn slice_key(key: &Key, slice: u32) -> Vec<u8> {
    let mut bytes = slice_prefix(key.namespace, slice);
    bytes.extend_from_slice(key.locator.as_bytes());
    bytes
}

/// The slice of a [`slice_key`].
pub(in crate::store::embedded) fn slice_in(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*key.get(9..)?.first_chunk()?))
}

/// The locator at the end of a key.
pub(in crate::store::embedded) fn locator_in(key: &[u8]) -> Option<Locator> {
    key.last_chunk().map(|bytes| Locator::from_bytes(*bytes))
}
