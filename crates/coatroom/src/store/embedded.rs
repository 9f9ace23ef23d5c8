//! The embedded store (under construction in this commit: its journal alone).

mod bell;
mod journal;
