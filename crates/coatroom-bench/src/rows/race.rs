//! Parallel requests on one session: what is lost, and whether a logout holds.

use std::thread;
use std::time::Duration;

use crate::Result;
use crate::cli::Plan;
use crate::http::Visitor;
use crate::peers::Peer;
use crate::process::Server;
use crate::report::{Figure, Goal, Line, Report, Table};

const CLIENTS: usize = 20;
const REQUESTS: usize = 10;
const ALL: usize = CLIENTS * REQUESTS;

/// How long a handler works between reading and writing, in milliseconds.
const WORK: u64 = 2;

pub(super) fn run(plan: &Plan, report: &mut Report) -> Result<()> {
    let rounds = plan.pick(3, 1);
    let mut table = Table::new(
        format!("{CLIENTS} clients x {REQUESTS} requests on one session, {WORK} ms of work in each"),
        &[
            "system",
            "lost of 200 increments",
            "lost of 200 attributes",
            "logout undone by a request in flight",
        ],
    );
    for peer in Peer::with_sessions() {
        let server = Server::start(peer, None)?;
        let mut outcomes = Vec::new();
        for _ in 0..rounds {
            outcomes.push(race(&server)?);
        }
        let mut revived = 0;
        for _ in 0..rounds {
            revived += usize::from(is_logout_undone(&server)?);
        }
        if peer.is_coatroom() {
            goals(peer, &outcomes, revived, report);
        }
        let list = |cells: Vec<String>| cells.join(", ");
        table.rows.push(vec![
            peer.title().into(),
            list(outcomes.iter().map(|lost| lost.increments.to_string()).collect()),
            list(outcomes.iter().map(|lost| lost.attributes.to_string()).collect()),
            if revived > 0 { format!("yes, {revived} of {rounds}") } else { "no".into() },
        ]);
    }
    report.table(table);
    Ok(())
}

fn goals(peer: Peer, outcomes: &[Lost], revived: usize, report: &mut Report) {
    let lost: usize = outcomes.iter().map(|lost| lost.increments + lost.attributes).sum();
    for (work, count) in [("lost writes", lost), ("revived sessions", revived)] {
        report.goal(Line {
            work: format!("{work} in races, {}", peer.title()),
            ours: count.to_string(),
            beside: "see the table of races".into(),
            figure: Figure::Value(count as f64, ""),
            goal: Goal::AtMost(0.0),
        });
    }
}

/// What was missing after all had been answered with success.
struct Lost {
    increments: usize,
    attributes: usize,
}

fn race(server: &Server) -> Result<Lost> {
    let mut first = Visitor::connect(server.address)?;
    first.get("/login")?;
    let clients: Vec<Visitor> = (0..CLIENTS).map(|_| Visitor::beside(&first)).collect::<Result<_>>()?;
    thread::scope(|scope| {
        let threads: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(index, client)| scope.spawn(move || ask_in_turn(index, client)))
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err("a client panicked".into())))
    })?;
    let tally = first.get(&format!("/tally/{ALL}"))?.body;
    let (count, present) = tally.split_once(' ').ok_or_else(|| format!("no tally: {tally}"))?;
    Ok(Lost {
        increments: ALL.saturating_sub(count.parse()?),
        attributes: ALL.saturating_sub(present.parse()?),
    })
}

fn ask_in_turn(index: usize, mut client: Visitor) -> Result<()> {
    for request in 0..REQUESTS {
        let key = index * REQUESTS + request;
        let answer = client.get(&format!("/race/key-{key}/{WORK}"))?;
        if answer.status != 200 {
            return Err(format!("a request in a race was answered {}: {}", answer.status, answer.body).into());
        }
    }
    Ok(())
}

/// A visitor signs out in one window while a request of another is still at work. Afterwards a client
/// that kept the old cookie asks who it is.
fn is_logout_undone(server: &Server) -> Result<bool> {
    let mut first = Visitor::connect(server.address)?;
    first.get("/login")?;
    let mut slow = Visitor::beside(&first)?;
    let mut kept = Visitor::beside(&first)?;
    let at_work = thread::spawn(move || slow.get("/slow/100").map(drop));
    thread::sleep(Duration::from_millis(30));
    first.get("/logout")?;
    at_work.join().unwrap_or(Err("a client panicked".into()))?;
    Ok(kept.get("/user")?.body == "7")
}
