//! Files that a process leaves, and the next process that starts with them.

use std::path::Path;
use std::time::Instant;

use coatroom::store::Durability;
use coatroom::{SessionId, Slot};

use crate::Result;
use crate::peers::coatroom::{Sessions, in_files};

/// Makes sessions and stops as a server should.
pub(super) async fn fill(directory: &Path, sessions: usize) -> Result<()> {
    let filled = filled(directory, sessions).await?;
    filled.manager.flush().await?;
    Ok(())
}

/// Makes sessions and stops as at kill -9: nothing is flushed, dropped or closed.
pub(super) async fn fill_and_die(directory: &Path, sessions: usize) -> Result<()> {
    let _filled = filled(directory, sessions).await?;
    let own = std::process::id().to_string();
    std::process::Command::new("kill").args(["-9", &own]).status()?;
    Err("this process outlived kill -9".into())
}

/// Prints the milliseconds from opening the store until a session is read.
pub(super) async fn start(directory: &Path) -> Result<()> {
    let text = std::fs::read(directory.join("id"))?;
    let id = SessionId::parse(&text).ok_or("the file of the id holds none")?;
    let start = Instant::now();
    let manager = in_files(&directory.join("sessions"), Durability::default())?.build()?;
    let session = manager.open(&id).await?.ok_or("the session is gone")?;
    let count = session.get(Slot::<u64>::new(crate::app::COUNTER))?;
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    if count.is_none() {
        return Err("the session has lost its counter".into());
    }
    println!("{milliseconds}");
    Ok(())
}

async fn filled(directory: &Path, sessions: usize) -> Result<Sessions> {
    let manager = in_files(&directory.join("sessions"), Durability::default())?.build()?;
    let filled = Sessions::create(manager, sessions, |_, _| Ok(())).await?;
    let middle = filled.ids.get(sessions / 2).ok_or("no sessions to fill with")?;
    // A session of a benchmark, on loopback, for the length of a run.
    std::fs::write(directory.join("id"), middle.expose())?;
    Ok(filled)
}
