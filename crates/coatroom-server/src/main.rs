//! The program `coatroom`.

mod cli;
mod copy;
mod demo;
mod stores;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use self::cli::{Cli, Command, Stores};

fn main() -> ExitCode {
    let command = Cli::parse().command;
    if let Err(misuse) = command.check() {
        misuse.exit();
    }
    log_to_stderr();
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&*error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Demo(options) => demo::run(options)?,
        Command::Copy(options) => copy::run(&options)?,
        Command::Stores(Stores::Check(options)) => stores::check(&options)?,
        Command::Stores(Stores::Sql(options)) => stores::sql(&options),
    }
    Ok(())
}

/// One line: what failed, and why, down to the first cause.
fn tell(error: &dyn Error) {
    let mut line = format!("coatroom: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !line.contains(&said) {
            line.push_str(": ");
            line.push_str(&said);
        }
        cause = error.source();
    }
    // Nobody is left to tell if that fails.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn log_to_stderr() {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
