//! Sessions on a server that many machines can share: whole web servers beside each other, on one Redis or
//! one PostgreSQL, and what a session takes there.

use std::time::Duration;

use coatroom_testbed::{Postgres, PostgresOptions, Redis, RedisOptions};

use crate::Result;
use crate::cli::Plan;
use crate::load;
use crate::measure::{Side, Spread, interleave};
use crate::peers::Peer;
use crate::process::{self, Server};
use crate::report::{Figure, Goal, Line, Report, Table, number};

/// A kind of load.
#[derive(Clone, Copy)]
struct Load {
    what: &'static str,
    /// What begins a session.
    begin: &'static str,
    path: &'static str,
    connections: usize,
    goals: Goals,
}

/// What is wanted beside tower-sessions.
#[derive(Clone, Copy)]
enum Goals {
    Writing,
    Reading,
    None,
}

const LOADS: &[Load] = &[
    Load {
        what: "incrementing, 32 connections",
        begin: "/",
        path: "/",
        connections: 32,
        goals: Goals::Writing,
    },
    Load {
        what: "reading, 32 connections",
        begin: "/",
        path: "/read",
        connections: 32,
        goals: Goals::Reading,
    },
    Load {
        what: "incrementing, 256 connections",
        begin: "/",
        path: "/",
        connections: 256,
        goals: Goals::None,
    },
    Load {
        what: "reading, 256 connections",
        begin: "/",
        path: "/read",
        connections: 256,
        goals: Goals::None,
    },
    Load {
        what: "incrementing beside 64 KiB, 32 connections",
        begin: "/fill/65536",
        path: "/",
        connections: 32,
        goals: Goals::None,
    },
];

/// What one slice of load showed.
#[derive(Clone, Copy)]
struct Slice {
    requests_per_second: f64,
    cpu_microseconds: f64,
    p99_milliseconds: f64,
    /// CPU time of the database's processes for one request.
    database_microseconds: f64,
}

/// Sessions of each system under load.
const SESSIONS: usize = 512;

/// One kind of server.
struct Kind {
    name: &'static str,
    ours: Peer,
    theirs: Peer,
    peers: &'static [Peer],
    /// CPU per request at most: writing, reading.
    cpu: Option<(f64, f64)>,
    /// Requests per second at least: writing, reading.
    requests: (f64, f64),
}

fn on_redis() -> Kind {
    Kind {
        name: "Redis",
        ours: Peer::CoatroomRedis,
        theirs: Peer::TowerSessionsRedis,
        peers: Peer::ON_REDIS,
        cpu: Some((0.75, 0.85)),
        requests: (1.15, 1.15),
    }
}

fn on_postgres() -> Kind {
    Kind {
        name: "PostgreSQL",
        ours: Peer::CoatroomPostgres,
        theirs: Peer::TowerSessionsPostgres,
        peers: Peer::ON_POSTGRES,
        cpu: None,
        requests: (1.2, 1.5),
    }
}

pub(super) fn redis(plan: &Plan, report: &mut Report) -> Result<()> {
    let server = Redis::start(RedisOptions::default());
    under_load(plan, &on_redis(), &server.url(), &|| server.pids(), report)
}

pub(super) fn postgres(plan: &Plan, report: &mut Report) -> Result<()> {
    let server = Postgres::start(PostgresOptions::default());
    under_load(plan, &on_postgres(), &server.url(), &|| server.pids(), report)
}

pub(super) fn redis_bytes(plan: &Plan, report: &mut Report) -> Result<()> {
    sizes(plan, &on_redis(), report, |peer, sessions| {
        let server = Redis::start(RedisOptions::default());
        let used = || {
            let info = server.command(&["INFO", "memory"]);
            let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
            Ok::<f64, crate::Failure>(line.ok_or("no used_memory")?.trim().parse()?)
        };
        let before = used()?;
        process::filled("fill-server", &[peer.name(), &server.url(), &sessions.to_string()])?;
        Ok(used()? - before)
    })
}

pub(super) fn postgres_bytes(plan: &Plan, report: &mut Report) -> Result<()> {
    sizes(plan, &on_postgres(), report, |peer, sessions| {
        let server = Postgres::start(PostgresOptions::default());
        let used = || {
            let sum = "select sum(pg_total_relation_size(oid)) from pg_class where relkind = 'r' \
                       and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')";
            Ok::<f64, crate::Failure>(server.sql(sum).trim().parse().unwrap_or(0.0))
        };
        let before = used()?;
        process::filled("fill-server", &[peer.name(), &server.url(), &sessions.to_string()])?;
        Ok(used()? - before)
    })
}

