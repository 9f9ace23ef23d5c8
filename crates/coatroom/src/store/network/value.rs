//! How a record lies on a server: its activity, a checksum of its bytes, the bytes.

use crate::error::StoreError;
use crate::id::Key;
use crate::record::{Activity, Record};

#[cfg(feature = "redis")]
/// Bytes before the record's own: activity (8), CRC-32C of the record (4), both little-endian.
pub(in crate::store) const VALUE_HEADER: usize = 12;

#[cfg(feature = "redis")]
/// What stands before the bytes of a record.
pub(in crate::store) fn value_header(record: &Record) -> [u8; VALUE_HEADER] {
    let mut header = [0; VALUE_HEADER];
    let (activity, checksum) = header.split_at_mut(8);
    activity.copy_from_slice(&record.activity().to_bits().to_le_bytes());
    checksum.copy_from_slice(&crc32c::crc32c(record.bytes()).to_le_bytes());
    header
}

#[cfg(feature = "redis")]
/// The whole value of a record.
pub(in crate::store) fn write_value(record: &Record) -> Vec<u8> {
    [&value_header(record)[..], record.bytes()].concat()
}

#[cfg(feature = "redis")]
/// The record of a value. What is damaged is an error that names the session and the remedy.
pub(in crate::store) fn read_value(key: Key, value: &[u8]) -> Result<Record, StoreError> {
    let (activity, rest) = value.split_first_chunk().ok_or_else(|| damaged(key, "is cut short"))?;
    let (checksum, bytes) = rest.split_first_chunk().ok_or_else(|| damaged(key, "is cut short"))?;
    let activity = Activity::from_bits(u64::from_le_bytes(*activity));
    check_record(key, activity, u32::from_le_bytes(*checksum), bytes)
}

/// The record of these bytes. What is damaged is an error that names the session and the remedy.
pub(in crate::store) fn check_record(
    key: Key,
    activity: Activity,
    checksum: u32,
    bytes: &[u8],
) -> Result<Record, StoreError> {
    if crc32c::crc32c(bytes) != checksum {
        return Err(damaged(key, "fails its checksum"));
    }
    Record::decode(key, activity, bytes).map_err(|error| damaged(key, &format!("is not readable ({error})")))
}

fn damaged(key: Key, what: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!(
            "reading session {} failed: what the store's server holds {what}; end the session by its locator, or restore it from a backup",
            key.locator
        ),
    }
}
