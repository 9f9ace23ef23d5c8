use std::sync::Arc;

use redis::Value;

use crate::store::redis::dial::Address;
use crate::store::redis::link::Lines;
use crate::store::redis::url::Host;

const SLOTS: usize = 16_384;
const NOBODY: u16 = u16::MAX;

/// Slots in a row, and their primary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store::redis) struct Range {
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) primary: Address,
}

/// Which primary has which slot.
#[derive(Debug, Default)]
pub(super) struct Map {
    /// For each slot the index of its server.
    slots: Box<[u16]>,
    servers: Vec<(Address, Arc<Lines>)>,
}

impl Map {
    pub(super) fn index(&self, slot: u16) -> Option<usize> {
        self.slots.get(usize::from(slot)).filter(|index| **index != NOBODY).map(|index| usize::from(*index))
    }

    pub(super) fn server(&self, slot: u16) -> Option<&Arc<Lines>> {
        self.index(slot).map(|index| &self.servers[index].1)
    }

    pub(super) fn servers(&self) -> impl ExactSizeIterator<Item = &Arc<Lines>> {
        self.servers.iter().map(|(_, lines)| lines)
    }

    /// A map of these ranges. Lines to servers that stay are kept, to new ones they are opened.
    pub(super) fn renewed(&self, ranges: &[Range], open: impl Fn(&Address) -> Arc<Lines>) -> Self {
        let mut slots = vec![NOBODY; SLOTS];
        let mut servers: Vec<(Address, Arc<Lines>)> = Vec::new();
        for Range { first, last, primary } in ranges {
            let index = servers.iter().position(|(address, _)| address == primary).unwrap_or_else(|| {
                let known = self.servers.iter().find(|(address, _)| address == primary);
                let lines = known.map_or_else(|| open(primary), |(_, lines)| Arc::clone(lines));
                servers.push((primary.clone(), lines));
                servers.len() - 1
            });
            // Fewer servers than slots, so it fits.
            slots[usize::from(*first)..=usize::from(*last)].fill(index as u16);
        }
        Self { slots: slots.into(), servers }
    }
}

/// The answer to `CLUSTER SLOTS`: ranges, each with first, last and its servers, the primary before
/// its replicas, as name and port. A server that does not know its own name leaves it out, and means
/// the one it was asked by. `None` where that is not what was answered.
pub(in crate::store::redis) fn read_slots(answer: &Value, asked: &Address) -> Option<Vec<Range>> {
    let Value::Array(ranges) = answer else { return None };
    ranges.iter().map(|range| read_range(range, asked)).collect()
}

fn read_range(range: &Value, asked: &Address) -> Option<Range> {
    let Value::Array(range) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = &range[..] else { return None };
    let [name, Value::Int(port), ..] = &primary[..] else { return None };
    let name = match name {
        Value::BulkString(name) if !name.is_empty() && name != b"?" => {
            String::from_utf8(name.clone()).ok()?
        }
        _ => match asked {
            Address::Host(host) => host.name.clone(),
            Address::Socket(_) => return None,
        },
    };
    let slot = |number: &i64| u16::try_from(*number).ok().filter(|slot| usize::from(*slot) < SLOTS);
    let (first, last) = (slot(first)?, slot(last)?);
    let primary = Address::Host(Host { name, port: u16::try_from(*port).ok()? });
    (first <= last).then_some(Range { first, last, primary })
}
