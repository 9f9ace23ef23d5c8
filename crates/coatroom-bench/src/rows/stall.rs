//! The longest stall while a tenth of all sessions expire at once: an open loop, in which latency
//! counts from when a piece of work should have begun.

use crate::Result;
use crate::cli::Plan;
use crate::peers::Peer;
use crate::process;
use crate::report::{Figure, Goal, Line, Report, Table, number};

pub(super) fn run(plan: &Plan, report: &mut Report) -> Result<()> {
    let sessions = plan.pick(1_000_000, 100_000);
    let mut table = Table::new(
        format!("{} sessions, a tenth expiring at once, open loop at 30 % load", number(f64::from(sessions))),
        &[
            "system",
            "load (1/s)",
            "longest stall before (ms)",
            "longest stall while sweeping (ms)",
            "of it without waiting for a processor (ms)",
            "99.9 % while sweeping (us)",
            "swept in (s)",
        ],
    );
    for (peer, goal) in [(Peer::CoatroomMemory, 5.0), (Peer::CoatroomEmbedded, 50.0)] {
        let mut runs = Vec::new();
        for _ in 0..plan.pick(3, 1) {
            let numbers = process::probe("stall", &[peer.name(), &sessions.to_string()])?;
            let run: [f64; 6] = numbers.try_into().map_err(|_| "the probe prints six numbers")?;
            table.rows.push([peer.title().to_owned()].into_iter().chain(run.map(number)).collect());
            runs.push(run);
        }
        let longest = |column: usize| runs.iter().map(|run| run[column]).fold(0.0, f64::max);
        report.goal(Line {
            work: format!("longest stall while a tenth of {sessions} sessions expire, {}", peer.title()),
            ours: format!("{} ms", number(longest(2))),
            beside: format!("{} ms, the same with nothing expiring", number(longest(1))),
            figure: Figure::Value(longest(2), "ms"),
            goal: Goal::AtMost(goal),
        });
    }
    report.table(table);
    Ok(())
}
