//! The command line.

use std::path::PathBuf;

use crate::Result;
use crate::peers::Peer;
use crate::rows::ROWS;

const HELP: &str = "\
Coatroom side by side with other session systems

usage: coatroom-bench run [--only ROW,ROW] [--quick] [--output FILE]

  --only ROW,ROW   these rows alone
  --quick          fewer and shorter rounds and smaller populations, to see that everything runs
  --output FILE    write the tables to FILE too

`serve` and `probe` are what `run` starts itself as, to have a process of its own.

rows:
";

/// The help text, with the rows that there are.
pub(crate) fn help() -> String {
    let mut text = HELP.to_owned();
    for row in ROWS {
        text += &format!("  {:<16} {}\n", row.name, row.what);
    }
    text
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Run(Plan),
    Serve { peer: Peer, place: String },
    Probe { name: String, arguments: Vec<String> },
}

/// What to measure, and how long.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The names of the rows to run; empty means all.
    pub(crate) only: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) output: Option<PathBuf>,
}

impl Command {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        match arguments.next().as_deref() {
            None | Some("help" | "--help" | "-h") => Ok(Self::Help),
            Some("run") => Ok(Self::Run(Plan::parse(arguments)?)),
            Some("serve") => {
                let peer = Peer::parse(&arguments.next().ok_or("serve needs a system")?)?;
                let place = arguments.next().ok_or("serve needs a directory or a URL")?;
                Ok(Self::Serve { peer, place })
            }
            Some("probe") => {
                let name = arguments.next().ok_or("probe needs a name")?;
                Ok(Self::Probe { name, arguments: arguments.collect() })
            }
            Some(other) => Err(format!("no such command: {other}; `coatroom-bench help` lists them").into()),
        }
    }
}

impl Plan {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut plan = Self::default();
        while let Some(flag) = arguments.next() {
            match flag.as_str() {
                "--quick" => plan.quick = true,
                "--output" => plan.output = Some(arguments.next().ok_or("--output needs a file")?.into()),
                "--only" => {
                    let names = arguments.next().ok_or("--only needs the names of rows")?;
                    plan.only = names.split(',').map(known_row).collect::<Result<_>>()?;
                }
                other => return Err(format!("no such option of run: {other}").into()),
            }
        }
        Ok(plan)
    }

    /// Whether a row is to be run.
    pub(crate) fn asks_for(&self, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == row)
    }

    /// One of two values: the first in a full run, the second in a quick one.
    pub(crate) fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

fn known_row(name: &str) -> Result<String> {
    if ROWS.iter().any(|row| row.name == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
    Err(format!("no such row: {name}; there are {}", names.join(", ")).into())
}
