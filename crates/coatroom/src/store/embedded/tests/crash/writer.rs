//! A process that writes to a store, says what it does, and is ended in the middle of it.
//!
//! It is this test binary again, running the one test that is ignored otherwise. Each line of its
//! says one thing: `try NUMBER REVISION` (revision 0 ends the session), `done NUMBER`, `flush`,
//! `flushed`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;

use super::super::*;

const NAME: &str = concat!(module_path!(), "::this_process_is_ended");
const PLACE: &str = "COATROOM_TEST_PLACE";
const DURABILITY: &str = "COATROOM_TEST_DURABILITY";
const ROUND: &str = "COATROOM_TEST_ROUND";
const THREADS: u64 = 4;
const SESSIONS: u64 = 40;

/// A process of its own that runs an ignored test of this binary, and what it says.
pub(super) struct Process {
    pub(super) child: Child,
    said: Receiver<String>,
}

impl Process {
    pub(super) fn start(test: &str, settings: &[(&str, String)]) -> Self {
        let (_, test) = test.split_once("::").unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (say, said) = std::sync::mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // What the test runner says itself has no such mark.
                if let Some((_, line)) = line.split_once('@') {
                    let _ = say.send(line.to_owned());
                }
            }
        });
        Self { child, said }
    }

    pub(super) fn next(&self) -> Option<String> {
        self.said.recv().ok()
    }

    /// What was said and not asked for yet.
    pub(super) fn said_so_far(&self) -> impl Iterator<Item = String> {
        self.said.try_iter()
    }

    /// What an ended process has said before.
    pub(super) fn rest(&self) -> impl Iterator<Item = String> {
        self.said.iter()
    }

    pub(super) fn end(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

pub(super) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "@{line}").and_then(|()| out.flush());
}

pub(super) fn start(path: &Path, durability: Durability, round: u64) -> Process {
    let place = path.display().to_string();
    Process::start(
        NAME,
        &[
            (PLACE, place),
            (DURABILITY, if durability == Durability::EveryCommit { "every" } else { "interval" }.into()),
            (ROUND, round.to_string()),
        ],
    )
}

/// The record of a session at a revision: its size and every byte follow from the two.
pub(super) fn state(number: u64, revision: u64) -> Record {
    let bytes = (revision * 37 + number * 101) % 3_000;
    let name = format!("principal {}", revision % 3);
    record_of(number, revision, bytes as usize, Some(&name))
}

#[test]
#[ignore = "the process that tests of power cuts start and end"]
fn this_process_is_ended() {
    let Some(path) = std::env::var_os(PLACE) else { return };
    let every = std::env::var(DURABILITY).unwrap() == "every";
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let often = Durability::Interval(Duration::from_millis(30));
    let durability = if every { Durability::EveryCommit } else { often };
    let store =
        EmbeddedStore::builder(path).durability(durability).max_journal_bytes(1 << 20).open().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || write(store, thread, round * 1_000_000, !every && thread == 0));
        }
    });
}

/// Until something fails.
fn write(store: &EmbeddedStore, thread: u64, from: u64, flushes: bool) {
    let mut known = BTreeMap::new();
    for step in 1.. {
        let number = thread * 1_000 + step * 7 % SESSIONS;
        let before = *known.entry(number).or_insert_with(|| revision_of(store, number));
        let ends = step % 11 == 0 && before.is_some();
        let revision = before.unwrap_or(0).max(from) + 1;
        say(&format!("try {number} {}", if ends { 0 } else { revision }));
        let done = match before {
            Some(_) if ends => result(store.remove(&key(number), START)).map(|ended| ended.is_some()),
            Some(before) => result(store.commit(before, state(number, revision), START))
                .map(|commit| matches!(commit, Commit::Landed(_))),
            None => result(store.create(state(number, revision), START))
                .map(|created| matches!(created, Creation::Created(_))),
        };
        match done {
            Ok(true) => say(&format!("done {number}")),
            Ok(false) => panic!("session {number} is not as it was left"),
            Err(_) => return,
        }
        known.insert(number, (!ends).then_some(revision));
        if flushes && step % 50 == 0 {
            say("flush");
            if result(store.flush()).is_err() {
                return;
            }
            say("flushed");
        }
    }
}
