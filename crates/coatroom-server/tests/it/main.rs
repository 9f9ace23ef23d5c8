//! The real binary, spoken to over real connections.

// Beside the tests are helpers, which may fail as loudly.
#![allow(clippy::unwrap_used)]

mod account;
mod client;
mod command_line;
mod copy;
mod crash;
mod lab;
mod process;
mod protection;
mod routes;
mod sign_in;
mod stores;
mod two_nodes;
