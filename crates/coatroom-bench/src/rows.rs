//! The rows of the table: each compares one kind of work.

mod durable;
mod growth;
mod inprocess;
pub(crate) mod layer;
mod memory;
#[cfg(feature = "servers")]
mod network;
mod race;
pub(crate) mod server;
mod stall;
mod start;

use crate::cli::Plan;
use crate::peers::coatroom::Sessions as Ours;
use crate::peers::tower_sessions::InMemory as Theirs;
use crate::report::Report;
use crate::{Result, machine};

/// A row, or some that share their preparations.
pub(crate) struct Row {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    run: fn(&Plan, &mut Report) -> Result<()>,
}

/// All rows, in the order of the table.
pub(crate) const ROWS: &[Row] = &[
    Row { name: "inprocess", what: "load, get, set, commit in process", run: inprocess::run },
    Row { name: "layer", what: "what the layer adds to a request", run: layer::run },
    Row { name: "server", what: "a whole server under load", run: server::run },
    Row { name: "memory", what: "memory for a session", run: memory::run },
    Row { name: "durable", what: "commits that wait for the disk", run: durable::run },
    Row { name: "stall", what: "stalls while many sessions expire", run: stall::run },
    Row { name: "start", what: "starting with sessions on disk", run: start::run },
    Row { name: "race", what: "parallel requests on one session", run: race::run },
    Row { name: "attributes", what: "growth with the number of attributes", run: growth::attributes },
    Row { name: "values", what: "growth with the size of values", run: growth::values },
    #[cfg(feature = "servers")]
    Row { name: "redis", what: "sessions in Redis", run: network::redis },
    #[cfg(feature = "servers")]
    Row { name: "redis-bytes", what: "what a session takes in Redis", run: network::redis_bytes },
    #[cfg(feature = "servers")]
    Row { name: "postgres-bytes", what: "what a session takes in PostgreSQL", run: network::postgres_bytes },
    #[cfg(feature = "servers")]
    Row { name: "postgres", what: "sessions in PostgreSQL", run: network::postgres },
    Row { name: "sessions", what: "growth with the number of sessions", run: growth::sessions },
];

/// Runs what the plan asks for and prints the tables.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let machine = machine::description();
    let mut report = Report::default();
    for row in ROWS.iter().filter(|row| plan.asks_for(row.name)) {
        eprintln!("{}: {}", row.name, row.what);
        (row.run)(plan, &mut report)?;
    }
    let text = report.markdown(&machine);
    print!("{text}");
    if let Some(path) = &plan.output {
        std::fs::write(path, text)?;
    }
    Ok(())
}
