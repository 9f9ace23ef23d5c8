//! Nobody ever sees another's session, whatever is cut or dropped meanwhile.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use coatroom::SessionManager;
use coatroom::testing::Client;
use coatroom_testbed::{Cut, Proxy};
use futures_util::future::join_all;

use crate::support::{Server, Shop, on_each_server, open, until};

type Visitor = Client<axum::Router>;

const USERS: usize = 1_000;
const READERS: usize = 32;
/// More than any request here is polled, a login's load and commit included.
const POLLS: usize = 16;

/// A user, and the browser in which they have signed in.
struct User {
    name: String,
    visitor: Visitor,
    /// Whether they have begun to sign in again. From then on the cookie of this browser may be the
    /// previous one, with which nothing is read.
    signs_in_again: AtomicBool,
}

impl User {
    async fn sign_in(name: String, mut visitor: Visitor) -> Self {
        assert_eq!(visitor.post(&format!("/login/{name}"), "").await.status, 204);
        Self { name, visitor, signs_in_again: AtomicBool::new(false) }
    }

    /// Whether this may be read with the user's cookie: the user's own, or nothing once it may be
    /// the previous one.
    fn may_read(&self, owner: &str) -> bool {
        owner == self.name || (owner.is_empty() && self.signs_in_again.load(Ordering::SeqCst))
    }
}

/// A thousand users, each signed in.
async fn users(sessions: &SessionManager) -> Arc<Vec<User>> {
    let visitor = Client::new(Shop::router(sessions));
    let mut users = Vec::new();
    for start in (0..USERS).step_by(50) {
        let some = (start..start + 50).map(|number| User::sign_in(format!("user{number}"), visitor.clone()));
        users.extend(join_all(some).await);
    }
    Arc::new(users)
}

/// Reads as user after user until told to stop, and counts what was answered. Each answer is what
/// the user may read, or says that the store is away.
async fn read(users: Arc<Vec<User>>, from: usize, answered: Arc<AtomicU64>, stop: Arc<AtomicBool>) {
    for user in users.iter().cycle().skip(from) {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let answer = user.visitor.clone().get("/owner").await;
        match answer.status.as_u16() {
            200 => assert!(user.may_read(answer.text()), "{} reads {:?}", user.name, answer.text()),
            503 => tokio::time::sleep(Duration::from_millis(1)).await,
            status => panic!("{status}: {}", answer.text()),
        }
        answered.fetch_add(u64::from(answer.status == 200), Ordering::SeqCst);
    }
}

/// Polls `future` each time it is woken, up to `polls` times, then drops it; whether it was done.
async fn poll_times(future: impl Future, polls: usize) -> bool {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|context| {
        let Some(rest) = left.checked_sub(1) else { return Poll::Ready(false) };
        left = rest;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Disturbs while the thousand are read, and looks that all are read again after it.
async fn while_all_read(server: Server, disturb: impl AsyncFn(&Proxy, &[User])) {
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
            let mut done = [false; 3];
            for (turn, user) in users.iter().enumerate() {
                let (kind, polls) = (turn % 3, turn / 3 % POLLS);
                let mut visitor = user.visitor.clone();
                done[kind] |= match kind {
                    0 => poll_times(visitor.get("/owner"), polls).await,
                    1 => poll_times(visitor.post(&format!("/list/{turn}"), ""), polls).await,
                    _ => {
                        user.signs_in_again.store(true, Ordering::SeqCst);
                        poll_times(visitor.post(&format!("/login/{}", user.name), ""), polls).await
                    }
                };
            }
            assert_eq!(done, [true; 3], "with fewer than {POLLS} polls not every await is met");
        })
        .await;
    }
}