fn under_load(
    plan: &Plan,
    kind: &Kind,
    url: &str,
    database: &dyn Fn() -> Vec<u32>,
    report: &mut Report,
) -> Result<()> {
    let servers: Vec<(Peer, Server)> =
        kind.peers.iter().map(|peer| Ok((*peer, Server::start(*peer, Some(url))?))).collect::<Result<_>>()?;
    let mut table = Table::new(
        format!("A whole server, sessions in {}", kind.name),
        &[
            "load",
            "system",
            "requests/s",
            "CPU us per request",
            "CPU us of the database",
            "99 % within (ms)",
            "requests/s and CPU beside tower-sessions",
        ],
    );
    for load in LOADS {
        let measured = measure(plan, &servers, *load, database)?;
        let of =
            |peer: Peer| servers.iter().position(|(known, _)| *known == peer).map(|at| &measured[at][..]);
        let (Some(ours), Some(theirs)) = (of(kind.ours), of(kind.theirs)) else {
            return Err("a system was not measured".into());
        };
        goals(kind, load, ours, theirs, report);
        for ((peer, _), slices) in servers.iter().zip(&measured) {
            table.rows.push(row(load, *peer, slices, theirs));
        }
    }
    report.table(table);
    Ok(())
}

fn measure(
    plan: &Plan,
    servers: &[(Peer, Server)],
    load: Load,
    database: &dyn Fn() -> Vec<u32>,
) -> Result<Vec<Vec<Slice>>> {
    let slice = Duration::from_millis(plan.pick(1500, 300));
    let mut sides: Vec<Side<'_, Slice>> = Vec::new();
    for (_, server) in servers {
        let cookies = load::new_sessions(server.address, load.begin, SESSIONS)?;
        sides.push(Box::new(move || {
            let before = cpu_of_all(database)?;
            let seen = load::closed_loop(server, load.path, &cookies, load.connections, slice)?;
            let used = cpu_of_all(database)?.saturating_sub(before);
            Ok(Slice {
                requests_per_second: seen.requests_per_second,
                cpu_microseconds: seen.cpu_microseconds,
                p99_milliseconds: seen.p99_milliseconds,
                database_microseconds: used.as_secs_f64() * 1e6
                    / (seen.requests_per_second * slice.as_secs_f64()),
            })
        }));
    }
    interleave(plan.pick(10, 2), sides)
}

/// Connections stay, and so do the processes that serve them.
fn cpu_of_all(processes: &dyn Fn() -> Vec<u32>) -> Result<Duration> {
    processes().into_iter().map(process::cpu_of).sum()
}

fn goals(kind: &Kind, load: &Load, ours: &[Slice], theirs: &[Slice], report: &mut Report) {
    let (cpu, requests) = match load.goals {
        Goals::Writing => (kind.cpu.map(|goals| goals.0), kind.requests.0),
        Goals::Reading => (kind.cpu.map(|goals| goals.1), kind.requests.1),
        Goals::None => return,
    };
    let mut line = |what: &str, of: fn(&Slice) -> f64, unit: &str, goal: Goal| {
        let (ours, theirs): (Vec<_>, Vec<_>) =
            (ours.iter().map(of).collect(), theirs.iter().map(of).collect());
        let median = |figures: &[f64]| number(Spread::of(figures.iter().copied()).median);
        report.goal(Line {
            work: format!("{}, {what}: {}", kind.name, load.what),
            ours: format!("{}{unit}", median(&ours)),
            beside: format!("{}{unit}, {}", median(&theirs), kind.theirs.title()),
            figure: Figure::Ratio(Spread::of_ratios(&ours, &theirs)),
            goal,
        });
    };
    if let Some(goal) = cpu {
        line("CPU per request", |slice| slice.cpu_microseconds, " us", Goal::AtMost(goal));
    }
    line("requests/s", |slice| slice.requests_per_second, "", Goal::AtLeast(requests));
}

fn row(load: &Load, peer: Peer, slices: &[Slice], theirs: &[Slice]) -> Vec<String> {
    let figures = |of: fn(&Slice) -> f64| slices.iter().map(of).collect::<Vec<_>>();
    let median = |of: fn(&Slice) -> f64| number(Spread::of(figures(of)).median);
    let ratio = |of: fn(&Slice) -> f64| {
        Spread::of_ratios(&figures(of), &theirs.iter().map(of).collect::<Vec<_>>()).median
    };
    vec![
        load.what.into(),
        peer.title().into(),
        median(|slice| slice.requests_per_second),
        median(|slice| slice.cpu_microseconds),
        median(|slice| slice.database_microseconds),
        median(|slice| slice.p99_milliseconds),
        format!(
            "{:.2}x, {:.2}x",
            ratio(|slice| slice.requests_per_second),
            ratio(|slice| slice.cpu_microseconds)
        ),
    ]
}

/// What so many sessions that hold one number take on a server of their own.
fn sizes(
    plan: &Plan,
    kind: &Kind,
    report: &mut Report,
    bytes: impl Fn(Peer, usize) -> Result<f64>,
) -> Result<()> {
    let sessions = plan.pick(1_000_000, 20_000);
    let title = format!("{} sessions holding one number in {}", number(sessions as f64), kind.name);
    let mut table = Table::new(title, &["system", "bytes per session"]);
    for peer in [kind.ours, kind.theirs] {
        let bytes = bytes(peer, sessions)? / sessions as f64;
        table.rows.push(vec![peer.title().into(), number(bytes)]);
    }
    report.table(table);
    Ok(())
}
