//! Everything that is traced, whatever its level.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Collects spans and events with all their fields, errors with all that they can be made to say.
#[derive(Clone, Default)]
pub struct Capture(Arc<Mutex<Vec<(Level, String)>>>);

impl Capture {
    /// Captures what this thread traces until the guard is dropped.
    pub fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        let capture = Self::default();
        let guard = tracing::subscriber::set_default(capture.clone());
        (capture, guard)
    }

    pub fn lines(&self) -> Vec<(Level, String)> {
        self.0.lock().unwrap().clone()
    }

    /// Whether there is a line of this level that says so.
    pub fn says(&self, level: Level, text: &str) -> bool {
        self.lines().iter().any(|(at, line)| *at == level && line.contains(text))
    }

    fn keep(&self, of: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        let mut line = Line(of.name().to_owned());
        record(&mut line);
        self.0.lock().unwrap().push((*of.level(), line.0));
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut said = Some(value);
        while let Some(error) = said {
            write!(self.0, " {field}={error} {error:?}").unwrap();
            said = error.source();
        }
    }
}

impl Subscriber for Capture {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.target().starts_with("coatroom")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.keep(span.metadata(), |line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line("recorded".to_owned());
        values.record(&mut line);
        self.0.lock().unwrap().push((Level::TRACE, line.0));
    }

    fn event(&self, event: &Event<'_>) {
        self.keep(event.metadata(), |line| event.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
