//! `coatroom copy`: all sessions of one store to another, those too that have run out and were not swept.

mod progress;
mod work;

use std::io::Write;
use std::sync::Arc;

use coatroom::store::{OpenStoreError, StoreUrl};
use coatroom::{Store, StoreError};
use tokio::runtime::Builder;

use self::progress::Progress;
use self::work::{Copied, copy_all};
use crate::cli::Copy;

/// Why not everything was copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error("starting to copy failed")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Open(#[from] OpenStoreError),
    #[error("copying failed after {done} sessions; run the same command again to go on")]
    Store { done: u64, source: StoreError },
    #[error(
        "copying ended with {missing} of {live} live sessions missing at {to}; run the same command again to add them"
    )]
    Missing { missing: u64, live: u64, to: StoreUrl },
}

pub(crate) fn run(options: &Copy) -> Result<(), CopyError> {
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(CopyError::Runtime)?;
    runtime.block_on(async {
        let (from, to) = (options.from.connect().await?, options.to.connect().await?);
        let copied = copy(from.shared(), to.shared()).await;
        // What was read is not written, so there is nothing to lose by not closing it well.
        let _ = from.close();
        let copied = copied?;
        to.close().map_err(|source| CopyError::Store { done: copied.done(), source })?;
        report(&copied, options)
    })
}

async fn copy(from: Arc<dyn Store>, to: Arc<dyn Store>) -> Result<Copied, CopyError> {
    let progress = Progress::new();
    let copied = copy_all(&from, &to, &progress).await;
    let done = progress.finish();
    copied.map_err(|source| CopyError::Store { done, source })
}

fn report(copied: &Copied, options: &Copy) -> Result<(), CopyError> {
    let Copied { added, differing, over, live, present, .. } = *copied;
    let same = copied.skipped - differing;
    let over = match over {
        0 => String::new(),
        over => format!("; {over} that had run out are still to be swept there"),
    };
    let mut stdout = std::io::stdout();
    // Whoever closed our output does not want to know.
    let _ = writeln!(
        stdout,
        "{added} sessions copied, {same} were there already, {differing} differ there and were left alone; \
         {present} of {live} live sessions of {} are in {}{over}",
        options.from, options.to
    );
    match live.saturating_sub(present) {
        0 => Ok(()),
        missing => Err(CopyError::Missing { missing, live, to: options.to.clone() }),
    }
}
