//! How long a start takes with sessions on disk: from opening the store until the first is read.

use std::path::Path;

use crate::Result;
use crate::cli::Plan;
use crate::measure::Spread;
use crate::process::{self, directory};
use crate::report::{Figure, Goal, Line, Report, Table, number};

pub(super) fn run(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "Start of the embedded store, until the first session is read (ms)",
        &["sessions", "after a clean stop", "after kill -9"],
    );
    let counts: &[u64] = plan.pick(&[1_000, 10_000, 100_000, 1_000_000], &[1_000, 100_000]);
    let mut largest = 0.0;
    for &count in counts {
        let clean = after(plan, "fill", count)?;
        let killed = after(plan, "fill-and-die", count)?;
        largest = f64::max(clean, killed);
        table.rows.push(vec![number(count as f64), number(clean), number(killed)]);
    }
    if let Some(&count) = counts.last() {
        report.goal(Line {
            work: format!(
                "start with {} sessions on disk, the worse of clean stop and kill -9",
                number(count as f64)
            ),
            ours: format!("{} ms", number(largest)),
            beside: "none of the others starts with sessions".into(),
            figure: Figure::Value(largest / 1000.0, "s"),
            goal: Goal::AtMost(2.0),
        });
    }
    report.table(table);
    Ok(())
}

/// The median of some first starts, each on files that a process of its own left.
fn after(plan: &Plan, fill: &str, sessions: u64) -> Result<f64> {
    let mut figures = Vec::new();
    for _ in 0..plan.pick(3, 1) {
        let directory = directory()?;
        let path = path_text(directory.path())?;
        process::filled(fill, &[path, &sessions.to_string()])?;
        figures.extend(process::probe("start", &[path])?);
    }
    Ok(Spread::of(figures).median)
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| "the build directory's name is not UTF-8".into())
}
