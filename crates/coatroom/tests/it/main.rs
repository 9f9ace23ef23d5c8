//! One binary for all integration tests: a file per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

mod answers;
mod cancellation;
mod conformance;
mod events;
mod examples;
mod failures;
mod format;
mod handles;
mod identity;
mod layer;
mod lifecycle;
mod logs;
mod lost_answers;
#[cfg(feature = "metrics")]
mod metrics;
mod model;
mod options;
mod parallel;
mod principals;
#[cfg(feature = "redis")]
mod redis;
mod replays;
mod rules;
mod stragglers;
mod support;
mod tidy;
mod time;
mod undo;
mod upgrades;
mod values;
