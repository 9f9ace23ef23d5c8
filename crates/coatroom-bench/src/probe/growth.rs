//! How a process grows with its sessions, and what work on a random one then takes.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

use crate::Result;
use crate::measure::{Spread, nanoseconds_each};
use crate::peers;
use crate::population::{Population, Shape};
use crate::process::resident_bytes;

/// Prints the bytes that each session adds; asked for `cycle`, the nanoseconds of one before them.
pub(super) async fn of<P: Population>(name: &str, sessions: usize, shape: Shape) -> Result<()> {
    let before = resident_bytes()?;
    let population = P::fill(sessions, shape).await?;
    let ids = sessions * P::ID_BYTES;
    let bytes = (resident_bytes()? - before).saturating_sub(ids as u64) as f64 / sessions as f64;
    if name == "cycle" {
        let mut random = fastrand::Rng::with_seed(1);
        let mut figures = Vec::new();
        for _ in 0..6 {
            let slice = Duration::from_millis(250);
            let cycle = async |_| population.cycle(random.usize(0..sessions)).await;
            figures.push(nanoseconds_each(slice, cycle).await?);
        }
        // The first slice warmed up.
        print!("{} ", Spread::of(figures.into_iter().skip(1)).median);
    }
    println!("{bytes}");
    Ok(())
}

/// axum_session makes sessions for requests only.
pub(super) async fn of_axum_session(sessions: usize) -> Result<()> {
    let router = peers::axum_session::router().await?;
    let before = resident_bytes()?;
    for _ in 0..sessions {
        router.clone().oneshot(Request::get("/").body(Body::empty())?).await?;
    }
    println!("{}", (resident_bytes()? - before) as f64 / sessions as f64);
    Ok(())
}
