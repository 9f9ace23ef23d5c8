//! What all threads of the store share, and how a request works on a key.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::Durability;
use super::bell::Bell;
use super::db::{Db, DbError, keys};
use super::directory::Directory;
use super::hot::Hot;
use super::journal::{Journal, Position, Refusal};
use super::keeper::{Trouble, Waiters};
use super::principals::Principals;
use super::readers::Readers;
use super::shard::{Lookup, Shard};
use super::sweep::Sweeps;
use crate::error::StoreError;
use crate::id::{Key, Namespace};
use crate::record::Record;
use crate::store::StoreFuture;

#[derive(Debug)]
pub(super) struct Core {
    pub(super) path: PathBuf,
    pub(super) durability: Durability,
    pub(super) max_journal_bytes: u64,
    pub(super) hot: Hot,
    pub(super) journal: Journal,
    pub(super) db: Db,
    pub(super) principals: Principals,
    pub(super) sweeps: Sweeps,
    pub(super) readers: Readers,
    pub(super) waiters: Waiters,
    pub(super) checkpoint_wanted: Arc<Bell>,
    /// Held during a checkpoint: a second one would void segments that the first has yet to write.
    pub(super) checkpointing: Mutex<()>,
    pub(super) trouble: Trouble,
    pub(super) closed: AtomicBool,
    /// Rung when the store closes: what pauses need not end its pause first. A bell, since to park is
    /// ended by whatever else the thread waited for, such as the opening of the files.
    pub(super) closing: Bell,
    pub(super) directory: Directory,
}

/// Work on the record under a key, done under the lock of its shard: whole, or refused and not at
/// all, in which case it is tried again. It gets the record, dead or alive.
pub(super) trait Work<T>:
    FnMut(&Core, &mut Shard, Option<Record>) -> Result<(T, Position), Refusal> + Send + 'static
{
}

impl<T, F> Work<T> for F where
    F: FnMut(&Core, &mut Shard, Option<Record>) -> Result<(T, Position), Refusal> + Send + 'static
{
}

/// What the files hold under a key, read while the hot tier had let go of nothing.
#[derive(Debug)]
pub(super) struct Seen {
    departures: u64,
    record: Option<Record>,
}

pub(super) enum Attempt<T> {
    /// Done, and on disk once the journal is synced up to the position; zero is at once.
    Done(T, Position),
    Failed(StoreError),
    /// The files must be read first.
    Cold,
    /// The journal must get room first.
    NoRoom,
}

