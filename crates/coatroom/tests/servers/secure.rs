//! Connections that nobody reads or fakes.

use std::path::Path;

use coatroom_testbed::{Certificates, Postgres, PostgresOptions, Program, Redis, RedisOptions};

use crate::refusal::refusal;
use crate::support::{Shop, open};

/// A visitor signs in over the store at `url`.
async fn assert_works(url: &str) {
    let shop = Shop::open(open(url).await).await;
    assert_eq!(shop.signed_in("anna").await.get("/owner").await.body, "anna");
}

/// The certificate of an authority that signed nothing here.
fn stranger(directory: &Path) -> String {
    Certificates::in_directory(directory).authority.display().to_string()
}

#[tokio::test]
async fn a_redis_under_tls_is_trusted_by_its_authority_alone() {
    if !Program::Redis.is_installed() {
        return;
    }
    let redis = Redis::start(RedisOptions::new().tls().set("requirepass", "s3cret"));
    let directory = tempfile::tempdir().unwrap();
    assert_works(&format!("{}?cacert={}", redis.url(), redis.authority().unwrap().display())).await;
    for url in [redis.url(), format!("{}?cacert={}", redis.url(), stranger(directory.path()))] {
        let said = refusal(&url).await;
        assert!(said.contains("certificate"), "{said}");
    }
    let said = refusal(&format!("{}?cacert={}", redis.url(), directory.path().join("none").display())).await;
    assert!(said.contains("/none cannot be read; name a PEM file with cacert="), "{said}");
}

#[tokio::test]
async fn a_redis_user_needs_no_more_than_a_store_uses() {
    if !Program::Redis.is_installed() {
        return;
    }
    let commands = "+@read +@write +@scripting +@connection +time +info +config|get -@dangerous";
    let user = format!("shop on >s3cret ~shop:* {commands}");
    let redis = Redis::start(RedisOptions::new().set("user", &user).set("user", "default off"));
    assert_works(&format!("{}?prefix=shop", redis.url_as("shop", "s3cret"))).await;
    let said = refusal(&format!("{}?prefix=other", redis.url_as("shop", "s3cret"))).await;
    assert!(said.contains("what the user may do"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_postgres_under_tls_is_trusted_by_its_authority_alone() {
    if !Program::Postgres.is_installed() {
        return;
    }
    let postgres = Postgres::start(PostgresOptions::new().fast().tls());
    let directory = tempfile::tempdir().unwrap();
    let authority = postgres.authority().unwrap().display().to_string();
    let url =
        |mode: &str, authority: &str| format!("{}?sslmode={mode}&sslrootcert={authority}", postgres.url());
    for mode in ["verify-full", "verify-ca", "require"] {
        assert_works(&url(mode, &authority)).await;
    }
    let on = "SELECT count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = 'coatroom'";
    let store = open(&url("verify-full", &authority)).await;
    assert_eq!(postgres.sql(on), "t");
    drop(store);
    for url in [url("verify-full", "system"), url("verify-full", &stranger(directory.path()))] {
        let said = refusal(&url).await;
        assert!(said.contains("certificate"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_postgres_without_tls_is_refused_where_it_is_required() {
    if !Program::Postgres.is_installed() {
        return;
    }
    let postgres = Postgres::start(PostgresOptions::new().fast());
    let said = refusal(&format!("{}?sslmode=require", postgres.url())).await;
    assert!(said.contains("TLS") || said.contains("encrypt"), "{said}");
    assert_works(&postgres.url()).await;
}
