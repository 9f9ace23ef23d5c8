//! The names of the keys, and the Cluster slots they lie in.

use std::sync::LazyLock;

use crate::id::{Key, Namespace};

/// How many parts the records are filed in, by the first byte of their locators.
pub(super) const SHARDS: usize = 256;

/// The slots of a Cluster.
const SLOTS: u16 = 16_384;
const SLOTS_PER_SHARD: u16 = SLOTS / SHARDS as u16;

/// Makes the keys of one store.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: Box<str>,
    /// How all keys of a shard begin, and their slot.
    shards: Box<[Shard]>,
}

#[derive(Debug)]
struct Shard {
    head: Box<[u8]>,
    slot: u16,
}

/// A hash tag, the part of a key that decides its slot.
#[derive(Clone, Debug)]
struct Tag {
    text: String,
    slot: u16,
}

/// One tag for each shard: the lowest hexadecimal number in the middle one of its slots, which are
/// those from `64 n` on. So any number of primaries, each with slots in a row, has as many shards as
/// another.
static TAGS: LazyLock<Vec<Tag>> = LazyLock::new(|| {
    let mut tags: Vec<Option<Tag>> = vec![None; SHARDS];
    let mut missing = SHARDS;
    for number in 0_u32.. {
        let text = format!("{number:x}");
        let slot = slot_of(text.as_bytes());
        let place = &mut tags[usize::from(slot / SLOTS_PER_SHARD)];
        if place.is_none() && slot % SLOTS_PER_SHARD == SLOTS_PER_SHARD / 2 {
            *place = Some(Tag { text, slot });
            missing -= 1;
        }
        if missing == 0 {
            break;
        }
    }
    tags.into_iter().flatten().collect()
});

impl Keys {
    /// `prefix` has no braces, which would be a hash tag.
    pub(super) fn new(prefix: &str) -> Self {
        let shard = |tag: &Tag| Shard {
            head: format!("{prefix}:{{{}}}:", tag.text).into_bytes().into_boxed_slice(),
            slot: tag.slot,
        };
        Self { prefix: prefix.into(), shards: TAGS.iter().map(shard).collect() }
    }

    /// The shard of a record.
    pub(super) fn shard_of(key: &Key) -> usize {
        usize::from(key.locator.as_bytes()[0])
    }

    /// The slot of all keys of a shard.
    pub(super) fn slot(&self, shard: usize) -> u16 {
        self.shards[shard].slot
    }

    /// Where a record lies.
    pub(super) fn record(&self, key: &Key) -> Vec<u8> {
        self.of_shard(Self::shard_of(key), b"r:", &key.to_bytes())
    }

    /// How the keys of a shard's records begin; a locator follows.
    pub(super) fn records(&self, shard: usize, namespace: Namespace) -> Vec<u8> {
        self.of_shard(shard, b"r:", namespace.as_bytes())
    }

    /// The sorted set of a shard's deadlines.
    pub(super) fn deadlines(&self, shard: usize, namespace: Namespace) -> Vec<u8> {
        self.of_shard(shard, b"e:", namespace.as_bytes())
    }

    /// The sorted set of a shard's claims.
    pub(super) fn claims(&self, shard: usize, namespace: Namespace) -> Vec<u8> {
        self.of_shard(shard, b"c:", namespace.as_bytes())
    }

    /// The set of the namespaces that a shard holds records of, or held.
    pub(super) fn namespaces(&self, shard: usize) -> Vec<u8> {
        self.of_shard(shard, b"n", b"")
    }

    /// Where a large value waits to become that of a record: another key each time.
    pub(super) fn large(&self, key: &Key) -> Vec<u8> {
        self.of_shard(Self::shard_of(key), b"v:", &fastrand::u128(..).to_le_bytes())
    }

    /// Keys that no record lies under, in one slot: for probing, and for asking one primary.
    pub(super) fn nobodys(&self) -> [Vec<u8>; 2] {
        [self.of_shard(0, b"probe", b"1"), self.of_shard(0, b"probe", b"2")]
    }

    /// How the keys of a namespace's principals begin.
    pub(super) fn principals(&self, namespace: Namespace) -> Vec<u8> {
        format!("{}:{{{:016x}:", self.prefix, u64::from_be_bytes(*namespace.as_bytes())).into_bytes()
    }

