//! A server that answers slowly or not at all: who waits is told in time, and no crowd gathers.

use std::time::Duration;

use coatroom_testbed::Proxy;
use futures_util::future::join_all;
use tokio::runtime::Handle;

use crate::support::{Server, Shop, on_each_server, open, until};

const CROWD: usize = 300;

/// `disturb` the server, let a crowd come, and look that all are answered, that the connections are
/// bounded and that all is as before when it passes.
async fn disturbed(server: Server, disturb: fn(&Proxy)) {
    let proxy = Proxy::start(&server.address());
    let shop = Shop::open(open(&format!("{}?timeout=1s", proxy.url(&server.url()))).await).await;
    let mut visitor = shop.signed_in("anna").await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    disturb(&proxy);
    let crowd = (0..CROWD).map(|_| {
        let mut visitor = visitor.clone();
        tokio::spawn(async move { visitor.get("/owner").await })
    });
    for answer in join_all(crowd).await {
        let answer = answer.unwrap();
        assert!(answer.is_try_again() || answer.body == "anna", "{answer:?}");
    }
    assert!(proxy.most_connections() <= MOST_CONNECTIONS, "{} connections", proxy.most_connections());
    // A connection of HTTP is a task until it is closed, and each store has some of its own.
    until("the tasks are gone", async || {
        Handle::current().metrics().num_alive_tasks() <= tasks + MOST_CONNECTIONS
    })
    .await;
    proxy.pass();
    until("the visitor is known again", async || visitor.get("/owner").await.body == "anna").await;
}

/// The most that a store has by default.
const MOST_CONNECTIONS: usize = 32;

on_each_server! {
    async fn a_server_that_holds_its_answers_back_gathers_no_crowd(server) {
        disturbed(server, Proxy::hold_answers).await;
    }

    async fn a_network_that_loses_everything_gathers_no_crowd(server) {
        disturbed(server, Proxy::black_hole).await;
    }

    async fn a_server_that_answers_late_gathers_no_crowd(server) {
        disturbed(server, |proxy| proxy.delay_answers(Duration::from_millis(300))).await;
    }

    async fn connections_that_take_longer_to_make_than_a_call_may_take_are_made_all_the_same(server) {
        let proxy = Proxy::start(&server.address());
        let shop = Shop::open(open(&format!("{}?timeout=1s", proxy.url(&server.url()))).await).await;
        let mut visitor = shop.signed_in("anna").await;
        proxy.delay_answers(Duration::from_millis(400));
        proxy.cut_all();
        until("the visitor is known again", async || visitor.get("/owner").await.body == "anna").await;
    }

    async fn a_server_that_stands_still_is_waited_for_no_longer_than_the_timeout(server) {
        let mut server = server;
        let shop = Shop::open(open(&format!("{}?timeout=1s", server.url())).await).await;
        let mut visitor = shop.signed_in("anna").await;
        server.pause();
        assert!(visitor.get("/owner").await.is_try_again());
        assert!(visitor.post("/list/1").await.is_try_again());
        server.resume();
        until("the visitor is known again", async || visitor.get("/owner").await.body == "anna").await;
    }
}
