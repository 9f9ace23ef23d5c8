//! The copying itself: any store to any other, insert-only.

use std::sync::Arc;

use coatroom::store::{Creation, Page, Store};
use coatroom::{Clock, Namespace, Record, StoreError, SystemClock, Timestamp};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::progress::Progress;

/// Sessions read at a time.
const PAGE: usize = 512;
/// Sessions on their way at a time.
const AT_ONCE: usize = 64;

/// What became of the sessions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Copied {
    /// Sessions that were not there.
    pub(super) added: u64,
    /// Sessions that were there already.
    pub(super) skipped: u64,
    /// Those of them that are another commit's there.
    pub(super) differing: u64,
    /// Live sessions of the source, counted when all was done.
    pub(super) live: u64,
    /// How many of them were found at the target then.
    pub(super) present: u64,
}

impl Copied {
    pub(super) fn done(&self) -> u64 {
        self.added + self.skipped
    }
}

pub(super) async fn copy_all(
    from: &Arc<dyn Store>,
    to: &Arc<dyn Store>,
    progress: &Progress,
) -> Result<Copied, StoreError> {
    let namespaces = from.namespaces().await?;
    let mut total = 0;
    for namespace in &namespaces {
        total += from.count(*namespace, time_of(from)).await?;
    }
    progress.expect(total);
    let mut copied = Copied::default();
    for namespace in &namespaces {
        copy_namespace(from, to, *namespace, progress, &mut copied).await?;
    }
    to.flush().await?;
    for namespace in &namespaces {
        verify_namespace(from, to, *namespace, &mut copied).await?;
    }
    Ok(copied)
}

async fn copy_namespace(
    from: &Arc<dyn Store>,
    to: &Arc<dyn Store>,
    namespace: Namespace,
    progress: &Progress,
    copied: &mut Copied,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let Page { records, next } = from.page(namespace, after, PAGE, time_of(from)).await?;
        let mut put = stream::iter(records).map(|record| put(to, record)).buffer_unordered(AT_ONCE);
        while let Some(put) = put.try_next().await? {
            match put {
                Put::Added => copied.added += 1,
                Put::Skipped { differs } => {
                    copied.skipped += 1;
                    copied.differing += u64::from(differs);
                }
            }
            progress.step();
        }
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
}

enum Put {
    Added,
    Skipped { differs: bool },
}

/// Inserting is insert-only, so that a session which moved on at the target is left alone.
async fn put(to: &Arc<dyn Store>, record: Record) -> Result<Put, StoreError> {
    match to.create(record.clone(), time_of(to)).await {
        Ok(Creation::Created(_)) => Ok(Put::Added),
        Ok(Creation::Exists) => {
            let there = to.load(record.key(), time_of(to)).await?;
            let differs = there.is_some_and(|there| there.bytes() != record.bytes());
            Ok(Put::Skipped { differs })
        }
        // It may have been inserted; that it is there is what matters.
        Err(error) if error.is_outcome_unknown() => match to.load(record.key(), time_of(to)).await? {
            Some(_) => Ok(Put::Added),
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Looks every live session of the source up at the target.
async fn verify_namespace(
    from: &Arc<dyn Store>,
    to: &Arc<dyn Store>,
    namespace: Namespace,
    copied: &mut Copied,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let Page { records, next } = from.page(namespace, after, PAGE, time_of(from)).await?;
        copied.live += records.len() as u64;
        let found = stream::iter(records).map(|record| is_there(to, record)).buffer_unordered(AT_ONCE);
        copied.present += found.try_fold(0, async |sum, there| Ok(sum + u64::from(there))).await?;
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn is_there(to: &Arc<dyn Store>, record: Record) -> Result<bool, StoreError> {
    Ok(to.load(record.key(), time_of(to)).await?.is_some())
}

/// The time by the store's server, or else by this machine.
fn time_of(store: &Arc<dyn Store>) -> Timestamp {
    store.server_time().unwrap_or_else(|| SystemClock.now())
}
