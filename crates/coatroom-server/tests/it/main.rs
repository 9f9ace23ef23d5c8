//! The real binary, spoken to over real connections.

mod account;
mod client;
mod command_line;
mod crash;
mod lab;
mod process;
mod protection;
mod routes;
mod sign_in;
