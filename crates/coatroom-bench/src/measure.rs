//! How a figure is come by: interleaved rounds, medians, and the spread beside them.
//!
//! A shared machine is fast one minute and slow the next. So the sides of a comparison take turns
//! (A B, then B A), what is compared is the two figures of one round, and what is reported is the median
//! of those quotients, with the quartiles.

use std::time::{Duration, Instant};

use crate::Result;

/// One side of a comparison: does a slice of its work and returns what it measured.
pub(crate) type Side<'a, T> = Box<dyn FnMut() -> Result<T> + 'a>;

/// Lets the sides take turns for `rounds` rounds, after one that warms up and is not counted. Returns
/// what each side measured, in the order of the sides, round by round.
pub(crate) fn interleave<T>(rounds: usize, mut sides: Vec<Side<'_, T>>) -> Result<Vec<Vec<T>>> {
    let mut measured: Vec<Vec<T>> = sides.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for side in &mut sides {
        side()?;
    }
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..sides.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            measured[index].push(sides[index]()?);
        }
    }
    Ok(measured)
}

/// Repeats `work`, which is told how often it has been done, for about `slice`; returns the mean of the
/// nanoseconds it took.
///
/// These are nanoseconds of this thread on a processor. What is measured this way never waits, so they
/// are what the clock on the wall would show on a machine that has nothing else to do.
pub(crate) async fn nanoseconds_each(
    slice: Duration,
    mut work: impl AsyncFnMut(usize) -> Result<()>,
) -> Result<f64> {
    const BATCH: usize = 64;
    let (start, cpu_before) = (Instant::now(), cpu_of_this_thread());
    let mut done = 0;
    while start.elapsed() < slice {
        for _ in 0..BATCH {
            work(done).await?;
            done += 1;
        }
    }
    Ok((cpu_of_this_thread() - cpu_before).as_nanos() as f64 / done as f64)
}

fn cpu_of_this_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    // It counts up from zero, in seconds and less than a second of nanoseconds.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A median with its quartiles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

impl Spread {
    /// The spread of some figures; of none at all, not a number.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| match sorted.len() {
            0 => f64::NAN,
            length => {
                let place = part * (length - 1) as f64;
                let (below, above) = (place.floor() as usize, place.ceil() as usize);
                sorted[below] + (sorted[above] - sorted[below]) * place.fract()
            }
        };
        Self { median: at(0.5), lower: at(0.25), upper: at(0.75) }
    }

    /// The spread of the quotients of two series, round by round.
    pub(crate) fn of_ratios(ours: &[f64], theirs: &[f64]) -> Self {
        Self::of(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs))
    }
}

/// What is left of each figure without the figure of the same round in `base`.
pub(crate) fn added(figures: &[f64], base: &[f64]) -> Vec<f64> {
    figures.iter().zip(base).map(|(figure, base)| figure - base).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_between_its_quartiles() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]);
        assert_eq!((spread.lower, spread.median, spread.upper), (1.75, 2.5, 3.25));
    }

    #[test]
    fn the_sides_take_turns_and_the_warm_up_is_not_counted() {
        let order = std::cell::RefCell::new(Vec::new());
        let side = |name: char| -> Side<'_, char> {
            let order = &order;
            Box::new(move || {
                order.borrow_mut().push(name);
                Ok(name)
            })
        };
        let measured = interleave(2, vec![side('a'), side('b')]).unwrap_or_default();
        assert_eq!(measured, [['a', 'a'], ['b', 'b']]);
        assert_eq!(order.borrow().iter().collect::<String>(), "ababba");
    }

    #[test]
    fn ratios_are_those_of_one_round() {
        assert_eq!(Spread::of_ratios(&[1.0, 30.0, 2.0], &[2.0, 60.0, 4.0]).median, 0.5);
    }
}
