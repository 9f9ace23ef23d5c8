//! `coatroom stores check`: what is in a store, and whether it is safe there.

use coatroom_testbed::{Program, Redis, RedisOptions, shared};
use rustix::process::Signal;

use crate::process::{Server, coatroom};

fn check(store: &str) -> (Option<i32>, String, String) {
    let output = coatroom(&["stores", "check", store]).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_sound_store_is_described() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::in_files(directory.path());
    server.client().post("/visits");
    assert!(server.stop(Signal::TERM).0.success());
    let (status, said, _) = check(&format!("embedded:{}", directory.path().display()));
    assert_eq!(status, Some(0), "{said}");
    for words in ["embedded store, format 1", "live sessions    1", "size", "kill -9 nothing"] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn a_store_that_endangers_sessions_fails_the_check() {
    let (status, said, error) = check("memory:");
    assert_eq!(status, Some(1));
    assert!(said.contains("DANGER") && said.contains("sessions end with the process"), "{said}");
    assert!(error.contains("1 of the settings of memory:"), "{error}");
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let (status, _, error) = check(&format!("embedded:{}", missing.display()));
    assert_eq!(status, Some(2));
    assert!(error.contains("there is no directory") && !missing.exists(), "{error}");
}

#[test]
fn a_redis_that_keeps_everything_is_sound_and_another_is_not() {
    if !Program::Redis.is_installed() {
        return;
    }
    let sound = Redis::start(RedisOptions::new().durable());
    let (status, said, _) = check(&sound.url());
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("kept by          Redis") && said.contains("appendfsync always"), "{said}");

    let evicting = RedisOptions::new().set("maxmemory", "64mb").set("maxmemory-policy", "allkeys-lru");
    let (status, said, error) = check(&Redis::start(evicting).url());
    assert_eq!(status, Some(1));
    assert!(said.contains("maxmemory-policy is allkeys-lru") && said.contains("appendonly is no"), "{said}");
    assert!(error.contains("2 of the settings"), "{error}");
}

#[test]
fn a_database_is_described_without_its_password() {
    let Some(url) = shared::postgres_url() else { return };
    let (_, said, error) = check(&format!("{url}?schema=check_{}", std::process::id()));
    assert!(said.contains("kept by          PostgreSQL") && said.contains("live sessions    0"), "{said}");
    assert!(said.contains(":***@") && !said.contains("ticket") && !error.contains("ticket"), "{said}{error}");
}

#[test]
fn the_sql_of_a_store_is_printed_for_who_may_run_it() {
    let output = coatroom(&["stores", "sql", "postgres://shop@nowhere/db?schema=visits"]).output().unwrap();
    let sql = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(
        sql.contains("CREATE TABLE IF NOT EXISTS \"visits\".records") && sql.contains("\"shop\""),
        "{sql}"
    );
}
