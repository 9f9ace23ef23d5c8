//! Load, get, set and commit in process: the memory store beside tower-sessions' MemoryStore.

use std::time::Duration;

use super::{Ours, Theirs};
use crate::Result;
use crate::cli::Plan;
use crate::measure::{Side, Spread, interleave, nanoseconds_each};
use crate::population::{Population, Shape};
use crate::report::{Figure, Goal, Line, Report, number};

const MANY: usize = 100_000;

pub(super) fn run(plan: &Plan, report: &mut Report) -> Result<()> {
    let cases = [
        ("1 attribute, one hot session", 1, Shape::COUNTER, 0.36),
        ("21 attributes, one hot session", 1, Shape::COUNTER_AND_20, 0.12),
        ("1 attribute, 100,000 random sessions", MANY, Shape::COUNTER, 0.55),
        ("21 attributes, 100,000 random sessions", MANY, Shape::COUNTER_AND_20, 0.22),
    ];
    for (what, sessions, shape, goal) in cases {
        let Pair { ours, theirs } = compare(plan, sessions, shape)?;
        report.goal(Line {
            work: format!("load, get, set, commit: {what}"),
            ours: format!("{} ns", number(Spread::of(ours.iter().copied()).median)),
            beside: format!("{} ns, tower-sessions", number(Spread::of(theirs.iter().copied()).median)),
            figure: Figure::Ratio(Spread::of_ratios(&ours, &theirs)),
            goal: Goal::AtMost(goal),
        });
    }
    Ok(())
}

/// Nanoseconds for each piece of work, round by round.
pub(super) struct Pair {
    pub(super) ours: Vec<f64>,
    pub(super) theirs: Vec<f64>,
}

/// Both systems in turn on a population of their own.
pub(super) fn compare(plan: &Plan, sessions: usize, shape: Shape) -> Result<Pair> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ours = runtime.block_on(Ours::fill(sessions, shape))?;
    let theirs = runtime.block_on(Theirs::fill(sessions, shape))?;
    let slice = Duration::from_millis(plan.pick(100, 20));
    let sides: Vec<Side<'_, f64>> = vec![
        Box::new(|| runtime.block_on(cycles(&ours, sessions, slice))),
        Box::new(|| runtime.block_on(cycles(&theirs, sessions, slice))),
    ];
    let measured = interleave(plan.pick(21, 5), sides)?;
    let [ours, theirs] = measured.try_into().map_err(|_| "two sides measure two series")?;
    Ok(Pair { ours, theirs })
}

/// Works on random sessions for a while; the order is the same for every system.
pub(super) async fn cycles<P: Population>(population: &P, sessions: usize, slice: Duration) -> Result<f64> {
    let mut random = fastrand::Rng::with_seed(sessions as u64);
    nanoseconds_each(slice, async |_| population.cycle(random.usize(0..sessions)).await).await
}
