use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Cut;
use super::counts::{Counts, Way};

/// What the threads of a proxy share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) upstream: String,
    pub(super) port: u16,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) holds_commands: bool,
    pub(super) holds_answers: bool,
    pub(super) delay: Duration,
    pub(super) cut: Option<Cut>,
    pub(super) refuses: bool,
    pub(super) is_listening: bool,
    pub(super) ended: bool,
    /// Both ends of each connection that stands, by its place in `counts`.
    pub(super) open: HashMap<usize, [TcpStream; 2]>,
    pub(super) most_open: usize,
    pub(super) counts: Vec<Counts>,
}

impl Shared {
    pub(super) fn new(upstream: &str, port: u16) -> Self {
        let state = State { is_listening: true, ..State::default() };
        Self { upstream: upstream.to_owned(), port, state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) fn look<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        changed
    }

    /// Waits until `condition` holds.
    pub(super) fn wait(&self, mut condition: impl FnMut(&State) -> bool) {
        drop(self.changed.wait_while(self.lock(), |state| !condition(state)));
    }

    /// Waits until bytes of this connection may pass and takes them down; how many of them may, or
    /// `None` where the connection is closed, or `is_gone` says that whoever sent them is.
    pub(super) fn admit(
        &self,
        connection: usize,
        way: Way,
        bytes: usize,
        is_gone: impl Fn() -> bool,
    ) -> Option<usize> {
        const LOOK: Duration = Duration::from_millis(20);
        let waits = |state: &mut State| state.open.contains_key(&connection) && state.holds(way);
        let mut state = loop {
            let held = self.changed.wait_timeout_while(self.lock(), LOOK, waits);
            let (state, waited) = held.unwrap_or_else(PoisonError::into_inner);
            if !waited.timed_out() {
                break state;
            }
            drop(state);
            if is_gone() {
                return None;
            }
        };
        if !state.open.contains_key(&connection) {
            return None;
        }
        let passing = state.up_to_cut(way, bytes);
        state.counts[connection].add(way, passing);
        Some(passing)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Its place in the counts, or `None` for a client that was accepted while the proxy ended.
    pub(super) fn open(&mut self, ends: [TcpStream; 2]) -> Option<usize> {
        if self.ended {
            return None;
        }
        let place = self.counts.len();
        self.counts.push(Counts::default());
        self.open.insert(place, ends);
        self.most_open = self.most_open.max(self.open.len());
        Some(place)
    }

    pub(super) fn close(&mut self, connection: usize) {
        for end in self.open.remove(&connection).into_iter().flatten() {
            // It may be closed by the other side already.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn close_all(&mut self) {
        let all: Vec<usize> = self.open.keys().copied().collect();
        all.into_iter().for_each(|connection| self.close(connection));
    }

    pub(super) fn pass(&mut self) {
        (self.holds_commands, self.holds_answers, self.refuses) = (false, false, false);
        self.delay = Duration::ZERO;
        self.cut = None;
    }

    fn holds(&self, way: Way) -> bool {
        match way {
            Way::Command => self.holds_commands,
            Way::Answer => self.holds_answers,
        }
    }

    /// How many of these bytes may pass; fewer than all where the cut falls there.
    fn up_to_cut(&mut self, way: Way, bytes: usize) -> usize {
        let left = match (self.cut.as_mut(), way) {
            (Some(Cut::Command(left)), Way::Command) | (Some(Cut::Answer(left)), Way::Answer) => left,
            _ => return bytes,
        };
        if *left >= bytes {
            *left -= bytes;
            return bytes;
        }
        let passing = *left;
        self.cut = None;
        passing
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_client_that_was_accepted_while_the_proxy_ended_is_not_let_in() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let end = || TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut state = State::default();
        assert_eq!(state.open([end(), end()]), Some(0));
        state.ended = true;
        assert_eq!(state.open([end(), end()]), None);
    }
}
