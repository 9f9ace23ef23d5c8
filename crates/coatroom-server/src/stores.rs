//! `coatroom stores`: what is in a store, and whether it is safe there.

use std::fmt::Write as _;
use std::io::Write as _;

use coatroom::store::{Examination, OpenStore, OpenStoreError, StoreUrl};
use coatroom::{Clock, Namespace, StoreError, SystemClock};
use indicatif::{HumanBytes, HumanCount};
use tokio::runtime::Builder;

use crate::cli::{Check, Sql};

/// Why a store is not as it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    #[error("starting to check failed")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Open(#[from] OpenStoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{count} of the settings of {store} endanger sessions, as told above")]
    Endangered { count: usize, store: StoreUrl },
}

pub(crate) fn check(options: &Check) -> Result<(), CheckError> {
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(CheckError::Runtime)?;
    let url = &options.store;
    let found = runtime.block_on(async {
        let store = url.connect().await?;
        let found = look(&store).await;
        let closed = store.close();
        found.and_then(|found| closed.map(|()| found)).map_err(CheckError::from)
    })?;
    // Whoever closed our output does not want to know.
    let _ = write!(std::io::stdout(), "{}", found.text(url));
    match found.examination.dangers.len() {
        0 => Ok(()),
        count => Err(CheckError::Endangered { count, store: url.clone() }),
    }
}

/// Prints what makes the tables of a PostgreSQL store.
pub(crate) fn sql(options: &Sql) {
    // Whoever closed our output does not want to know.
    let _ = write!(std::io::stdout(), "{}", options.store.setup_sql());
}

struct Found {
    examination: Examination,
    /// Live sessions by namespace.
    sessions: Vec<(Namespace, u64)>,
}

async fn look(store: &OpenStore) -> Result<Found, StoreError> {
    let examination = store.examine().await?;
    let store = store.shared();
    store.check().await?;
    let mut sessions = Vec::new();
    for namespace in store.namespaces().await? {
        let now = store.server_time().unwrap_or_else(|| SystemClock.now());
        sessions.push((namespace, store.count(namespace, now).await?));
    }
    Ok(Found { examination, sessions })
}

impl Found {
    fn text(&self, url: &StoreUrl) -> String {
        let mut text = format!("{url}\n");
        let mut line = |name: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {name:<16} {value}");
        };
        line("kept by", &self.examination.server);
        line("live sessions", &self.sessions());
        if let Some(bytes) = self.examination.bytes {
            line("size", &HumanBytes(bytes).to_string());
        }
        for (name, value) in &self.examination.facts {
            line(name, value);
        }
        for danger in &self.examination.dangers {
            line("DANGER", danger);
        }
        text
    }

    fn sessions(&self) -> String {
        let total: u64 = self.sessions.iter().map(|(_, count)| count).sum();
        let total = HumanCount(total);
        match &self.sessions[..] {
            [] | [_] => total.to_string(),
            all => {
                let each: Vec<_> = all
                    .iter()
                    .map(|(namespace, count)| format!("{} {}", name(*namespace), HumanCount(*count)))
                    .collect();
                format!("{total} in {} namespaces: {}", all.len(), each.join(", "))
            }
        }
    }
}

/// A namespace is a hash of its name, so that only the one that nobody named can be told.
fn name(namespace: Namespace) -> String {
    if namespace == Namespace::new("") {
        return "(default)".to_owned();
    }
    namespace.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
