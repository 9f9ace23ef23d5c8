//! The servers do what tests rely on.

// Beside the tests are helpers, which may fail as loudly.
#![allow(clippy::unwrap_used)]

mod owner;
mod proxy;
mod servers;
