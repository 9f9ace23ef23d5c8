use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::{Browser, Shop, until};

/// Visitors who write number after number into their lists, each into its own session, until told
/// to stop.
#[derive(Debug)]
pub struct Load {
    writers: Vec<(Arc<Progress>, JoinHandle<Writer>)>,
    stopping: Arc<AtomicBool>,
}

/// How far a visitor has come.
#[derive(Debug, Default)]
struct Progress {
    acknowledged: AtomicU64,
    refused: AtomicU64,
}

/// A visitor, and what was acknowledged.
#[derive(Debug)]
pub struct Writer {
    browser: Browser,
    next: u64,
    acknowledged: Vec<u64>,
}

impl Load {
    /// So many visitors, all signed in.
    pub async fn start(shop: &Shop, visitors: usize) -> Self {
        let names = (0..visitors).map(|visitor| format!("user{visitor}"));
        let browsers = join_all(names.map(async |name| shop.signed_in(&name).await)).await;
        let writers =
            browsers.into_iter().map(|browser| Writer { browser, next: 0, acknowledged: Vec::new() });
        Self::go_on(writers.collect())
    }

    /// Visitors who were stopped write on.
    pub fn go_on(writers: Vec<Writer>) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let writing = |writer: Writer| {
            let progress = Arc::new(Progress::default());
            (progress.clone(), tokio::spawn(writer.write(progress, stopping.clone())))
        };
        Self { writers: writers.into_iter().map(writing).collect(), stopping: stopping.clone() }
    }

    /// Stops them.
    pub async fn stop(self) -> Vec<Writer> {
        self.stopping.store(true, Ordering::SeqCst);
        let writers = join_all(self.writers.into_iter().map(|(_, writing)| writing)).await;
        writers.into_iter().map(|writer| writer.unwrap()).collect()
    }

    /// Waits until every visitor was told of `times` more numbers that they are kept.
    pub async fn until_all_write(&self, times: u64) {
        self.until("every visitor writes", self.writers.len(), |progress| &progress.acknowledged, times)
            .await;
    }

    /// Waits until every visitor was told `times` more to come again.
    pub async fn until_all_are_refused(&self, times: u64) {
        self.until("every visitor is refused", self.writers.len(), |progress| &progress.refused, times).await;
    }

    /// Waits until one visitor was told once more to come again.
    pub async fn until_one_is_refused(&self) {
        self.until("a visitor is refused", 1, |progress| &progress.refused, 1).await;
    }

    /// Waits until what is counted is `times` more for so many `visitors`, or one has failed.
    async fn until(&self, what: &str, visitors: usize, count: fn(&Progress) -> &AtomicU64, times: u64) {
        let read = || self.writers.iter().map(|(progress, _)| count(progress).load(Ordering::SeqCst));
        let before: Vec<u64> = read().collect();
        until(what, async || {
            let there = read().zip(&before).filter(|(now, before)| *now >= *before + times).count();
            there >= visitors || self.writers.iter().any(|(_, writing)| writing.is_finished())
        })
        .await;
    }
}

impl Writer {
    async fn write(mut self, progress: Arc<Progress>, stopping: Arc<AtomicBool>) -> Self {
        while !stopping.load(Ordering::SeqCst) {
            let answer = self.browser.post(&format!("/list/{}", self.next)).await;
            if answer.status == 204 {
                self.acknowledged.push(self.next);
                progress.acknowledged.fetch_add(1, Ordering::SeqCst);
            } else {
                assert!(answer.is_try_again(), "{answer:?}");
                progress.refused.fetch_add(1, Ordering::SeqCst);
                // As a client that comes again; how soon decides nothing.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.next += 1;
        }
        self
    }

    /// Looks into the list: every number that was acknowledged is there, and none is there twice.
    pub async fn assert_nothing_lost(&mut self) {
        let answer = self.browser.get("/list").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let kept: Vec<u64> = answer.body.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let set: BTreeSet<u64> = kept.iter().copied().collect();
        assert_eq!(set.len(), kept.len(), "a number is there twice: {kept:?}");
        let lost: Vec<&u64> = self.acknowledged.iter().filter(|number| !set.contains(number)).collect();
        assert!(
            lost.is_empty(),
            "{lost:?} of {} were acknowledged and are not there",
            self.acknowledged.len()
        );
    }
}
