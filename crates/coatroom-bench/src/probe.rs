//! What needs a fresh process: it prints numbers, and the run that started it reads them.

mod growth;
#[cfg(feature = "servers")]
mod network;
mod stall;
mod start;

use std::num::NonZeroUsize;
use std::path::Path;

use crate::Result;
use crate::peers::{Peer, coatroom, tower_sessions};
use crate::population::Shape;
use crate::rows;

pub(crate) fn probe(name: &str, arguments: &[String]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let argument = |index: usize| {
        let found = arguments.get(index).map(String::as_str);
        found.ok_or_else(|| format!("the probe {name} needs more arguments"))
    };
    if name == "request" {
        return rows::layer::request(Peer::parse(argument(0)?)?, argument(1)?);
    }
    if name == "load" {
        let sessions: NonZeroUsize = argument(2)?.parse()?;
        return rows::server::under_load(Peer::parse(argument(0)?)?, argument(1)?, sessions.get());
    }
    runtime.block_on(async {
        match name {
            "memory" | "cycle" => {
                let (peer, sessions) = (Peer::parse(argument(0)?)?, argument(1)?.parse()?);
                // The run never asks for more; a profiler may.
                let others = argument(2).map_or(Ok(0), str::parse)?;
                let shape = Shape { others, bytes: 50 };
                match peer {
                    Peer::CoatroomMemory => growth::of::<coatroom::Sessions>(name, sessions, shape).await,
                    Peer::TowerSessions => {
                        growth::of::<tower_sessions::InMemory>(name, sessions, shape).await
                    }
                    Peer::AxumSession => growth::of_axum_session(sessions).await,
                    _ => Err(format!("no probe {name} for {}", peer.title()).into()),
                }
            }
            "stall" => stall::stall(Peer::parse(argument(0)?)?, argument(1)?.parse()?).await,
            #[cfg(feature = "servers")]
            "fill-server" => {
                network::fill(Peer::parse(argument(0)?)?, argument(1)?, argument(2)?.parse()?).await
            }
            "fill" => start::fill(Path::new(argument(0)?), argument(1)?.parse()?).await,
            "fill-and-die" => start::fill_and_die(Path::new(argument(0)?), argument(1)?.parse()?).await,
            "start" => start::start(Path::new(argument(0)?)).await,
            _ => Err(format!("no such probe: {name}").into()),
        }
    })
}
