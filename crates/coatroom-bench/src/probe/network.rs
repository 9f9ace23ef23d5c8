//! Fills a server with sessions.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::Result;
use crate::app::COUNTER;
use crate::peers::{Peer, coatroom, tower_sessions_014};

/// Sessions on their way at a time.
const AT_ONCE: usize = 64;

/// So many sessions that hold one number.
pub(super) async fn fill(peer: Peer, url: &str, sessions: usize) -> Result<()> {
    match peer {
        Peer::CoatroomRedis | Peer::CoatroomPostgres => {
            let manager = coatroom::at(&url.parse()?).await?.sweep_every(None).build()?;
            let create = async |_| {
                let (_, session) = manager.create()?;
                session.set(::coatroom::Slot::new(COUNTER), &0_u64)?;
                manager.commit(&session).await?;
                Ok(())
            };
            stream::iter(0..sessions).map(create).buffer_unordered(AT_ONCE).try_collect().await
        }
        Peer::TowerSessionsRedis => {
            tower_sessions_014::fill(tower_sessions_014::redis_store(url).await?, sessions).await
        }
        Peer::TowerSessionsPostgres => {
            tower_sessions_014::fill(tower_sessions_014::postgres_store(url).await?, sessions).await
        }
        _ => Err(format!("no probe fill-server for {}", peer.title()).into()),
    }
}
