//! A server that has no room left: writes fail and say so, reads and logout go on.

use coatroom::StoreError;
use coatroom_testbed::{Postgres, PostgresOptions, Program, Redis, RedisOptions, Tmpfs};

use crate::support::{Browser, Shop, open, until};

/// Fills the store with sessions of 64 KiB until one is refused; how many were kept.
async fn fill(shop: &Shop) -> u64 {
    let ballast = "x".repeat(64 * 1024);
    for number in 0..10_000 {
        let mut visitor = shop.browser();
        let answer = visitor.send("POST", "/ballast", &ballast).await;
        if answer.status != 204 {
            assert!(answer.is_try_again(), "{answer:?}");
            assert!(number > 5, "only {number} sessions fit");
            return number;
        }
    }
    panic!("there is always room");
}

/// What the library says of a write.
async fn refusal(shop: &Shop) -> StoreError {
    let session = shop.sessions.create().unwrap().1;
    session.set(coatroom::Slot::new("ballast"), &"x".repeat(64 * 1024)).unwrap();
    match shop.sessions.commit(&session).await {
        Err(coatroom::SessionError::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// One who is signed in can read and sign out.
async fn assert_served(anna: &mut Browser, bob: &mut Browser) {
    for (visitor, name) in [(&mut *anna, "anna"), (&mut *bob, "bob")] {
        let answer = visitor.get("/owner").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, name));
    }
    assert_eq!(bob.post("/logout").await.status, 204);
    assert_eq!(bob.get("/owner").await.body, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_at_its_maxmemory_still_reads_and_signs_out() {
    if !Program::Redis.is_installed() {
        return;
    }
    let redis = Redis::start(RedisOptions::new().set("maxmemory", "8mb"));
    let shop = Shop::open(open(&redis.url()).await).await;
    let (mut anna, mut bob) = (shop.signed_in("anna").await, shop.signed_in("bob").await);
    fill(&shop).await;
    let error = refusal(&shop).await;
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("maxmemory"), "{error}");
    assert_served(&mut anna, &mut bob).await;
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(anna.post("/list/1").await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_whose_disk_is_full_still_reads() {
    if !Program::Redis.is_installed() {
        return;
    }
    let Some(disk) = Tmpfs::mount(8 << 20) else { return };
    let options = RedisOptions::new().set("appendonly", "yes").set("appendfsync", "everysec");
    // Rewriting the file would need room too.
    let options = options.set("auto-aof-rewrite-percentage", "0").data_in(disk.path());
    let redis = Redis::start(options);
    let shop = Shop::open(open(&redis.url()).await).await;
    let mut anna = shop.signed_in("anna").await;
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 4 << 20]).unwrap();
    fill(&shop).await;
    let error = refusal(&shop).await;
    assert!(error.to_string().contains("make room on its disk"), "{error:?}");
    assert_eq!(anna.get("/owner").await.body, "anna");
    std::fs::remove_file(ballast).unwrap();
    // Redis looks for room once a second.
    until("there is room again", async || anna.post("/list/1").await.status == 204).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_postgres_whose_disk_is_full_still_reads_and_signs_out() {
    if !Program::Postgres.is_installed() {
        return;
    }
    let Some(disk) = Tmpfs::mount(8 << 20) else { return };
    let postgres = Postgres::start(PostgresOptions::new().fast());
    postgres.keep_tables_in(disk.path());
    let shop = Shop::open(open(&postgres.url()).await).await;
    let (mut anna, mut bob) = (shop.signed_in("anna").await, shop.signed_in("bob").await);
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    fill(&shop).await;
    let error = refusal(&shop).await;
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert_served(&mut anna, &mut bob).await;
    std::fs::remove_file(ballast).unwrap();
    assert_eq!(anna.post("/list/1").await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_postgres_without_room_for_its_log_loses_nothing_it_has_acknowledged() {
    if !Program::Postgres.is_installed() {
        return;
    }
    let Some(disk) = Tmpfs::mount(112 << 20) else { return };
    let options = PostgresOptions::new().set("min_wal_size", "32MB").set("max_wal_size", "64MB");
    let mut postgres = Postgres::start(options.data_in(disk.path()));
    let shop = Shop::open(open(&postgres.url()).await).await;
    let mut anna = shop.signed_in("anna").await;
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 8 << 20]).unwrap();
    let kept = fill(&shop).await;
    std::fs::remove_file(ballast).unwrap();
    // PostgreSQL gives up where it cannot write its log, and whoever made room starts it again.
    tokio::task::block_in_place(|| {
        postgres.kill();
        postgres.start_again();
    });
    until("anna is known again", async || anna.get("/owner").await.body == "anna").await;
    assert_eq!(anna.post("/list/1").await.status, 204);
    let there = shop.sessions.count().await.unwrap();
    // One whose answer was lost may be there as well.
    assert!((kept + 1..=kept + 2).contains(&there), "{there} of {kept} and one are there");
}
