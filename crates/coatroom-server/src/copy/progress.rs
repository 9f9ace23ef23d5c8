//! How far the copying is: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

/// Sessions between two lines where there is no terminal.
const LINE_EVERY: u64 = 100_000;

#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    is_terminal: bool,
    done: AtomicU64,
}

impl Progress {
    pub(super) fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let style = "{wide_bar} {human_pos} of {human_len} sessions, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self { bar, is_terminal, done: AtomicU64::new(0) }
    }

    /// That there are so many to copy in all.
    pub(super) fn expect(&self, sessions: u64) {
        self.bar.set_length(sessions);
    }

    /// That one more is dealt with.
    pub(super) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.bar.set_position(done);
        if !self.is_terminal && done.is_multiple_of(LINE_EVERY) {
            tell(&format!("{done} of {} sessions", self.bar.length().unwrap_or(done)));
        }
    }

    /// Takes the bar away; how many were dealt with.
    pub(super) fn finish(&self) -> u64 {
        self.bar.finish_and_clear();
        self.done.load(Ordering::Relaxed)
    }
}

fn tell(line: &str) {
    use std::io::Write;
    // Nobody is left to tell if that fails.
    let _ = writeln!(std::io::stderr(), "{line}");
}
