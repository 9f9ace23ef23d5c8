//! No server outlives its owner.

use std::fs::Permissions;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use coatroom_testbed::{Program, wait_until};
use rustix::process::{Pid, Signal, kill_process};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn servers_and_their_files_go_with_an_owner_that_is_killed() {
    for (kind, program) in [("redis", Program::Redis), ("postgres", Program::Postgres)] {
        if !program.is_installed() {
            continue;
        }
        let place = tempfile::tempdir().unwrap();
        let (mut testbed, url) = started(kind, place.path(), "read -r _");
        let address = address(&url);
        assert!(TcpStream::connect(&address).is_ok(), "{url}");
        testbed.kill().unwrap();
        testbed.wait().unwrap();
        wait_until("the server is gone", SOON, || TcpStream::connect(&address).is_err());
        let is_empty = || std::fs::read_dir(place.path().join("files")).unwrap().count() == 0;
        wait_until("its files are gone", SOON, is_empty);
    }
}

#[test]
fn a_testbed_that_is_asked_to_end_stops_its_command_and_its_servers() {
    if !Program::Redis.is_installed() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (mut testbed, url) = started("redis", place.path(), "exec cat");
    // Waiting would close it, and end the command so.
    let _input = testbed.stdin.take();
    kill_process(Pid::from_child(&testbed), Signal::TERM).unwrap();
    assert_eq!(testbed.wait().unwrap().code(), Some(128 + 15));
    assert!(TcpStream::connect(address(&url)).is_err());
}

#[test]
fn a_testbed_ends_as_its_command_does() {
    if !Program::Redis.is_installed() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (mut testbed, url) = started("redis", place.path(), "exit 7");
    assert_eq!(testbed.wait().unwrap().code(), Some(7));
    assert!(TcpStream::connect(address(&url)).is_err());
}

/// `testbed run` with one kind of server, and the URL that its command sees before it goes on with
/// `then`.
fn started(kind: &str, place: &Path, then: &str) -> (Child, String) {
    let (files, note) = (place.join("files"), place.join("url"));
    std::fs::create_dir(&files).unwrap();
    // As /tmp is: the account that servers run as has files of its own there.
    for path in [place, &files] {
        std::fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    }
    let variable = format!("COATROOM_TEST_{}_URL", kind.to_uppercase());
    let script = format!("echo ${variable} >{0}.new; mv {0}.new {0}; {then}", note.display());
    let testbed = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["run", "--only", kind, "--", "/bin/sh", "-c", &script])
        .env_remove(&variable)
        .env("TMPDIR", &files)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the command runs", SOON, || note.exists());
    (testbed, std::fs::read_to_string(note).unwrap().trim().to_owned())
}

fn address(url: &str) -> String {
    let host = url.rsplit(['@', '/']).find(|part| part.contains(':')).unwrap();
    host.to_owned()
}
