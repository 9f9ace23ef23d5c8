//! A number of sessions, and the work that is measured on one of them without any HTTP.

use std::future::Future;

use crate::Result;

/// What each session of a population holds beside its counter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    /// How many further attributes.
    pub(crate) others: usize,
    /// How long the value of each is.
    pub(crate) bytes: usize,
}

impl Shape {
    /// A counter and nothing else.
    pub(crate) const COUNTER: Self = Self { others: 0, bytes: 0 };
    /// A counter and 20 attributes of 50 bytes.
    pub(crate) const COUNTER_AND_20: Self = Self { others: 20, bytes: 50 };

    /// The names and values of the further attributes.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (String, String)> {
        (0..self.others).map(move |index| (format!("attribute-{index:03}"), "x".repeat(self.bytes)))
    }
}

/// Sessions that can be worked with in process.
pub(crate) trait Population: Sized {
    /// What the measuring itself keeps for each session: its id.
    const ID_BYTES: usize;

    /// Makes `sessions` sessions of the given shape.
    fn fill(sessions: usize, shape: Shape) -> impl Future<Output = Result<Self>>;

    /// Loads session `which` by its id, reads its counter, writes it raised by one, commits.
    fn cycle(&self, which: usize) -> impl Future<Output = Result<()>>;
}
