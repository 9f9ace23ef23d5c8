//! The keeper: a thread that keeps a spare segment ready, syncs the journal for whoever waits for
//! that, and tells who waits for room.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use parking_lot::Mutex;

use super::bell::Bell;
use super::core::Core;
use super::journal::Position;
use crate::error::StoreError;

/// How long a commit waits for room in the journal,
const PATIENCE: Duration = Duration::from_secs(5);
/// and how long where the disk is known to fail: threads that wait are needed for visitors.
const PATIENCE_IN_TROUBLE: Duration = Duration::from_millis(100);
/// How often the keeper looks after those who wait for room.
const LOOK: Duration = Duration::from_millis(20);

/// Why there is no more room than there is: what failed when it was last tried.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    pub(super) checkpoint: Mutex<Option<String>>,
    pub(super) segment: Mutex<Option<String>>,
}

impl Trouble {
    pub(super) fn why(&self) -> Option<String> {
        self.segment.lock().clone().or_else(|| self.checkpoint.lock().clone())
    }

    /// What kept the last checkpoint from its work, if anything did. Whether that is another thing than
    /// before: the log is told of that alone, since the disk that is full may be the log's.
    pub(super) fn is_changed_by_checkpoint(&self, failure: Option<String>) -> bool {
        let mut known = self.checkpoint.lock();
        let is_changed = *known != failure;
        *known = failure;
        is_changed
    }

    pub(super) fn patience(&self) -> Duration {
        if self.why().is_some() { PATIENCE_IN_TROUBLE } else { PATIENCE }
    }
}

type Answer = oneshot::Sender<Result<(), StoreError>>;

#[derive(Debug)]
pub(super) struct Waiters {
    pub(super) bell: Arc<Bell>,
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    sync: Vec<(Position, Answer)>,
    room: Vec<(Instant, Answer)>,
    stopped: bool,
}

impl Waiters {
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        Self { bell, lists: Mutex::default() }
    }

    /// Answered when the journal is on disk up to the position.
    pub(super) fn synced(&self, position: Position) -> oneshot::Receiver<Result<(), StoreError>> {
        self.wait(|lists, answer| lists.sync.push((position, answer)))
    }

    /// Answered when the journal may have room again, at the deadline with an error.
    pub(super) fn room(&self, deadline: Instant) -> oneshot::Receiver<Result<(), StoreError>> {
        self.wait(|lists, answer| lists.room.push((deadline, answer)))
    }

    fn wait(&self, add: impl FnOnce(&mut Lists, Answer)) -> oneshot::Receiver<Result<(), StoreError>> {
        let (answer, receiver) = oneshot::channel();
        let mut lists = self.lists.lock();
        if !lists.stopped {
            add(&mut lists, answer);
            self.bell.ring();
        }
        receiver
    }

    /// Ends the keeper after one more round. Who still waits then finds the answer canceled.
    pub(super) fn stop(&self) {
        self.lists.lock().stopped = true;
        self.bell.ring();
    }
}

impl Core {
    /// The keeper's life.
    pub(super) fn keep(&self) {
        loop {
            let stopped = self.waiters.lists.lock().stopped;
            self.keep_spare();
            self.answer_sync();
            self.answer_room();
            if stopped {
                *self.waiters.lists.lock() = Lists { stopped, ..Lists::default() };
                return;
            }
            let impatient = !self.waiters.lists.lock().room.is_empty();
            self.waiters.bell.wait(impatient.then_some(LOOK));
        }
    }

    fn keep_spare(&self) {
        let failure = self.journal.prepare_spare().err();
        *self.trouble.segment.lock() = failure.map(|error| format!("making a segment failed ({error})"));
    }

    fn answer_sync(&self) {
        let waiting = std::mem::take(&mut self.waiters.lists.lock().sync);
        if waiting.is_empty() {
            return;
        }
        // Whoever waits has appended before, so this covers them all.
        let synced = self.journal.sync();
        if synced.is_err() {
            self.directory.mark_unsynced();
        }
        for (_, answer) in waiting {
            let _ = answer.send(synced.as_ref().map(|_| ()).map_err(|error| self.not_synced(error)));
        }
    }

    fn not_synced(&self, error: &Arc<io::Error>) -> StoreError {
        let what = format!("syncing the journal in {} failed", self.path.display());
        StoreError::OutcomeUnknown { what, source: Some(Arc::clone(error) as _) }
    }

    fn answer_room(&self) {
        let room = self.journal.has_room() || self.closed.load(Ordering::Relaxed);
        let now = Instant::now();
        let answered: Vec<_> = {
            let mut lists = self.waiters.lists.lock();
            lists.room.extract_if(.., |(deadline, _)| room || *deadline <= now).collect()
        };
        for (_, answer) in answered {
            let _ = answer.send(if room { Ok(()) } else { Err(self.full()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_that_keeps_failing_is_told_once_and_so_is_that_it_works_again() {
        let trouble = Trouble::default();
        let told = [None, Some("full"), Some("full"), Some("broken"), None, None]
            .map(|failure| trouble.is_changed_by_checkpoint(failure.map(str::to_owned)));
        assert_eq!(told, [false, true, false, true, true, false]);
        assert!(trouble.why().is_none());
    }

    #[test]
    fn who_waits_for_room_on_a_disk_that_fails_waits_less() {
        let trouble = Trouble::default();
        let calm = trouble.patience();
        trouble.is_changed_by_checkpoint(Some("full".to_owned()));
        assert!(trouble.patience() < calm);
        assert_eq!(trouble.why().as_deref(), Some("full"));
        trouble.is_changed_by_checkpoint(None);
        *trouble.segment.lock() = Some("full".to_owned());
        assert!(trouble.patience() < calm);
    }

    #[test]
    fn who_comes_after_the_keeper_has_gone_is_not_kept_waiting() {
        let waiters = Waiters::new(Arc::default());
        waiters.stop();
        assert!(waiters.synced(1).try_recv().is_err());
        assert!(waiters.room(Instant::now()).try_recv().is_err());
    }
}
