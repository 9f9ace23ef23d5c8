//! Durable commits: 32 writers that wait until the disk has what they wrote, beside 32 that wait for
//! nothing but a thread that gathers what waits into fjall.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use coatroom::store::Durability;
use coatroom::{Session, SessionManager, Slot};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::Result;
use crate::cli::Plan;
use crate::measure::{Side, Spread, interleave};
use crate::peers::coatroom::{Sessions, in_files};
use crate::peers::raw_fjall::Committer;
use crate::process::directory;
use crate::report::{Figure, Goal, Line, Report, number};

const WRITERS: usize = 32;

/// Records that each writer takes at random.
const RECORDS_EACH: usize = 300;

/// How long a written record is, in either system.
const RECORD_BYTES: usize = 450;

/// What is left of a record for the value: a header, a name and an attribute's place are the rest.
const VALUE_BYTES: usize = 300;

const VALUE: Slot<String> = Slot::new("value");

pub(super) fn run(plan: &Plan, report: &mut Report) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (ours_in, theirs_in) = (directory()?, directory()?);
    let ours = Arc::new(runtime.block_on(HeldSessions::open(ours_in.path()))?);
    let theirs = Arc::new(Committer::open(theirs_in.path())?);
    let slice = Duration::from_millis(plan.pick(1000, 300));
    let sides: Vec<Side<'_, f64>> = vec![
        Box::new(|| commits_per_second(&runtime, slice, &ours)),
        Box::new(|| commits_per_second(&runtime, slice, &theirs)),
    ];
    let measured = interleave(plan.pick(11, 3), sides)?;
    let [ours, theirs] = &measured[..] else { return Err("two sides measure two series".into()) };
    report.goal(Line {
        work: format!("durable commits, {WRITERS} waiting writers, an fsync for each group"),
        ours: format!("{} /s, embedded, every commit", number(Spread::of(ours.iter().copied()).median)),
        beside: format!("{} /s, raw committer into fjall", number(Spread::of(theirs.iter().copied()).median)),
        figure: Figure::Ratio(Spread::of_ratios(ours, theirs)),
        goal: Goal::AtLeast(0.95),
    });
    Ok(())
}

/// Lets all writers write for a while, each to records of its own.
fn commits_per_second(runtime: &Runtime, slice: Duration, durable: &Arc<impl Durable>) -> Result<f64> {
    runtime.block_on(async {
        let (stop, landed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut writers = JoinSet::new();
        let start = Instant::now();
        for writer in 0..WRITERS {
            let (stop, landed, durable) = (stop.clone(), landed.clone(), durable.clone());
            writers.spawn(async move {
                while !stop.load(Relaxed) {
                    let record = writer * RECORDS_EACH + fastrand::usize(..RECORDS_EACH);
                    durable.commit(record, fastrand::u64(..)).await?;
                    landed.fetch_add(1, Relaxed);
                }
                Result::<()>::Ok(())
            });
        }
        tokio::time::sleep(slice).await;
        stop.store(true, Relaxed);
        while let Some(writer) = writers.join_next().await {
            writer??;
        }
        Ok(landed.load(Relaxed) as f64 / start.elapsed().as_secs_f64())
    })
}

/// Something that writes a record so that it outlives a loss of power.
trait Durable: Send + Sync + 'static {
    fn commit(&self, record: usize, value: u64) -> impl Future<Output = Result<()>> + Send;
}

/// Sessions that are open, so that nothing but their commits is measured.
struct HeldSessions {
    manager: SessionManager,
    sessions: Vec<Session>,
}

impl HeldSessions {
    /// Opens sessions in a store that was filled without waiting for the disk each time.
    async fn open(directory: &Path) -> Result<Self> {
        let manager = in_files(directory, Durability::default())?.build()?;
        let fill = |_, session: &Session| Ok(session.set(VALUE, &text(0))?);
        let Sessions { manager, ids } = Sessions::create(manager, WRITERS * RECORDS_EACH, fill).await?;
        manager.flush().await?;
        drop(manager);
        let manager = in_files(directory, Durability::EveryCommit)?.build()?;
        let mut sessions = Vec::with_capacity(ids.len());
        for id in &ids {
            sessions.push(manager.open(id).await?.ok_or("a session is gone")?);
        }
        Ok(Self { manager, sessions })
    }
}

impl Durable for HeldSessions {
    async fn commit(&self, record: usize, value: u64) -> Result<()> {
        let session = &self.sessions[record];
        session.set(VALUE, &text(value))?;
        self.manager.commit(session).await?;
        Ok(())
    }
}

impl Durable for Committer {
    async fn commit(&self, record: usize, value: u64) -> Result<()> {
        // Any odd factor will do to scatter the keys, as those of sessions are.
        let key = (record as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let mut bytes = text(value).into_bytes();
        bytes.resize(RECORD_BYTES, b'x');
        self.write(key.to_be_bytes(), bytes).await
    }
}

fn text(value: u64) -> String {
    format!("{value:0>VALUE_BYTES$}")
}
