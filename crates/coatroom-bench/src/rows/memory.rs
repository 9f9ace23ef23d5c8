//! Memory for a session that holds one number: how much a fresh process grows by.

use crate::Result;
use crate::cli::Plan;
use crate::peers::Peer;
use crate::process;
use crate::report::{Figure, Goal, Line, Report, Table, number};

pub(super) fn run(plan: &Plan, report: &mut Report) -> Result<()> {
    let sessions = plan.pick(1_000_000, 100_000).to_string();
    let bytes = |peer: Peer| -> Result<f64> {
        let numbers = process::probe("memory", &[peer.name(), &sessions])?;
        numbers.first().copied().ok_or_else(|| "the probe printed nothing".into())
    };
    let (ours, theirs) = (bytes(Peer::CoatroomMemory)?, bytes(Peer::TowerSessions)?);
    report.goal(Line {
        work: format!("memory for a session holding one number, {sessions} sessions"),
        ours: format!("{} bytes", number(ours)),
        beside: format!("{} bytes, tower-sessions", number(theirs)),
        figure: Figure::Value(ours, "bytes"),
        goal: Goal::AtMost(220.0),
    });
    let mut table = Table::new("Memory for a session holding one number (bytes)", &["system", "bytes"]);
    table.rows.push(vec![Peer::CoatroomMemory.title().into(), number(ours)]);
    table.rows.push(vec![Peer::TowerSessions.title().into(), number(theirs)]);
    table.rows.push(vec![Peer::AxumSession.title().into(), number(bytes(Peer::AxumSession)?)]);
    report.table(table);
    Ok(())
}
