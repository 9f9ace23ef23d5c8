//! A primary of a Cluster is killed, and its replica takes over.

use coatroom_testbed::{Program, RedisCluster, RedisOptions};

use crate::support::{Load, Shop, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_takes_over_from_a_primary_that_is_killed_under_load() {
    if !Program::Redis.is_installed() {
        return;
    }
    let start = || RedisCluster::start_with_replicas(RedisOptions::new());
    let mut cluster = tokio::task::block_in_place(start);
    let shop = Shop::open(open(&cluster.url()).await).await;
    let load = Load::start(&shop, 32).await;
    load.until_all_write(3).await;
    // Replicas are told after the answer, so what is acknowledged in the moment of a kill may be
    // lost; here all is told.
    let writers = load.stop().await;
    tokio::task::block_in_place(|| cluster.wait_until_replicated());
    tokio::task::block_in_place(|| cluster.primaries()[0].kill());
    let load = Load::go_on(writers);
    load.until_one_is_refused().await;
    load.until_all_write(3).await;
    for mut writer in load.stop().await {
        writer.assert_nothing_lost().await;
    }
    shop.sessions.check().await.unwrap();
}
