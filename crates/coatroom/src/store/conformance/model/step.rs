use std::time::Duration;

use super::Sample;
use crate::clock::Timestamp;
use crate::id::Key;
use crate::record::Activity;
use crate::store::conformance::scene::{HOUR, MINUTE};

pub(super) const PRINCIPALS: [&str; 3] = ["ann", "anna", "bob"];

/// One call of a store, or time that passes. Made of random bytes by [`Step::pick`].
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The fields are for `Debug`.
#[non_exhaustive]
pub enum Step {
    Advance { by: Duration },
    BumpEpoch { namespace: usize, principal: usize },
    Claim { namespace: usize, limit: usize, lease: Duration },
    Commit { key: u8, stale: bool, draw: Draw },
    Count { namespace: usize },
    Create { key: u8, draw: Draw },
    Epoch { namespace: usize, principal: usize },
    Load { key: u8 },
    OfPrincipal { namespace: usize, principal: usize },
    Page { namespace: usize, after: Option<u8>, limit: usize },
    Remove { key: u8 },
    Reopen,
    Settle { skip: usize },
    Touch { key: u8, ago: u64, confirmed: bool },
}

/// What a record is made of.
#[derive(Clone, Debug)]
pub struct Draw {
    principal: Option<usize>,
    confirmed: bool,
    idle_timeout: Duration,
    lifetime: Duration,
    unconfirmed_timeout: Option<Duration>,
    size: usize,
    fill: u8,
}

const SECOND: Duration = Duration::from_secs(1);

impl Step {
    /// The step of eight bytes: any are a step, and smaller bytes are simpler ones, so that a
    /// property test shrinks well.
    #[must_use]
    pub fn pick(bytes: [u8; 8]) -> Self {
        let [operation, key, a, b, ..] = bytes;
        let (namespace, principal) = (usize::from(key % 2), usize::from(a) % PRINCIPALS.len());
        match operation % 32 {
            0..=2 => Self::Load { key },
            3..=9 => Self::Create { key, draw: Draw::pick(bytes) },
            10..=15 => Self::Commit { key, stale: b % 4 == 3, draw: Draw::pick(bytes) },
            16..=18 => Self::Touch { key, ago: of(a, &[0, 0, 1, 10_000]), confirmed: b % 2 == 0 },
            19 => Self::Remove { key },
            20 => Self::Page { namespace, after: (a % 2 == 1).then_some(b), limit: of(b, &[100, 1, 2, 3]) },
            21 => Self::Count { namespace },
            22 => Self::OfPrincipal { namespace, principal },
            23 => Self::Epoch { namespace, principal },
            24 => Self::BumpEpoch { namespace, principal },
            25..=26 => {
                let lease = of(b, &[MINUTE, SECOND, HOUR]);
                Self::Claim { namespace, limit: of(a, &[100, 1, 2]), lease }
            }
            27 => Self::Settle { skip: of(a, &[0, 1, 3]) },
            28..=30 => Self::Advance { by: advance(a) },
            _ => Self::Reopen,
        }
    }
}

impl Draw {
    fn pick([_, _, a, b, c, d, e, fill]: [u8; 8]) -> Self {
        Self {
            principal: usize::from(a % 4).checked_sub(1),
            confirmed: b % 3 != 2,
            idle_timeout: of(c, &[20 * MINUTE, SECOND, MINUTE, Duration::MAX]),
            lifetime: of(d, &[12 * HOUR, MINUTE, Duration::from_millis(1), Duration::MAX]),
            unconfirmed_timeout: of(d / 4, &[None, Some(10 * SECOND), Some(10 * MINUTE)]),
            size: of(e, &[1, 0, 30, 300, 5_000, 70_000]),
            fill,
        }
    }

    pub(super) fn sample(&self, key: Key, created: Timestamp, now: Timestamp) -> Sample {
        let sample = Sample {
            created,
            deadline: now + self.lifetime,
            idle_timeout: self.idle_timeout,
            unconfirmed_timeout: self.unconfirmed_timeout,
            activity: Activity { last_accessed: now, confirmed: self.confirmed },
            principal: self.principal.map(|principal| PRINCIPALS[principal].to_owned()),
            ..Sample::new(key)
        };
        sample.with_value(vec![self.fill; self.size])
    }
}

fn advance(byte: u8) -> Duration {
    let millis = Duration::from_millis;
    of(byte, &[millis(1), millis(999), 10 * SECOND, 30 * SECOND, MINUTE, 20 * MINUTE, HOUR, 30 * HOUR])
}

fn of<T: Copy>(byte: u8, choices: &[T]) -> T {
    choices[usize::from(byte) % choices.len()]
}
