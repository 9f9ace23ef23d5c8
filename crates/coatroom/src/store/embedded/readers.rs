//! A few threads that wait for the files, so that no request's thread has to.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_channel::oneshot;
use parking_lot::{Condvar, Mutex};

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct Readers {
    queue: Mutex<Queue>,
    filled: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    stopped: bool,
}

impl Readers {
    pub(super) const THREADS: usize = 4;
    /// Jobs that may wait. At a hundred thousand cold reads a second this is a tenth of one.
    const WAITING: usize = 10_000;

    /// Queues a job; `None` when too many wait already. The answer is canceled if the store closes
    /// first. A dropped answer does not stop the job.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<oneshot::Receiver<T>> {
        let (sender, receiver) = oneshot::channel();
        let mut queue = self.queue.lock();
        if queue.jobs.len() >= Self::WAITING {
            return None;
        }
        if !queue.stopped {
            queue.jobs.push_back(Box::new(move || drop(sender.send(job()))));
            self.filled.notify_one();
        }
        Some(receiver)
    }

    /// Works until [`Readers::stop`].
    pub(super) fn run(&self) {
        let mut queue = self.queue.lock();
        while !queue.stopped {
            match queue.jobs.pop_front() {
                Some(job) => {
                    drop(queue);
                    if catch_unwind(AssertUnwindSafe(job)).is_err() {
                        tracing::error!("a read from the files of the embedded store panicked");
                    }
                    queue = self.queue.lock();
                }
                None => self.filled.wait(&mut queue),
            }
        }
    }

    pub(super) fn stop(&self) {
        let jobs = {
            let mut queue = self.queue.lock();
            queue.stopped = true;
            std::mem::take(&mut queue.jobs)
        };
        drop(jobs);
        self.filled.notify_all();
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}
