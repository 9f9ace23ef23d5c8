//! What a session layer adds to a request, with no network: the router called directly.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::Result;
use crate::cli::Plan;
use crate::measure::{Side, Spread, added, interleave, nanoseconds_each};
use crate::peers::Peer;
use crate::process::directory;
use crate::report::{Figure, Goal, Line, Report, Table, number};

/// What a profiler looks at: one kind of request to one system, over and over for a while. Prints the
/// nanoseconds of one.
pub(crate) fn request(peer: Peer, path: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let directory = directory()?;
    let app = App::new(&runtime, peer, directory.path())?;
    println!("{}", runtime.block_on(app.ask_for(path, Duration::from_secs(3)))?);
    Ok(())
}

pub(super) fn run(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "What the layer adds to a request (ns, without network)",
        &["system", "writing", "reading"],
    );
    let writing = Added::measure(plan, "/")?;
    let reading = Added::measure(plan, "/read")?;
    for (path, added, goal) in [("writing", &writing, 0.30), ("reading", &reading, 0.38)] {
        let (ours, theirs) = (added.of(Peer::CoatroomMemory)?, added.of(Peer::TowerSessions)?);
        report.goal(Line {
            work: format!("added by the layer to a request, {path}"),
            ours: format!("{} ns", number(Spread::of(ours.iter().copied()).median)),
            beside: format!("{} ns, tower-sessions", number(Spread::of(theirs.iter().copied()).median)),
            figure: Figure::Ratio(Spread::of_ratios(ours, theirs)),
            goal: Goal::AtMost(goal),
        });
    }
    for peer in Peer::with_sessions() {
        let [writing, reading] = [&writing, &reading].map(|added| Some(added.of(peer).ok()?.to_vec()));
        let cell = |figures: Option<Vec<f64>>| number(Spread::of(figures.unwrap_or_default()).median);
        table.rows.push(vec![peer.title().into(), cell(writing), cell(reading)]);
    }
    report.table(table);
    Ok(())
}

/// Nanoseconds added to a request, for each system round by round.
struct Added(Vec<(Peer, Vec<f64>)>);

impl Added {
    fn measure(plan: &Plan, path: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let directory = directory()?;
        let peers: Vec<Peer> = [Peer::Bare].into_iter().chain(Peer::with_sessions()).collect();
        let mut apps = Vec::new();
        for peer in &peers {
            apps.push(App::new(&runtime, *peer, &directory.path().join(peer.name()))?);
        }
        // The bare server begins no session, and is sent a cookie all the same.
        apps[0].cookie = apps[1].cookie.clone();
        let slice = Duration::from_millis(plan.pick(100, 20));
        let runtime = &runtime;
        let side =
            |app| -> Side<'_, f64> { Box::new(move || runtime.block_on(App::ask_for(app, path, slice))) };
        let sides = apps.iter().map(side).collect();
        let mut measured = interleave(plan.pick(21, 5), sides)?.into_iter();
        let bare = measured.next().ok_or("the bare server was not measured")?;
        let added = measured.map(|figures| added(&figures, &bare));
        Ok(Self(peers.into_iter().skip(1).zip(added).collect()))
    }

    fn of(&self, peer: Peer) -> Result<&[f64]> {
        let found = self.0.iter().find(|(known, _)| *known == peer);
        Ok(&found.ok_or_else(|| format!("{} was not measured", peer.title()))?.1)
    }
}

/// A router and a visitor of it.
struct App {
    router: Router,
    cookie: String,
}

impl App {
    fn new(runtime: &Runtime, peer: Peer, directory: &std::path::Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let place = directory.to_str().ok_or("the directory has an odd name")?;
        runtime.block_on(async {
            // As `axum::serve` does, so that what axum does once for a server is not in each request.
            let router = peer.router(place).await?.with_state(());
            let answer = router.clone().oneshot(Request::get("/").body(Body::empty())?).await?;
            let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
            let pairs: Vec<_> =
                cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next()).collect();
            Ok(Self { cookie: pairs.join("; "), router })
        })
    }

    async fn ask_for(&self, path: &str, slice: Duration) -> Result<f64> {
        nanoseconds_each(slice, async |_| {
            let request = Request::get(path).header(header::COOKIE, &self.cookie).body(Body::empty())?;
            let answer = self.router.clone().oneshot(request).await?;
            if answer.status() != StatusCode::OK {
                return Err(format!("a request was answered {}", answer.status()).into());
            }
            Ok(())
        })
        .await
    }
}
