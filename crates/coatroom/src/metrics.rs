//! Counters and histograms through the `metrics` facade (feature `metrics`).
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `coatroom_events_total` | counter | `event`: created, confirmed, renewed, ended, expired, evicted, suspicious |
//! | `coatroom_commits_total` | counter | `outcome`: landed, unchanged, failed |
//! | `coatroom_record_bytes` | histogram | size of committed records |

pub(crate) fn count(event: &'static str) {
    metrics::counter!("coatroom_events_total", "event" => event).increment(1);
}

pub(crate) fn commit(outcome: &'static str) {
    metrics::counter!("coatroom_commits_total", "outcome" => outcome).increment(1);
}

pub(crate) fn landed(record_bytes: usize) {
    commit("landed");
    metrics::histogram!("coatroom_record_bytes").record(record_bytes as f64);
}
