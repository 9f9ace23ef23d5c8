//! What durable commits cost with no sessions around them: one thread that gathers what waits into a
//! fjall batch and syncs once for all of it.

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use tokio::sync::oneshot;

use crate::Result;

/// A thread that writes for others.
pub(crate) struct Committer {
    queue: Option<mpsc::Sender<Waiting>>,
    thread: Option<JoinHandle<fjall::Result<()>>>,
}

struct Waiting {
    key: [u8; 16],
    value: Vec<u8>,
    done: oneshot::Sender<()>,
}

impl Committer {
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let database = Database::builder(directory).open()?;
        let records = database.keyspace("records", KeyspaceCreateOptions::default)?;
        let (queue, waiting) = mpsc::channel();
        let thread = std::thread::spawn(move || commit_groups(&database, &records, &waiting));
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Writes one value; completes when the disk has it.
    pub(crate) async fn write(&self, key: [u8; 16], value: Vec<u8>) -> Result<()> {
        let (done, landed) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or("the committer is closed")?;
        queue.send(Waiting { key, value, done }).map_err(|_| "the committer has stopped")?;
        landed.await.map_err(|_| "the committer has stopped".into())
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Until the queue is closed: all that waits, in one batch, with one sync.
fn commit_groups(
    database: &Database,
    records: &fjall::Keyspace,
    waiting: &mpsc::Receiver<Waiting>,
) -> fjall::Result<()> {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter());
        let mut batch = database.batch();
        let mut answers = Vec::with_capacity(group.len());
        for Waiting { key, value, done } in group {
            batch.insert(records, key, value);
            answers.push(done);
        }
        batch.commit()?;
        database.persist(PersistMode::SyncData)?;
        for done in answers {
            // Nobody waits any more: then nobody needs to be told.
            let _ = done.send(());
        }
    }
    Ok(())
}
