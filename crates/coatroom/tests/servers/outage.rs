//! A server goes away under load and comes back.

use coatroom_testbed::PgBouncer;

use crate::support::{Load, Server, Shop, on_each_server, open};

const VISITORS: usize = 32;

/// Visitors write while the server is interrupted and started again: they are told to come again,
/// then write on, and nothing that they were told is kept is lost.
async fn interrupted(mut server: Server, interrupt: fn(&mut Server), start_again: fn(&mut Server)) {
    let shop = Shop::open(open(&server.url()).await).await;
    let load = Load::start(&shop, VISITORS).await;
    for _ in 0..2 {
        load.until_all_write(3).await;
        tokio::task::block_in_place(|| interrupt(&mut server));
        load.until_all_are_refused(2).await;
        assert_eq!(shop.browser().get("/").await.status, 200);
        assert!(shop.sessions.check().await.is_err());
        tokio::task::block_in_place(|| start_again(&mut server));
    }
    load.until_all_write(3).await;
    shop.sessions.check().await.unwrap();
    for mut writer in load.stop().await {
        writer.assert_nothing_lost().await;
    }
}

on_each_server! {
    async fn a_server_that_is_stopped_under_load_costs_no_acknowledged_write(server) {
        interrupted(server, Server::stop, Server::start_again).await;
    }

    async fn a_server_that_is_killed_under_load_costs_no_acknowledged_write(server) {
        interrupted(server, Server::kill, Server::start_again).await;
    }

    async fn a_store_whose_server_comes_back_needs_no_help(server) {
        let mut server = server;
        let shop = Shop::open(open(&server.url()).await).await;
        let mut visitor = shop.signed_in("anna").await;
        for _ in 0..3 {
            tokio::task::block_in_place(|| server.stop());
            assert!(visitor.get("/owner").await.is_try_again());
            tokio::task::block_in_place(|| server.start_again());
            crate::support::until("the visitor is known again", async || visitor.get("/owner").await.body == "anna").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pgbouncer_that_is_killed_under_load_costs_no_acknowledged_write() {
    let Some(server) = Server::pgbouncer() else { return };
    interrupted(server, |server| bouncer(server).kill(), |server| bouncer(server).start_again()).await;
}

fn bouncer(server: &mut Server) -> &mut PgBouncer {
    match server {
        Server::Pooled(bouncer, _) => bouncer,
        server => panic!("{server:?} is none"),
    }
}
