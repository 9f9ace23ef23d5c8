//! Coatroom side by side with other session systems, in one run on one machine.
//!
//! The binary is three things at once. `run` measures and prints tables; for what needs a process of
//! its own (a web server whose CPU time is counted, a memory whose growth is) it starts itself again as
//! `serve` or `probe`. Nothing here asserts anything about time: figures are shown beside their goals.

mod app;
mod cli;
mod http;
mod load;
mod machine;
mod measure;
mod peers;
mod population;
mod probe;
mod process;
mod report;
mod rows;
mod serve;

use std::error::Error;
use std::process::ExitCode;

use crate::cli::Command;

/// Any failure here ends the run, and is printed.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

fn main() -> ExitCode {
    match Command::parse(std::env::args().skip(1)).and_then(execute) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("coatroom-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<()> {
    match command {
        Command::Help => {
            print!("{}", cli::help());
            Ok(())
        }
        Command::Run(plan) => rows::run(&plan),
        Command::Serve { peer, place } => serve::serve(peer, &place),
        Command::Probe { name, arguments } => probe::probe(&name, &arguments),
    }
}
