//! `coatroom stores check`: what is in a store, and whether it is safe there.

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
