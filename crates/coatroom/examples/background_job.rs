//! A session without a visitor: a background job that keeps its state under a name of its own, and
//! the listener that hears what became of sessions.
//!
//! `cargo run --example background_job` (a plain thread, no async runtime)

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coatroom::{Event, ManualClock, MemoryStore, SessionManager, Slot, Wait};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Progress {
    done: Vec<u32>,
}

const PROGRESS: Slot<Progress> = Slot::new("import.progress");

/// One worker's share. The same key always means the same session, in every process that shares the
/// store; nobody can open it with a cookie, since it has no secret.
fn work(sessions: &SessionManager, pages: std::ops::Range<u32>) -> Result<(), String> {
    let session = sessions.keyed("import:2030-01").wait().map_err(|error| error.to_string())?;
    for page in pages {
        let add = |mut progress: Progress| {
            progress.done.push(page);
            progress
        };
        session.update(PROGRESS, add).wait().map_err(|error| error.to_string())?;
    }
    Ok(())
}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(ManualClock::new());
    let reported = Arc::new(AtomicUsize::new(0));
    let heard = reported.clone();
    let sessions = SessionManager::builder(MemoryStore::new())
        .namespace("importer") // jobs and visitors of one store never meet
        .idle_timeout(Duration::from_secs(24 * 3600))
        .lifetime(Duration::MAX)
        .clock(clock.clone())
        .sweep_every(None) // swept by hand below
        .on_event(move |event: &Event<'_>| {
            if let Event::Expired(snapshot) = event {
                let pages = snapshot.get(PROGRESS).ok().flatten().map_or(0, |progress| progress.done.len());
                println!("a job was abandoned after {pages} pages");
                heard.fetch_add(pages, Ordering::SeqCst);
            }
        })
        .build()?;

    // Four workers at once, one session: no page is lost.
    std::thread::scope(|scope| {
        let sessions = &sessions;
        let workers: Vec<_> = (0..4)
            .map(|worker| scope.spawn(move || work(sessions, worker * 25..(worker + 1) * 25)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })?;

    let job = sessions.keyed("import:2030-01").wait()?;
    let mut progress = job.get(PROGRESS)?.unwrap_or_default();
    progress.done.sort_unstable();
    println!("pages imported by four workers: {}", progress.done.len());
    assert_eq!(progress.done, (0..100).collect::<Vec<_>>());

    clock.advance(Duration::from_secs(25 * 3600));
    println!("there a day later: {}", sessions.keyed("import:2030-01").wait()?.exists());
    sessions.sweep().wait()?;
    assert_eq!(reported.load(Ordering::SeqCst), 100);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run()
}
