//! `coatroom copy`: sessions move house with their ids.

use std::path::Path;
use std::process::Output;

use coatroom_testbed::shared;
use rustix::process::Signal;

use crate::client::Client;
use crate::process::{Server, coatroom};

/// Stops the shop and returns the visitor of its sessions with these visits.
fn sessions_in(directory: &Path, visits: u32) -> Vec<Client> {
    let server = Server::in_files(directory);
    let visitors = (0..3).map(|_| {
        let mut visitor = server.client();
        (0..visits).for_each(|_| drop(visitor.post("/visits")));
        visitor
    });
    let visitors = visitors.collect();
    assert!(server.stop(Signal::TERM).0.success());
    visitors
}

fn url(directory: &Path) -> String {
    format!("embedded:{}", directory.display())
}

fn copy(from: &Path, to: &Path) -> Output {
    copy_url(&url(from), &url(to))
}

fn copy_url(from: &str, to: &str) -> Output {
    coatroom(&["copy", "--from", from, "--to", to]).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn visitors_keep_their_sessions_when_the_store_is_copied() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let visitors = sessions_in(old.path(), 2);
    let first = said(&copy(old.path(), new.path()));
    assert!(first.starts_with("3 sessions copied, 0 were there already"), "{first}");
    assert!(first.contains("3 of 3 live sessions"), "{first}");

    let server = Server::in_files(new.path());
    for visitor in visitors {
        let mut moved = server.client();
        moved.cookie = visitor.cookie;
        assert_eq!(moved.session()["visits"], 2);
    }
}

#[test]
fn copying_again_adds_what_is_missing_and_leaves_what_is_newer() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let visitors = sessions_in(old.path(), 1);
    said(&copy(old.path(), new.path()));
    let server = Server::in_files(new.path());
    let mut moved = server.client();
    moved.cookie.clone_from(&visitors[0].cookie);
    moved.post("/visits");
    assert!(server.stop(Signal::TERM).0.success());
    sessions_in(old.path(), 1);

    let again = said(&copy(old.path(), new.path()));
    assert!(again.starts_with("3 sessions copied, 2 were there already, 1 differ there"), "{again}");
    let server = Server::in_files(new.path());
    moved = server.client();
    moved.cookie.clone_from(&visitors[0].cookie);
    assert_eq!(moved.session()["visits"], 2);
}

#[test]
fn a_store_in_use_elsewhere_is_an_error_of_one_line() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _server = Server::in_files(old.path());
    let output = copy(old.path(), new.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("another process") && said.lines().count() == 1, "{said}");
}

#[test]
fn sessions_move_from_files_to_servers_and_back() {
    let (Some(redis), Some(cluster), Some(postgres)) =
        (shared::redis_url(), shared::cluster_url(), shared::postgres_url())
    else {
        return;
    };
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // Parts of the servers that no other test looks at.
    let part = format!("copy_{}", std::process::id());
    let redis = format!("{redis}?prefix={part}");
    let cluster = format!("{cluster}?prefix={part}");
    let postgres = format!("{postgres}?schema={part}");
    let visitors = sessions_in(old.path(), 2);
    let places = [url(old.path()), redis, postgres, cluster, url(new.path())];
    for hop in places.windows(2) {
        let first = said(&copy_url(&hop[0], &hop[1]));
        assert!(first.starts_with("3 sessions copied, 0 were there already"), "{first}");
        let again = said(&copy_url(&hop[0], &hop[1]));
        assert!(again.starts_with("0 sessions copied, 3 were there already, 0 differ"), "{again}");
        assert!(again.contains("3 of 3 live sessions") && !again.contains("ticket"), "{again}");
    }
    let server = Server::in_files(new.path());
    for visitor in visitors {
        let mut moved = server.client();
        moved.cookie = visitor.cookie;
        assert_eq!(moved.session()["visits"], 2);
    }
}
