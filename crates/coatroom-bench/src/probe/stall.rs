//! An open loop on sessions of which a tenth expire at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use coatroom::store::Durability;
use coatroom::{Event, ManualClock};

use crate::Result;
use crate::measure::nanoseconds_each;
use crate::peers::Peer;
use crate::peers::coatroom::{Sessions, in_files, in_memory};
use crate::population::Population as _;
use crate::process::directory;

/// The part of its capacity that the loop asks of the store.
const LOAD: f64 = 0.3;

/// Every tenth session has this idle timeout; the others live longer than any run.
const SHORT: Duration = Duration::from_secs(60);

/// Prints the load in 1/s, the longest stall with nothing expiring and while a tenth does in ms, the
/// latter without the time in which this thread waited for a processor, its 99.9th percentile in us,
/// and the seconds until all that expired were swept.
pub(super) async fn stall(peer: Peer, sessions: usize) -> Result<()> {
    let clock = Arc::new(ManualClock::new());
    let expired = Arc::new(AtomicUsize::new(0));
    let directory = directory()?;
    let builder = match peer {
        Peer::CoatroomMemory => in_memory(),
        Peer::CoatroomEmbedded => in_files(directory.path(), Durability::default())?,
        _ => return Err(format!("no sweeping is measured in {}", peer.title()).into()),
    };
    let heard = expired.clone();
    let manager = builder
        .clock(clock.clone())
        .on_event(move |event: &Event<'_>| {
            if matches!(event, Event::Expired(_)) {
                heard.fetch_add(1, Relaxed);
            }
        })
        .build()?;
    let population = Sessions::create(manager, sessions, |index, session| {
        if index % 10 == 0 {
            session.set_idle_timeout(SHORT)?;
        }
        Ok(())
    })
    .await?;

    let mut work = Loop { population, random: fastrand::Rng::with_seed(1), interval: Duration::ZERO };
    let each = nanoseconds_each(Duration::from_secs(1), async |_| work.one().await).await?;
    work.interval = Duration::from_nanos((each / LOAD) as u64);
    let quiet_until = Instant::now() + Duration::from_secs(3);
    let quiet = work.run(|| Instant::now() >= quiet_until).await?;

    let start = Instant::now();
    clock.advance(SHORT * 2);
    let due = sessions.div_ceil(10);
    let mut swept = None;
    let sweeping = work
        .run(|| {
            let now = Instant::now();
            if swept.is_none() && expired.load(Relaxed) >= due {
                swept = Some(now);
            }
            swept.is_some_and(|at| now > at + Duration::from_secs(1)) || now > start + Duration::from_secs(60)
        })
        .await?;
    let swept = swept.ok_or("what expired was not swept within a minute")? - start;
    println!(
        "{} {} {} {} {} {}",
        1e9 / work.interval.as_nanos() as f64,
        quiet.longest().as_secs_f64() * 1e3,
        sweeping.longest().as_secs_f64() * 1e3,
        sweeping.longest_running.as_secs_f64() * 1e3,
        sweeping.permille(999).as_secs_f64() * 1e6,
        swept.as_secs_f64(),
    );
    Ok(())
}

/// Work that begins at given times, whether what came before has ended or not.
struct Loop {
    population: Sessions,
    random: fastrand::Rng,
    interval: Duration,
}

impl Loop {
    /// On one of the sessions that live on.
    async fn one(&mut self) -> Result<()> {
        let tenth = self.random.usize(..self.population.ids.len() / 10);
        self.population.cycle(tenth * 10 + self.random.usize(1..10)).await
    }

    async fn run(&mut self, mut is_over: impl FnMut() -> bool) -> Result<Latencies> {
        let mut latencies = Latencies::default();
        let mut intended = Instant::now();
        let mut waited = waited_for_a_processor()?;
        // What is intended, moved by all that was spent waiting for a processor.
        let mut lag = Duration::ZERO;
        // How late the work was when that was last looked up.
        let mut asked_at = Duration::ZERO;
        loop {
            if latencies.each.len().is_multiple_of(1024) {
                if is_over() {
                    return Ok(latencies);
                }
                if lag.is_zero() {
                    waited = waited_for_a_processor()?;
                }
            }
            intended += self.interval;
            // Sleeping wakes too late by more than what is measured.
            while Instant::now() < intended {
                std::hint::spin_loop();
            }
            self.one().await?;
            let latency = intended.elapsed();
            latencies.each.push(u32::try_from(latency.as_nanos()).unwrap_or(u32::MAX));
            if latency < NOTABLE {
                lag = Duration::ZERO;
            } else if latency > asked_at + NOTABLE {
                // Asking costs more than the work: once for each jump, or it would be what is measured.
                asked_at = latency;
                let now_waited = waited_for_a_processor()?;
                lag += now_waited - waited;
                waited = now_waited;
            }
            asked_at = asked_at.min(latency);
            latencies.longest_running = latencies.longest_running.max(latency.saturating_sub(lag));
        }
    }
}

/// From here on it is worth asking where the time went.
const NOTABLE: Duration = Duration::from_micros(200);

/// The time that this thread was ready to run while no processor was free.
fn waited_for_a_processor() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds =
        text.split_whitespace().nth(1).ok_or("no waiting time in /proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

#[derive(Default)]
struct Latencies {
    /// In nanoseconds, at most 4.3 s each.
    each: Vec<u32>,
    longest_running: Duration,
}

impl Latencies {
    fn longest(&self) -> Duration {
        Duration::from_nanos(self.each.iter().copied().max().unwrap_or(0).into())
    }

    fn permille(&self, part: usize) -> Duration {
        let mut sorted = self.each.clone();
        sorted.sort_unstable();
        let at = sorted.get(sorted.len() * part / 1000);
        Duration::from_nanos(at.copied().unwrap_or(0).into())
    }
}
