//! A whole server under load: CPU time per request, counted in the server's process, and requests per
//! second beside the same server without sessions.

use std::time::Duration;

use crate::Result;
use crate::cli::Plan;
use crate::load::{self, Slice};
use crate::measure::{Side, Spread, interleave};
use crate::peers::Peer;
use crate::process::Server;
use crate::report::{Figure, Goal, Line, Report, Table, number};

/// A kind of load: what is asked for, over how many sessions.
#[derive(Clone, Copy)]
struct Load {
    what: &'static str,
    path: &'static str,
    sessions: usize,
    /// How many requests per second there should be beside the server without sessions.
    requests_goal: f64,
}

/// How many connections ask at the same time.
const CONNECTIONS: usize = 32;

const LOADS: &[Load] = &[
    Load { what: "incrementing, 32 sessions", path: "/", sessions: 32, requests_goal: 0.85 },
    Load { what: "reading, 32 sessions", path: "/read", sessions: 32, requests_goal: 0.9 },
    Load { what: "incrementing, 20,000 sessions", path: "/", sessions: 20_000, requests_goal: 0.85 },
    Load { what: "reading, 20,000 sessions", path: "/read", sessions: 20_000, requests_goal: 0.9 },
];

/// What a profiler looks at: a server under one kind of load for a while. Prints the requests per second,
/// and the microseconds of its processor time for each.
pub(crate) fn under_load(peer: Peer, path: &str, sessions: usize) -> Result<()> {
    let server = Server::start(peer, None)?;
    // A server without sessions issues no cookies: it is asked with another's.
    let issuer = if peer == Peer::Bare { Some(Server::start(Peer::CoatroomMemory, None)?) } else { None };
    let cookies = load::new_sessions(issuer.as_ref().unwrap_or(&server).address, "/", sessions)?;
    drop(issuer);
    let slice = load::closed_loop(&server, path, &cookies, CONNECTIONS, Duration::from_secs(10))?;
    println!("{} {}", slice.requests_per_second, slice.cpu_microseconds);
    Ok(())
}

pub(super) fn run(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "A whole server, 32 connections",
        &[
            "load",
            "system",
            "CPU us per request",
            "requests/s",
            "99 % within (ms)",
            "requests/s beside no sessions",
        ],
    );
    for &load in LOADS {
        let measured = measure(plan, load)?;
        goals(load, &measured, report)?;
        let bare = measured.requests(Peer::Bare)?;
        for (peer, _) in &measured.0 {
            let requests = measured.requests(*peer)?;
            table.rows.push(vec![
                load.what.into(),
                peer.title().into(),
                number(Spread::of(measured.cpu(*peer)?).median),
                number(Spread::of(requests.iter().copied()).median),
                number(Spread::of(measured.p99(*peer)?).median),
                format!("{:.2}x", Spread::of_ratios(&requests, &bare).median),
            ]);
        }
    }
    report.table(table);
    Ok(())
}

fn goals(load: Load, measured: &Measured, report: &mut Report) -> Result<()> {
    let (ours, theirs) = (measured.cpu(Peer::CoatroomEmbedded)?, measured.cpu(Peer::TowerSessions)?);
    report.goal(Line {
        work: format!("whole server, CPU per request: {}", load.what),
        ours: format!("{} us, embedded", number(Spread::of(ours.iter().copied()).median)),
        beside: format!("{} us, tower-sessions", number(Spread::of(theirs.iter().copied()).median)),
        figure: Figure::Ratio(Spread::of_ratios(&ours, &theirs)),
        goal: Goal::AtMost(0.75),
    });
    let (ours, bare) = (measured.requests(Peer::CoatroomEmbedded)?, measured.requests(Peer::Bare)?);
    report.goal(Line {
        work: format!("whole server, requests/s: {}", load.what),
        ours: format!("{}, embedded", number(Spread::of(ours.iter().copied()).median)),
        beside: format!("{}, no sessions", number(Spread::of(bare.iter().copied()).median)),
        figure: Figure::Ratio(Spread::of_ratios(&ours, &bare)),
        goal: Goal::AtLeast(load.requests_goal),
    });
    Ok(())
}

/// What each server showed, round by round.
struct Measured(Vec<(Peer, Vec<Slice>)>);

fn measure(plan: &Plan, load: Load) -> Result<Measured> {
    let sessions = if plan.quick { load.sessions.min(2_000) } else { load.sessions };
    let peers: Vec<Peer> = Peer::with_sessions().chain([Peer::Bare]).collect();
    let mut servers = Vec::new();
    for peer in &peers {
        let server = Server::start(*peer, None)?;
        // The server without sessions gets the very header that Coatroom gets: reading it is its cost too.
        let cookies = match (peer, servers.first()) {
            (Peer::Bare, Some((_, cookies))) => Vec::clone(cookies),
            _ => load::new_sessions(server.address, "/", sessions)?,
        };
        servers.push((server, cookies));
    }
    let slice = Duration::from_millis(plan.pick(1000, 300));
    let side = |(server, cookies)| -> Side<'_, Slice> {
        let (server, cookies): (&Server, &Vec<String>) = (server, cookies);
        Box::new(move || load::closed_loop(server, load.path, cookies, CONNECTIONS, slice))
    };
    let sides = servers.iter().map(|(server, cookies)| side((server, cookies))).collect();
    let measured = interleave(plan.pick(10, 3), sides)?;
    Ok(Measured(peers.into_iter().zip(measured).collect()))
}

impl Measured {
    fn cpu(&self, peer: Peer) -> Result<Vec<f64>> {
        Ok(self.of(peer)?.iter().map(|slice| slice.cpu_microseconds).collect())
    }

    fn requests(&self, peer: Peer) -> Result<Vec<f64>> {
        Ok(self.of(peer)?.iter().map(|slice| slice.requests_per_second).collect())
    }

    fn p99(&self, peer: Peer) -> Result<Vec<f64>> {
        Ok(self.of(peer)?.iter().map(|slice| slice.p99_milliseconds).collect())
    }

    fn of(&self, peer: Peer) -> Result<&[Slice]> {
        let found = self.0.iter().find(|(known, _)| *known == peer);
        Ok(&found.ok_or_else(|| format!("{} was not measured", peer.title()))?.1)
    }
}
