//! How cost grows: with attributes, with the size of values, with sessions.

use super::inprocess::{Pair, compare};
use crate::Result;
use crate::cli::Plan;
use crate::measure::Spread;
use crate::peers::Peer;
use crate::population::Shape;
use crate::process;
use crate::report::{Report, Table, number};

pub(super) fn attributes(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut table =
        cost_table("Load, get, set one of them, commit, by number of attributes of 50 bytes", "attributes");
    for count in [1, 10, 100] {
        let pair = compare(plan, 1, Shape { others: count - 1, bytes: 50 })?;
        table.rows.push(cost_row(count.to_string(), &pair));
    }
    report.table(table);
    Ok(())
}

pub(super) fn values(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut table =
        cost_table("Load, get, set a counter, commit, beside one value of a size", "size of the value");
    for bytes in [100, 1024, 8 * 1024, 64 * 1024] {
        let pair = compare(plan, 1, Shape { others: 1, bytes })?;
        table.rows.push(cost_row(format!("{} bytes", number(bytes as f64)), &pair));
    }
    report.table(table);
    Ok(())
}

fn cost_table(title: &str, by: &str) -> Table {
    Table::new(title, &[by, "Coatroom, memory (ns)", "tower-sessions (ns)", "ratio (quartiles)"])
}

fn cost_row(by: String, Pair { ours, theirs }: &Pair) -> Vec<String> {
    let Spread { median, lower, upper } = Spread::of_ratios(ours, theirs);
    vec![
        by,
        number(Spread::of(ours.iter().copied()).median),
        number(Spread::of(theirs.iter().copied()).median),
        format!("{median:.2}x ({lower:.2}–{upper:.2})"),
    ]
}

/// In a fresh process for each number, so that memory can be told too.
pub(super) fn sessions(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "Load, get, set, commit on random sessions, by number of sessions",
        &["sessions", "system", "ns", "bytes per session"],
    );
    let counts: &[u64] =
        plan.pick(&[1_000, 10_000, 100_000, 1_000_000, 5_000_000], &[1_000, 10_000, 100_000]);
    for count in counts {
        for peer in [Peer::CoatroomMemory, Peer::TowerSessions] {
            let numbers = process::probe("cycle", &[peer.name(), &count.to_string()])?;
            let [nanoseconds, bytes] = numbers[..] else { return Err("the probe prints two numbers".into()) };
            table.rows.push(vec![
                number(*count as f64),
                peer.title().into(),
                number(nanoseconds),
                number(bytes),
            ]);
        }
    }
    report.table(table);
    Ok(())
}
