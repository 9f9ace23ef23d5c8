//! Counters and histograms through the `metrics` facade (feature `metrics`).
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `coatroom_events_total` | counter | `event`: created, confirmed, renewed, ended, expired, evicted, suspicious |
//! | `coatroom_commits_total` | counter | `outcome`: landed, unchanged, failed |
//! | `coatroom_record_bytes` | histogram | size of committed records |

use crate::engine::Written;
use crate::error::SessionError;
use crate::event::{self, Event};

pub(crate) fn count(event: &Event<'_>) {
    metrics::counter!("coatroom_events_total", "event" => event::name(event)).increment(1);
}

pub(crate) fn commit(written: &Result<Option<Written>, SessionError>) {
    let outcome = match written {
        Ok(Some(_)) => "landed",
        Ok(None) => "unchanged",
        Err(_) => "failed",
    };
    metrics::counter!("coatroom_commits_total", "outcome" => outcome).increment(1);
    if let Ok(Some(written)) = written {
        metrics::histogram!("coatroom_record_bytes").record(written.record.bytes().len() as f64);
    }
}
