//! A server that cannot keep sessions says so when the store is opened.

use std::error::Error;

use coatroom_testbed::{Postgres, PostgresOptions, Program, Redis, RedisOptions};

use crate::support::{open, try_open};

/// The whole message of opening `url`, which must fail.
pub async fn refusal(url: &str) -> String {
    let error = try_open(url).await.expect_err("the store opens");
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    for secret in ["s3cret", "w0rd"] {
        assert!(!said.contains(secret), "{said}");
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
    said
}

#[tokio::test]
async fn a_redis_that_refuses_the_password_says_so() {
    if !Program::Redis.is_installed() {
        return;
    }
    let user = "shop on >s3cret ~* &* +@all";
    let redis = Redis::start(RedisOptions::new().set("requirepass", "s3cret").set("user", user));
    let wrong = [redis.url_as("", "w0rd"), redis.url_as("shop", "w0rd"), redis.url_as("nobody", "w0rd")];
    for url in &wrong {
        assert!(refusal(url).await.contains("check the user and password in the URL"), "{url}");
    }
    assert!(refusal(&format!("redis://{}", redis.address())).await.contains("password"));
    open(&redis.url()).await.check().await.unwrap();
    open(&redis.url_as("shop", "s3cret")).await.check().await.unwrap();
}

#[tokio::test]
async fn a_redis_without_that_database_says_so() {
    if !Program::Redis.is_installed() {
        return;
    }
    let redis = Redis::start(RedisOptions::new());
    assert!(refusal(&format!("{}/99", redis.url())).await.contains("there is no database \"99\""));
    open(&format!("{}/15", redis.url())).await.check().await.unwrap();
}

#[tokio::test]
async fn a_postgres_that_refuses_the_password_says_so() {
    if !Program::Postgres.is_installed() {
        return;
    }
    let postgres = Postgres::start(PostgresOptions::new().fast());
    for (user, password) in [("coatroom", "w0rd"), ("nobody", "w0rd")] {
        let said = refusal(&postgres.url_as(user, password, "coatroom")).await;
        assert!(said.contains("check the user and password in the URL"), "{said}");
    }
}

#[tokio::test]
async fn a_postgres_without_that_database_says_so() {
    if !Program::Postgres.is_installed() {
        return;
    }
    let postgres = Postgres::start(PostgresOptions::new().fast());
    let said = refusal(&postgres.url_as("coatroom", "ticket", "nowhere")).await;
    assert!(said.contains("there is no database \"nowhere\""), "{said}");
}

#[tokio::test]
async fn nobody_who_answers_is_said_so() {
    for url in ["redis://:s3cret@127.0.0.1:1", "postgres://shop:s3cret@127.0.0.1:1/shop"] {
        let said = refusal(url).await;
        assert!(said.contains("127.0.0.1:1") && said.contains("cannot be reached"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_postgres_with_the_tables_of_a_newer_version_says_so() {
    if !Program::Postgres.is_installed() {
        return;
    }
    let postgres = Postgres::start(PostgresOptions::new().fast());
    open(&postgres.url()).await.check().await.unwrap();
    postgres.sql("INSERT INTO coatroom.migrations (version) VALUES (999)");
    let said = refusal(&postgres.url()).await;
    assert!(said.contains("it has format 999"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_open_an_empty_postgres_at_once_all_find_their_tables() {
    if !Program::Postgres.is_installed() {
        return;
    }
    let postgres = Postgres::start(PostgresOptions::new().fast());
    let nodes: Vec<_> =
        (0..8).map(|_| postgres.url()).map(|url| tokio::spawn(async move { open(&url).await })).collect();
    for node in nodes {
        node.await.unwrap().check().await.unwrap();
    }
}
