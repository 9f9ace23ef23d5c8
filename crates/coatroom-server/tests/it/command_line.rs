//! The program as a command: what it says, when it refuses, how it ends.

use std::process::Output;

use rustix::process::Signal;
use serde_json::json;

use crate::process::{Server, coatroom, demo};

fn refused(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn help_names_every_option_with_its_default() {
    let output = coatroom(&["demo", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for words in [
        "--listen <HOST:PORT>",
        "[default: 127.0.0.1:8080]",
        "--store <STORE>",
        "[default: embedded:./coatroom-data]",
        "--idle-timeout <DURATION>",
        "[default: 20m]",
        "--lifetime <DURATION>",
        "[default: 12h]",
        "--durability <WHEN>",
        "every-commit",
        "--lab",
        "alice / wonderland",
    ] {
        assert!(help.contains(words), "{words}\n{help}");
    }
}

#[test]
fn the_version_is_that_of_the_program_by_its_own_name() {
    let output = coatroom(&["--version"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, format!("coatroom {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_fits_a_terminal() {
    let commands: [&[&str]; 6] =
        [&[], &["demo"], &["copy"], &["stores"], &["stores", "check"], &["stores", "sql"]];
    for command in commands {
        for (columns, help, widest) in [("80", "--help", 80), ("80", "-h", 80), ("200", "--help", 96)] {
            let output = coatroom(&[command, &[help]].concat()).env("COLUMNS", columns).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.lines().count() > 5, "{command:?}: {said}");
            for line in said.lines() {
                assert!(line.chars().count() <= widest, "{command:?} {help}: {line}");
            }
        }
    }
}

#[test]
fn misuse_is_told_what_is_taken_instead() {
    for (options, advice) in [
        (["--listen", "0.0.0.0:8080"], "loopback only"),
        (["--listen", "8080"], "127.0.0.1:8080"),
        (["--store", "mysql://x"], "embedded:DIRECTORY"),
        (["--store", "embedded:data?durabilty=every-commit"], "?durability=every-commit"),
        (["--store", "redis://x?evict=1"], "max_in_flight"),
        (["--store", "postgres://x/y?evict=1"], "pool_size"),
        (["--idle-timeout", "20"], "90s, 20m, 12h or 7d"),
        (["--idle-timeout", "-1m"], "90s, 20m, 12h or 7d"),
        (["--lifetime", "0s"], "1s to 3650d"),
        (["--durability", "never"], "every-commit"),
        (["--store=memory:", "--durability=interval"], "--store embedded:DIRECTORY"),
        (["--store=redis://x", "--durability=interval"], "--store embedded:DIRECTORY"),
    ] {
        let said = refused(&demo(&options).output().unwrap(), 2);
        assert!(said.contains(advice), "{options:?}: {said}");
    }
}

#[test]
fn a_taken_port_is_an_error_of_one_line() {
    let server = Server::in_memory();
    let output = demo(&["--listen", &server.address, "--store", "memory:"]).output().unwrap();
    let said = refused(&output, 1);
    assert!(said.contains(&server.address) && said.contains("--listen"), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn a_held_directory_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let _server = Server::in_files(directory.path());
    let store = format!("embedded:{}", directory.path().display());
    let said = refused(&demo(&["--listen", "127.0.0.1:0", "--store", &store]).output().unwrap(), 1);
    assert!(said.contains(&directory.path().display().to_string()), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_that_names_it_and_the_remedy() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below_a_file = file.path().join("data").display().to_string();
    let source = tempfile::tempdir().unwrap();
    assert!(Server::in_files(source.path()).stop(Signal::TERM).0.success());
    let source = format!("embedded:{}", source.path().display());
    for (directory, remedy) in [("/proc/nope", "use another directory"), (&below_a_file, "name a directory")]
    {
        let store = format!("embedded:{directory}");
        let commands = [
            demo(&["--listen", "127.0.0.1:0", "--store", &store]),
            coatroom(&["copy", "--from", &source, "--to", &store]),
        ];
        for mut command in commands {
            let said = refused(&command.output().unwrap(), 1);
            assert!(said.contains(directory) && said.contains(remedy), "{said}");
            assert_eq!(said.lines().count(), 1);
        }
    }
}

#[test]
fn a_directory_without_a_store_is_neither_read_nor_filled() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("letter.txt"), "dear").unwrap();
    let store = format!("embedded:{}", directory.path().display());
    for command in [&["stores", "check", &store][..], &["copy", "--from", &store, "--to", "redis://x"]] {
        let said = refused(&coatroom(command).output().unwrap(), 2);
        assert!(said.contains("no store in") && said.contains("name one that holds"), "{said}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn nothing_is_copied_to_or_from_the_memory_of_the_copying_process() {
    let directory = tempfile::tempdir().unwrap();
    assert!(Server::in_files(directory.path()).stop(Signal::TERM).0.success());
    let store = format!("embedded:{}", directory.path().display());
    for (from, to) in [("memory:", &*store), (&*store, "memory:")] {
        let said = refused(&coatroom(&["copy", "--from", from, "--to", to]).output().unwrap(), 2);
        assert!(said.contains("memory: ends with this process"), "{said}");
    }
}

#[test]
fn a_signal_closes_the_shop_cleanly_and_sessions_are_there_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut visitor = None;
    for (turn, signal) in [Signal::TERM, Signal::INT].into_iter().enumerate() {
        let server = Server::in_files(directory.path());
        let mut client = server.client();
        client.cookie = visitor;
        if turn == 0 {
            client.form("/cart", "sku=scarf&quantity=1");
            client.login("alice", "wonderland");
        }
        let session = client.session();
        assert_eq!(session["cart"], json!([{ "sku": "scarf", "quantity": 1 }]));
        assert_eq!(session["user"], "alice");
        visitor = client.cookie;
        let (status, said) = server.stop(signal);
        assert!(status.success() && said.is_empty(), "{status}: {said}");
    }
}

#[test]
fn a_request_under_way_is_answered_before_the_shop_closes() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.post("/visits");
    let held = visitor.clone();
    let answer = std::thread::spawn(move || held.try_send("POST", "/visits?hold_ms=700", &[], ""));
    // The update is immediate: once it is seen, the request waits for its answer.
    while visitor.session()["visits"] != 2 {}
    let (status, _) = server.stop(Signal::TERM);
    assert!(status.success());
    assert_eq!(answer.join().unwrap().unwrap().json(), json!({ "visits": 2 }));
}

#[test]
fn the_limits_are_those_of_the_command_line() {
    let server = Server::start(&["--store", "memory:", "--idle-timeout", "90s", "--lifetime", "7d"]);
    let mut visitor = server.client();
    visitor.post("/visits");
    let session = visitor.session();
    let time = |name: &str| session[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(time("idle_deadline").duration_since(time("last_accessed")).as_secs(), 90);
    assert_eq!(time("deadline").duration_since(time("created")).as_secs(), 7 * 86_400);
}
