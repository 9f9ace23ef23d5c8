//! The stores on real servers, and what becomes of sessions when those fail: a file per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

mod cluster;
mod full;
mod identity;
mod outage;
mod refusal;
mod round_trips;
mod secure;
mod skew;
mod slow;
mod support;
