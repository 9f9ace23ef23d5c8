//! Nobody ever sees another's session, whatever is cut or dropped meanwhile.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use coatroom::SessionManager;
use coatroom::testing::Client;
use coatroom_testbed::{Cut, Proxy};
use futures_util::future::join_all;

use crate::support::{Server, Shop, on_each_server, open, until};

type Visitor = Client<axum::Router>;

const USERS: usize = 1_000;
const READERS: usize = 32;

/// A thousand users, each signed in, by their names.
async fn users(sessions: &SessionManager) -> Arc<Vec<(String, Visitor)>> {
    let visitor = Client::new(Shop::router(sessions));
    let mut users = Vec::new();
    for start in (0..USERS).step_by(50) {
        users.extend(
            join_all((start..start + 50).map(async |number| {
                let (name, mut visitor) = (format!("user{number}"), visitor.clone());
                assert_eq!(visitor.post(&format!("/login/{name}"), "").await.status, 204);
                (name, visitor)
            }))
            .await,
        );
    }
    Arc::new(users)
}

/// Reads as user after user until told to stop, and counts what was answered. Each answer is the
/// user's own, or says that the store is away.
async fn read(
    users: Arc<Vec<(String, Visitor)>>,
    from: usize,
    answered: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) {
    for (name, visitor) in users.iter().cycle().skip(from) {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let answer = visitor.clone().get("/owner").await;
        match answer.status.as_u16() {
            200 => assert_eq!(answer.text(), *name),
            503 => tokio::time::sleep(Duration::from_millis(1)).await,
            status => panic!("{status}: {}", answer.text()),
        }
        answered.fetch_add(u64::from(answer.status == 200), Ordering::SeqCst);
    }
}

/// Polls `future` up to `polls` times, each time when others had their turn, then drops it; whether
/// it was done.
async fn poll_times(future: impl Future, polls: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// Disturbs while the thousand are read, and looks that all are read again after it.
async fn while_all_read(server: Server, disturb: impl AsyncFn(&Proxy, &[(String, Visitor)])) {
    let proxy = Proxy::start(&server.address());
    let store = open(&proxy.url(&server.url())).await;
    let sessions = SessionManager::builder_shared(store).sweep_every(None).build().unwrap();
    let users = users(&sessions).await;
    let (answered, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            tokio::spawn(read(users.clone(), reader * USERS / READERS, answered.clone(), stop.clone()))
        })
        .collect();
    disturb(&proxy, &users).await;
    proxy.pass();
    let after = answered.load(Ordering::SeqCst);
    until("all users are read again", async || {
        answered.load(Ordering::SeqCst) > after + USERS as u64
            || readers.iter().any(|reader| reader.is_finished())
    })
    .await;
    stop.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}

on_each_server! {
    async fn connections_that_are_cut_give_nobody_anothers_session(server) {
        while_all_read(server, async |proxy, _| {
            for bytes in (0..120).flat_map(|turn| [Cut::Answer(turn * 7 % 300), Cut::Command(turn * 11 % 200)]) {
                proxy.cut_next(bytes);
                until("a connection is cut", async || !proxy.is_cut_pending()).await;
            }
        })
        .await;
    }

    async fn futures_dropped_at_every_await_give_nobody_anothers_session(server) {
        while_all_read(server, async |_, users| {
            for (turn, (name, visitor)) in users.iter().enumerate() {
                let mut visitor = visitor.clone();
                match turn % 3 {
                    0 => poll_times(visitor.get("/owner"), turn % 40).await,
                    1 => poll_times(visitor.post(&format!("/list/{turn}"), ""), turn % 40).await,
                    _ => poll_times(visitor.post(&format!("/login/{name}"), ""), turn % 40).await,
                };
            }
        })
        .await;
    }
}
