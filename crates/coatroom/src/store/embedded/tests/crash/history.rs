//! What was tried, what was promised, and whether the one that is found lies between.

use std::collections::BTreeMap;

use super::super::*;
use super::writer::state;

pub(super) struct History {
    every_commit: bool,
    sessions: BTreeMap<u64, Session>,
    /// What was promised by the flush that is under way, once it is done.
    flushing: BTreeMap<u64, usize>,
    pub(super) commits: u64,
}

/// The states that a session was in or may be in, oldest first. `None`: there is none.
#[derive(Default)]
struct Session {
    states: Vec<Option<u64>>,
    acknowledged: usize,
    promised: usize,
}

impl History {
    pub(super) fn new(durability: Durability) -> Self {
        let every_commit = durability == Durability::EveryCommit;
        Self { every_commit, sessions: BTreeMap::new(), flushing: BTreeMap::new(), commits: 0 }
    }

    pub(super) fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[0] {
            "try" => {
                let session = self
                    .sessions
                    .entry(number(1))
                    .or_insert_with(|| Session { states: vec![None], ..Session::default() });
                session.states.push(Some(number(2)).filter(|revision| *revision > 0));
            }
            "done" => {
                let session = self.sessions.get_mut(&number(1)).unwrap();
                session.acknowledged = session.states.len() - 1;
                if self.every_commit {
                    session.promised = session.acknowledged;
                }
                self.commits += 1;
            }
            "flush" => {
                let acknowledged = |(number, session): (&u64, &Session)| (*number, session.acknowledged);
                self.flushing = self.sessions.iter().map(acknowledged).collect();
            }
            "flushed" => {
                for (number, promised) in std::mem::take(&mut self.flushing) {
                    self.sessions.get_mut(&number).unwrap().promised = promised;
                }
            }
            other => panic!("{other}"),
        }
    }

    pub(super) fn take_all(&mut self, lines: impl Iterator<Item = String>) {
        lines.for_each(|line| self.take(&line));
    }

    /// What was said while the power went. Linux stops a file system in steps, and between two of
    /// them a sync can succeed of which the disk has nothing: what was tried counts, no promise does.
    pub(super) fn take_unsure(&mut self, lines: impl Iterator<Item = String>) {
        lines.filter(|line| line.starts_with("try")).for_each(|line| self.take(&line));
    }

    /// Every session is in a state no older than what was promised, whole, and so are the lists.
    pub(super) fn check(&mut self, store: &EmbeddedStore, round: u64) {
        self.flushing.clear();
        let mut owners: BTreeMap<u64, usize> = BTreeMap::new();
        let mut live = 0;
        for (number, session) in &mut self.sessions {
            let record = now(store.load(&key(*number), START));
            let found = record.as_ref().map(Record::revision);
            let allowed = &session.states[session.promised..];
            assert!(
                allowed.contains(&found),
                "round {round}: session {number} is at {found:?}, promised was {:?}, then came {:?}",
                allowed[0],
                &allowed[1..]
            );
            if let Some(record) = record {
                assert_eq!(record.bytes(), state(*number, record.revision()).bytes(), "a mix of states");
                *owners.entry(record.revision() % 3).or_default() += 1;
                live += 1;
            }
            *session = Session { states: vec![found], ..Session::default() };
        }
        assert_eq!(now(store.count(namespace(), START)), live as u64);
        for (owner, count) in owners {
            let found = now(store.of_principal(namespace(), &format!("principal {owner}"), START));
            assert_eq!(found.len(), count, "round {round}: sessions of a principal");
        }
        // Last, since what is claimed is not live any more.
        // Later each time, since the last lease has to be over.
        let late = START + IDLE + Duration::from_secs(30 * round);
        let due = now(store.claim_expired(namespace(), late, late, 10_000)).records;
        assert_eq!(due.len(), live, "round {round}: sessions that a sweep finds");
    }
}
