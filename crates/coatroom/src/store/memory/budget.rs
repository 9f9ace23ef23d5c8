//! How much memory the records take, and how much they may.

use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

use crate::error::StoreError;
use crate::record::Record;

/// Counts bytes. The sum of all records, without any order between threads: a write may see a store
/// slightly fuller or emptier than it is.
pub(super) struct Budget {
    used: CachePadded<AtomicUsize>,
    limit: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { used: CachePadded::new(AtomicUsize::new(0)), limit }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether records must go.
    pub(super) fn is_over(&self) -> bool {
        self.used() > self.limit
    }

    /// Whether, once records go, more should go in advance: a search then serves several writes.
    pub(super) fn is_nearly_over(&self) -> bool {
        self.used() > self.limit - self.limit / 1024
    }

    /// # Errors
    ///
    /// [`StoreError::Full`] when the record would not even fit alone.
    pub(super) fn admit(&self, record: &Record) -> Result<(), StoreError> {
        let (size, limit) = (cost(record), self.limit);
        if size <= limit { Ok(()) } else { Err(too_large(size, limit)) }
    }

    pub(super) fn take(&self, record: &Record) {
        self.used.fetch_add(cost(record), Ordering::Relaxed);
    }

    /// Counts a record if there is room for it.
    pub(super) fn reserve(&self, record: &Record) -> bool {
        let size = cost(record);
        let fits = self.used.fetch_add(size, Ordering::Relaxed).saturating_add(size) <= self.limit;
        if !fits {
            self.used.fetch_sub(size, Ordering::Relaxed);
        }
        fits
    }

    pub(super) fn give_back(&self, record: &Record) {
        self.used.fetch_sub(cost(record), Ordering::Relaxed);
    }

    /// Counts one record in the place of another; whether that took more room.
    pub(super) fn exchange(&self, old: &Record, new: &Record) -> bool {
        let (old, new) = (cost(old), cost(new));
        // Most commits change no size, and those leave the shared counter alone.
        if new != old {
            self.used.fetch_add(new.wrapping_sub(old), Ordering::Relaxed);
        }
        new > old
    }
}

#[cold]
fn too_large(size: usize, limit: usize) -> StoreError {
    StoreError::Full {
        what: format!(
            "keeping a record of {size} bytes failed: the memory store has max_bytes = {limit} for all; raise it or keep large things elsewhere"
        ),
    }
}

/// What is beside a record's bytes in its allocation: key, activity, reference count and length.
const BESIDE: usize = 48;
/// What the allocator keeps of each allocation, and the multiple it rounds up to.
const ALLOCATOR: usize = 8;
const ALLOCATOR_STEP: usize = 16;
/// Its place in the table at the usual load, and its filing under a slice.
const PLACES: usize = 32;
/// Its entry in the index of principals, beside the name.
const INDEXED: usize = 96;

#[inline]
fn cost(record: &Record) -> usize {
    let allocation = (record.bytes().len() + BESIDE + ALLOCATOR).next_multiple_of(ALLOCATOR_STEP);
    let indexed = record.principal().map_or(0, |name| name.len() + INDEXED);
    allocation + indexed + PLACES
}
