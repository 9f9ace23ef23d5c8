//! The copying itself: any store to any other, insert-only.

use std::sync::Arc;

use coatroom::store::{Creation, Page, Store};
use coatroom::{Clock, Namespace, Record, StoreError, SystemClock, Timestamp};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::progress::Progress;

/// Sessions read at a time.
const PAGE: usize = 512;
/// A time at which no session had run out.
const BEFORE_ALL: Timestamp = Timestamp::from_millis(0);
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
    /// Sessions that had run out, and that nobody had swept yet.
    pub(super) over: u64,
    /// Live sessions of the source, counted when all was done.
    pub(super) live: u64,
    /// How many of them were found at the target then.
    pub(super) present: u64,
}

impl Copied {
    pub(super) fn done(&self) -> u64 {
        self.added + self.skipped + self.over
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
        total += from.count(*namespace, BEFORE_ALL).await?;
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
        // Those that have run out too: they are still to be swept, and told to a listener.
        let Page { records, next } = from.page(namespace, after, PAGE, BEFORE_ALL).await?;
        let mut put = stream::iter(records).map(|record| put(to, record)).buffer_unordered(AT_ONCE);
        while let Some(put) = put.try_next().await? {
            match put {
                Put::Added => copied.added += 1,
                Put::Over => copied.over += 1,
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
    /// It had run out.
    Over,
    Skipped {
        differs: bool,
    },
}

/// Inserting is insert-only, so that a session which moved on at the target is left alone.
async fn put(to: &Arc<dyn Store>, record: Record) -> Result<Put, StoreError> {
    let added = if record.is_live(time_of(to)) { Put::Added } else { Put::Over };
    match to.create(record.clone(), time_of(to)).await {
        Ok(Creation::Created(_)) => Ok(added),
        Ok(Creation::Exists) => {
            let there = to.load(record.key(), time_of(to)).await?;
            let differs = there.is_some_and(|there| there.bytes() != record.bytes());
            Ok(Put::Skipped { differs })
        }
        // It may have been inserted; that it is there is what matters.
        Err(error) if error.is_outcome_unknown() => match to.load(record.key(), BEFORE_ALL).await? {
            Some(_) => Ok(added),
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

#[cfg(test)]
mod tests {
    use coatroom::store::MemoryStore;
    use coatroom::{ManualClock, OnConflict, RawValue, SessionManager, ValueFormat, Wait};

    use super::*;

    #[test]
    fn what_has_run_out_is_copied_for_who_sweeps_there() {
        let [from, to] = [(); 2].map(|()| Arc::new(MemoryStore::new()) as Arc<dyn Store>);
        let long_ago = ManualClock::default();
        long_ago.set(Timestamp::from_millis(1_000));
        let then =
            SessionManager::builder_shared(from.clone()).clock(long_ago).sweep_every(None).build().unwrap();
        let session = then.keyed(b"visitor").wait().unwrap();
        let value = RawValue { format: ValueFormat(2), bytes: b"kept" };
        session.set_raw("n", Some(value), OnConflict::LaterWins).unwrap();
        session.save().wait().unwrap();

        let copied = copy_all(&from, &to, &Progress::new()).wait().unwrap();
        assert_eq!(copied, Copied { over: 1, ..Copied::default() });
        let now = time_of(&to);
        let claimed = to.claim_expired(then.namespace(), now, now, 10).wait().unwrap();
        assert_eq!(claimed.records.len(), 1);
    }
}
