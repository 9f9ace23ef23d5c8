mod counts;
mod listening;
mod relay;
mod state;

use std::sync::Arc;
use std::time::Duration;

use self::state::{Shared, State};

/// A proxy in front of a server that speaks TCP: counts what passes, and disturbs it when told.
///
/// Everything that is told holds at once, for connections that stand and for later ones.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
}

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cut {
    /// When this many more bytes of the answers have passed on it.
    Answer(usize),
    /// When this many more bytes of the commands have passed on it.
    Command(usize),
}

impl Proxy {
    /// A proxy on a free port, in front of the server at `upstream`, a host and port.
    #[must_use]
    pub fn start(upstream: &str) -> Self {
        let (listener, port) = listening::bind_free();
        let shared = Arc::new(Shared::new(upstream, port));
        listening::spawn(listener, Arc::clone(&shared));
        Self { shared }
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.shared.port)
    }

    /// The URL of the server, led through here.
    #[must_use]
    pub fn url(&self, server: &str) -> String {
        let through = server.replace(&self.shared.upstream, &self.address());
        assert_ne!(through, server, "the URL names {}", self.shared.upstream);
        through
    }

    /// How often a client has spoken: at first, and again after it was answered. On one connection
    /// without pipelining that is the number of round trips.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.shared.look(|state| state.counts.iter().map(|count| count.trips).sum())
    }

    /// The same for each connection there ever was, in the order they came.
    #[must_use]
    pub fn round_trips_of_each(&self) -> Vec<u64> {
        self.shared.look(|state| state.counts.iter().map(|count| count.trips).collect())
    }

    /// The bytes of all commands.
    #[must_use]
    pub fn command_bytes(&self) -> u64 {
        self.shared.look(|state| state.counts.iter().map(|count| count.command_bytes).sum())
    }

    /// The bytes of all answers.
    #[must_use]
    pub fn answer_bytes(&self) -> u64 {
        self.shared.look(|state| state.counts.iter().map(|count| count.answer_bytes).sum())
    }

    /// How many connections there ever were.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.look(|state| state.counts.len())
    }

    /// How many connections stand.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.look(|state| state.open.len())
    }

    /// The most connections that ever stood at once.
    #[must_use]
    pub fn most_connections(&self) -> usize {
        self.shared.look(|state| state.most_open)
    }

    /// Keeps answers back until [`pass`](Self::pass): the server has done the work, and nobody hears.
    pub fn hold_answers(&self) {
        self.tell(|state| state.holds_answers = true);
    }

    /// Keeps everything back until [`pass`](Self::pass), as a network that loses all packets.
    pub fn black_hole(&self) {
        self.tell(|state| (state.holds_commands, state.holds_answers) = (true, true));
    }

    /// Brings each answer this much later, one after the other: a slow server.
    pub fn delay_answers(&self, by: Duration) {
        self.tell(|state| state.delay = by);
    }

    /// Refuses new connections until [`pass`](Self::pass), as a port where nobody listens.
    pub fn refuse(&self) {
        self.tell(|state| state.refuses = true);
        listening::wake(&self.shared);
    }

    /// Cuts the next connection that comes to this point, both ways, and only that one.
    pub fn cut_next(&self, cut: Cut) {
        self.tell(|state| state.cut = Some(cut));
    }

    /// Whether a cut that was told is still to come.
    #[must_use]
    pub fn is_cut_pending(&self) -> bool {
        self.shared.look(|state| state.cut.is_some())
    }

    /// Cuts every connection that stands, now.
    pub fn cut_all(&self) {
        self.tell(State::close_all);
    }

    /// Lets everything pass again, and brings what was kept back.
    pub fn pass(&self) {
        self.tell(State::pass);
        listening::wait_until_listening(&self.shared);
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        self.shared.change(change);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.tell(|state| {
            state.ended = true;
            state.close_all();
        });
        listening::wake(&self.shared);
    }
}