impl Core {
    /// Does the work now if the hot tier and the journal allow it, else as soon as they do.
    pub(super) fn work<T: Send + 'static>(
        self: &Arc<Self>,
        key: Key,
        mut work: impl Work<T>,
    ) -> StoreFuture<T> {
        match self.attempt(&key, None, &mut work) {
            Attempt::Done(answer, position) if self.is_safe(position) => StoreFuture::ready(answer),
            Attempt::Failed(error) => StoreFuture::failed(error),
            Attempt::Done(answer, position) => {
                let core = Arc::clone(self);
                StoreFuture::boxed(async move {
                    core.synced(position).await?;
                    Ok(answer)
                })
            }
            Attempt::Cold | Attempt::NoRoom => {
                let core = Arc::clone(self);
                StoreFuture::boxed(async move {
                    let (answer, position) = core.drive(key, &mut work).await?;
                    core.synced(position).await?;
                    Ok(answer)
                })
            }
        }
    }

    /// Does the work, whatever has to be waited for; the caller waits for the position to be
    /// synced. Dropped at any point, the work is done or not.
    pub(super) async fn drive<T>(
        self: &Arc<Self>,
        key: Key,
        work: &mut impl Work<T>,
    ) -> Result<(T, Position), StoreError> {
        let mut seen = None;
        let mut deadline = None;
        loop {
            match self.attempt(&key, seen.take(), work) {
                Attempt::Done(answer, position) => return Ok((answer, position)),
                Attempt::Failed(error) => return Err(error),
                Attempt::Cold => seen = Some(self.offload(move |core| core.read(&key)).await?),
                Attempt::NoRoom => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.trouble.patience());
                    self.waiters.room(deadline).await.map_err(|_| self.closed())??;
                }
            }
        }
    }

    fn attempt<T>(&self, key: &Key, seen: Option<Seen>, work: &mut impl Work<T>) -> Attempt<T> {
        if self.closed.load(Ordering::Relaxed) {
            return Attempt::Failed(self.closed());
        }
        let done = self.hot.with(&key.locator, |shard| {
            let record = present(shard, key, seen)?;
            Some(work(self, shard, record))
        });
        match done {
            None => Attempt::Cold,
            Some(Ok((answer, position))) => Attempt::Done(answer, position),
            Some(Err(Refusal::NoRoom)) => Attempt::NoRoom,
            Some(Err(refusal)) => Attempt::Failed(self.refused(&refusal)),
        }
    }

    /// Reads the files for a key that the hot tier does not know.
    pub(super) fn read(&self, key: &Key) -> Result<Seen, StoreError> {
        let departures = self.hot.with(&key.locator, |shard| shard.departures());
        let record = self.in_files(key).map_err(|error| self.files_failed("reading a record", error))?;
        Ok(Seen { departures, record })
    }

    /// The newest record under a key, dead or alive, for threads that may wait for the files.
    pub(super) fn newest(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let mut seen = None;
        loop {
            match self.hot.with(&key.locator, |shard| present(shard, key, seen.take())) {
                Some(record) => return Ok(record),
                None => seen = Some(self.read(key)?),
            }
        }
    }

    /// The same for work on many records, which one that is damaged must not stop: it is as gone,
    /// and said to be damaged to whoever asks for it by name.
    pub(super) fn newest_sound(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        match self.newest(key) {
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(locator = %key.locator, %error, "a damaged record is passed over");
                Ok(None)
            }
            answer => answer,
        }
    }

    pub(super) fn in_files(&self, key: &Key) -> Result<Option<Record>, DbError> {
        let value = self.db.get(&keys::record_key(key))?;
        value.map(|value| keys::read_record(*key, &value)).transpose()
    }

    pub(super) fn epoch(&self, namespace: Namespace, principal: &str) -> Result<u64, StoreError> {
        let epoch = self.principals.epoch(&self.db, namespace, principal);
        epoch.map_err(|error| self.files_failed("reading the epoch of a principal", error))
    }

    pub(super) fn raise_epoch(
        &self,
        namespace: Namespace,
        principal: &str,
    ) -> Result<(u64, Position), StoreError> {
        let raised = self.principals.raise(&self.db, &self.journal, namespace, principal);
        let raised = raised.map_err(|error| self.files_failed("reading the epoch of a principal", error))?;
        raised.map_err(|refusal| self.refused(&refusal))
    }

    /// Whether commits can be acknowledged.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(self.closed());
        }
        self.journal.failure().map_or(Ok(()), |failure| Err(self.refused(&Refusal::Failed(failure))))
    }

    /// Whether what the journal has up to the position may be acknowledged.
    fn is_safe(&self, position: Position) -> bool {
        position == 0 || self.durability != Durability::EveryCommit
    }

    /// Waits until what the journal has up to the position may be acknowledged.
    pub(super) async fn synced(&self, position: Position) -> Result<(), StoreError> {
        if self.is_safe(position) {
            return Ok(());
        }
        self.on_disk(position).await
    }

    /// Waits until the journal is on disk up to the position.
    pub(super) async fn on_disk(&self, position: Position) -> Result<(), StoreError> {
        self.waiters.synced(position).await.unwrap_or_else(|_| {
            Err(StoreError::OutcomeUnknown {
                what: "committing to a store that was closed".into(),
                source: None,
            })
        })
    }

    /// Does it on a thread that may wait for the files.
    pub(super) async fn offload<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let core = Arc::clone(self);
        let answer = self.readers.submit(move || job(&core)).ok_or_else(|| self.too_busy())?;
        answer.await.unwrap_or_else(|_| Err(self.closed()))
    }

    pub(super) fn refused(&self, refusal: &Refusal) -> StoreError {
        let path = self.path.display();
        match refusal {
            Refusal::NoRoom => self.full(),
            Refusal::TooLarge { size, limit } => StoreError::Full {
                what: format!(
                    "writing a record of {size} bytes to {path} failed: the journal takes records of up to {limit} bytes; raise max_journal_bytes"
                ),
            },
            Refusal::Failed(source) => StoreError::Unavailable {
                what: format!(
                    "writing to the journal in {path} failed; nothing more is acknowledged until the store is opened again on a sound disk"
                ),
                source: Some(Arc::clone(source) as _),
            },
        }
    }

    pub(super) fn full(&self) -> StoreError {
        let why = self.trouble.why().unwrap_or_else(|| "its contents are carried over too slowly".to_owned());
        StoreError::Full {
            what: format!(
                "committing failed: the journal in {} is full ({} bytes are allowed): {why}; free disk space there or raise max_journal_bytes",
                self.path.display(),
                self.max_journal_bytes
            ),
        }
    }

    pub(super) fn files_failed(&self, what: &str, error: DbError) -> StoreError {
        let path = self.path.display();
        match error {
            DbError::Damaged(damage) => StoreError::Corrupt {
                what: format!("{what} from {path} failed: {damage}; restore the directory from a backup"),
            },
            error => StoreError::unavailable_because(format!("{what} from {path} failed"), error),
        }
    }

    pub(super) fn closed(&self) -> StoreError {
        StoreError::unavailable(format!("the store in {} is closed", self.path.display()))
    }

    fn too_busy(&self) -> StoreError {
        StoreError::unavailable(format!(
            "reading from {} failed: too many reads are waiting for the disk; raise hot_bytes or try again",
            self.path.display()
        ))
    }
}

/// The record under the key, or that there is none; `None` where the files must be asked (again).
#[allow(clippy::option_option)]
fn present(shard: &mut Shard, key: &Key, seen: Option<Seen>) -> Option<Option<Record>> {
    match shard.find(key) {
        Lookup::Record(record) => Some(Some(record)),
        Lookup::Absent => Some(None),
        Lookup::Cold => {
            let seen = seen.filter(|seen| seen.departures == shard.departures())?;
            if let Some(record) = &seen.record {
                shard.install(record.clone());
            }
            Some(seen.record)
        }
    }
}