    /// The sorted set of a principal's records.
    pub(super) fn principal(&self, namespace: Namespace, name: &str) -> Vec<u8> {
        self.of_principal(namespace, name, b"}:u")
    }

    /// The epoch of a principal, in the same slot as its records.
    pub(super) fn epoch(&self, namespace: Namespace, name: &str) -> Vec<u8> {
        self.of_principal(namespace, name, b"}:p")
    }

    fn of_principal(&self, namespace: Namespace, name: &str, end: &[u8]) -> Vec<u8> {
        let mut key = self.principals(namespace);
        key.extend_from_slice(name.as_bytes());
        key.extend_from_slice(end);
        key
    }

    fn of_shard(&self, shard: usize, kind: &[u8], rest: &[u8]) -> Vec<u8> {
        let head = &self.shards[shard].head;
        let mut key = Vec::with_capacity(head.len() + kind.len() + rest.len());
        key.extend_from_slice(head);
        key.extend_from_slice(kind);
        key.extend_from_slice(rest);
        key
    }
}

/// The slot of a key: the CRC of its hash tag, if it has one that is not empty, else of all of it.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        rest.iter().position(|byte| *byte == b'}').filter(|close| *close > 0).map(|close| &rest[..close])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM, as the specification of Redis Cluster has it.
fn crc16(bytes: &[u8]) -> u16 {
    let shift = |crc: u16, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ u16::from(*byte) << 8, shift))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Locator;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (key, tag) in
            [("{user1000}.following", "user1000"), ("foo{bar}{zap}", "bar"), ("x{{bar}}", "{bar")]
        {
            assert_eq!(slot_of(key.as_bytes()), crc16(tag.as_bytes()) % SLOTS, "{key}");
        }
        assert_eq!(slot_of(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot_of(b"foo"), 12_182);
    }

    #[test]
    fn each_shard_has_a_short_tag_in_the_middle_of_its_slots() {
        assert_eq!(TAGS.len(), SHARDS);
        for (shard, tag) in TAGS.iter().enumerate() {
            assert_eq!(usize::from(tag.slot), 64 * shard + 32);
            assert!(tag.text.len() <= 5, "{tag:?}");
        }
        // As documented.
        assert_eq!((&*TAGS[0].text, &*TAGS[255].text), ("e8a", "2220"));
    }

    #[test]
    fn any_number_of_primaries_has_as_many_shards_each() {
        for primaries in [1, 2, 3, 5, 6, 7, 16, 100] {
            let mut shards = vec![0; primaries];
            for tag in TAGS.iter() {
                shards[usize::from(tag.slot) * primaries / usize::from(SLOTS)] += 1;
            }
            let (most, least) = (shards.iter().max().unwrap(), shards.iter().min().unwrap());
            assert!(most - least <= 1, "{primaries} primaries: {shards:?}");
        }
    }

    #[test]
    fn all_keys_of_a_shard_lie_in_its_slot() {
        let keys = Keys::new("coatroom");
        let namespace = Namespace::from_bytes(*b"}{a}b{}c");
        for shard in 0..SHARDS {
            let key = Key { namespace, locator: Locator::from_bytes([shard as u8; 16]) };
            let of_shard = [
                keys.record(&key),
                keys.records(shard, namespace),
                keys.deadlines(shard, namespace),
                keys.claims(shard, namespace),
                keys.namespaces(shard),
            ];
            assert!(of_shard.iter().all(|key| slot_of(key) == keys.slot(shard)));
        }
    }

    #[test]
    fn a_principal_and_its_epoch_share_a_slot() {
        let keys = Keys::new("coatroom");
        let namespace = Namespace::from_bytes(*b"}{a}b{}c");
        for name in ["alice", "", "}", "{", "a}b{c", "{a}", "}:u"] {
            let (principal, epoch) = (keys.principal(namespace, name), keys.epoch(namespace, name));
            assert_eq!(slot_of(&principal), slot_of(&epoch), "{name}");
            assert!(principal.starts_with(&keys.principals(namespace)));
        }
    }
}
