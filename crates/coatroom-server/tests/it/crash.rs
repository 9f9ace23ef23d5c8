//! What a killed process leaves behind.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;

use crate::client::Client;
use crate::process::Server;

/// Writers fill a session with notes until the server is killed under them. Whatever was answered
/// with 204 must be there when it is opened again.
#[test]
fn whatever_was_acknowledged_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept: Vec<(Option<String>, Vec<String>)> = Vec::new();
    for round in 0..12_u64 {
        let server = Server::in_files(directory.path());
        for (cookie, notes) in &kept {
            assert_kept(server.client(), cookie.clone(), notes);
        }
        let visitors: Vec<_> = (0..4).map(|_| server.client()).map(begun).collect();
        let killing = AtomicBool::new(false);
        kept.extend(std::thread::scope(|scope| {
            let write = |visitor| scope.spawn(|| write_until(&killing, visitor));
            let writers: Vec<_> = visitors.into_iter().map(write).collect();
            // When the kill comes is left to chance; that it comes is what is tested.
            std::thread::sleep(std::time::Duration::from_millis(20 + 35 * (round % 5)));
            killing.store(true, Ordering::SeqCst);
            server.stop(Signal::KILL);
            writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
        }));
    }
    let all: usize = kept.iter().map(|(_, notes)| notes.len()).sum();
    assert!(all > 100, "{all} notes are too few to say anything");
}

/// A visitor with a session.
fn begun(mut visitor: Client) -> Client {
    assert_eq!(visitor.post("/visits").status, 200);
    visitor
}

/// The session's cookie and the names of its acknowledged notes.
fn write_until(killing: &AtomicBool, visitor: Client) -> (Option<String>, Vec<String>) {
    let mut acknowledged = Vec::new();
    // No more than fit a session.
    for number in 0..900 {
        let name = number.to_string();
        match visitor.try_send("PUT", &format!("/notes/{name}"), &[], "1") {
            Ok(answer) => {
                assert_eq!(answer.status, 204, "{answer:?}");
                acknowledged.push(name);
            }
            Err(_) if killing.load(Ordering::SeqCst) => break,
            Err(error) => panic!("the server hung up: {error}"),
        }
    }
    (visitor.cookie, acknowledged)
}

fn assert_kept(mut client: Client, cookie: Option<String>, notes: &[String]) {
    client.cookie = cookie;
    let session = client.session();
    assert_eq!(session["visits"], 1);
    for note in notes {
        assert_eq!(session["notes"][note], "1", "note {note} of {} was acknowledged", notes.len());
    }
}
