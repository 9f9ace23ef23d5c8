//! One entry of the journal: a fixed head, a payload, zeros up to a multiple of eight.
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 4 | length of head and payload, without the padding |
//! | 4 | 4 | CRC-32C of all other bytes of the head, seeded with segment epoch and position |
//! | 8 | 4 | CRC-32C of the payload |
//! | 12 | 1 | kind |
//! | 13 | 3 | zero |
//! | 16 | 24 | key |
//! | 40 | 8 | activity, or the epoch of a principal |
//!
//! All numbers are little-endian. A length of zero ends a segment.

use crc32c::{crc32c, crc32c_append};

use crate::id::Key;

/// Length of the fixed part.
pub(super) const HEAD: usize = 48;
/// What follows the last entry: a length of zero, so that whatever an earlier use of the segment
/// left behind it, which a visitor may have chosen, is never read as an entry.
pub(super) const END: usize = 8;

/// What an entry says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(in crate::store::embedded) enum Kind {
    /// The record under the key is now this one.
    Put = 1,
    /// The same, and it must be filed in the index of deadlines.
    PutFiled = 2,
    /// The activity of the record under the key moved.
    Touch = 3,
    /// There is no record under the key.
    Remove = 4,
    /// The epoch of the principal in the payload was raised.
    Epoch = 5,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Put, Self::PutFiled, Self::Touch, Self::Remove, Self::Epoch]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }

    /// Whether it may use the room that is kept back: what ends sessions must work when nothing
    /// else does.
    pub(super) fn is_urgent(self) -> bool {
        !matches!(self, Self::Put | Self::PutFiled)
    }
}

/// An entry to write, or one that was read.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::embedded) struct Entry<'a> {
    pub(in crate::store::embedded) kind: Kind,
    pub(in crate::store::embedded) key: Key,
    /// [`Activity::to_bits`](crate::Activity::to_bits), or the epoch of a principal.
    pub(in crate::store::embedded) number: u64,
    pub(in crate::store::embedded) payload: &'a [u8],
    payload_checksum: u32,
}

impl<'a> Entry<'a> {
    /// Computes the checksum of the payload, which need not happen under any lock.
    pub(in crate::store::embedded) fn new(kind: Kind, key: Key, number: u64, payload: &'a [u8]) -> Self {
        Self { kind, key, number, payload, payload_checksum: crc32c(payload) }
    }

    /// Bytes it takes in a segment.
    pub(super) fn room(&self) -> usize {
        (HEAD + self.payload.len()).next_multiple_of(8)
    }

    pub(super) fn head(&self, epoch: u64, at: usize) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        // The journal refuses what exceeds a segment, and a segment is far below 4 GiB.
        head[..4].copy_from_slice(&((HEAD + self.payload.len()) as u32).to_le_bytes());
        head[8..12].copy_from_slice(&self.payload_checksum.to_le_bytes());
        head[12] = self.kind as u8;
        head[16..40].copy_from_slice(&self.key.to_bytes());
        head[40..].copy_from_slice(&self.number.to_le_bytes());
        let checksum = checksum(&head, epoch, at);
        head[4..8].copy_from_slice(&checksum.to_le_bytes());
        head
    }

    /// The entry at `at`. `None` where there is none.
    pub(super) fn read(segment: &'a [u8], epoch: u64, at: usize) -> Option<Self> {
        let head = whole_head(segment, epoch, at)?;
        let length = u32::from_le_bytes(part(head, 0)) as usize;
        let payload = segment.get(at + HEAD..at.checked_add(length)?)?;
        let payload_checksum = u32::from_le_bytes(part(head, 8));
        if crc32c(payload) != payload_checksum {
            return None;
        }
        let kind = Kind::from_byte(head[12])?;
        let (key, number) = (Key::from_bytes(&part(head, 16)), u64::from_le_bytes(part(head, 40)));
        Some(Self { kind, key, number, payload, payload_checksum })
    }
}

/// The head of the entry at `at`, whatever its payload is.
pub(super) fn whole_head(segment: &[u8], epoch: u64, at: usize) -> Option<&[u8; HEAD]> {
    let head = segment.get(at..)?.first_chunk::<HEAD>()?;
    let length = u32::from_le_bytes(part(head, 0)) as usize;
    let whole = length >= HEAD && checksum(head, epoch, at) == u32::from_le_bytes(part(head, 4));
    whole.then_some(head)
}

/// Whether something other than the end stands at `at`.
pub(super) fn is_torn(segment: &[u8], at: usize) -> bool {
    segment.get(at..at + 4).is_some_and(|length| length != [0; 4])
}

/// For one position, the seeds of two epochs differ (the factor is odd), and a CRC of the same
/// bytes from two seeds differs too: an entry of an earlier use of the segment never passes.
fn checksum(head: &[u8; HEAD], epoch: u64, at: usize) -> u32 {
    let seed = (epoch as u32).wrapping_mul(0x9E37_79B1) ^ at as u32;
    crc32c_append(crc32c_append(seed, &head[..4]), &head[8..])
}

fn part<const N: usize>(head: &[u8; HEAD], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&head[at..at + N]);
    part
}
