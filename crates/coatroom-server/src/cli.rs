//! The command line: what may be typed, and what is said to the rest.

mod duration;
mod listen;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use coatroom::store::{Durability, PostgresUrl, PostgresUrlError, StoreUrl, StoreUrlError};

/// Server-side web sessions that lose nothing.
#[derive(Debug, Parser)]
#[command(
    name = "coatroom",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 96
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Opens a small web shop whose visitors have real sessions
    #[command(after_help = EXAMPLES)]
    Demo(Demo),
    /// Copies all sessions of one store to another
    #[command(after_help = COPYING)]
    Copy(Copy),
    /// Looks at stores
    #[command(subcommand)]
    Stores(Stores),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Stores {
    /// Connects to a store and says what is there, and which of its settings endanger sessions
    #[command(after_help = CHECKING)]
    Check(Check),
    /// Prints the SQL that makes a PostgreSQL store's tables, for an administrator to run
    Sql(Sql),
}

/// What `coatroom stores sql` takes.
#[derive(Args, Debug)]
pub(crate) struct Sql {
    /// The store: its schema and user are taken from here, and nothing is connected to
    #[arg(value_name = "postgres://USER@HOST/DATABASE", value_parser = boxed_url)]
    pub(crate) store: Box<PostgresUrl>,
}

/// What `coatroom stores check` takes.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The store
    #[arg(value_name = "STORE", value_parser = existing)]
    pub(crate) store: StoreUrl,
}

const CHECKING: &str = "\
Ends with status 1 where the store cannot be reached or a setting endangers sessions.

Examples:
  coatroom stores check redis://127.0.0.1:6379
  coatroom stores check embedded:./coatroom-data";

fn boxed_url(url: &str) -> Result<Box<PostgresUrl>, PostgresUrlError> {
    url.parse().map(Box::new)
}

/// A store that is there: in a mistyped directory one would be made, and found empty.
fn existing(url: &str) -> Result<StoreUrl, String> {
    let store: StoreUrl = url.parse().map_err(|error: StoreUrlError| error.to_string())?;
    match &store {
        StoreUrl::Embedded { directory, .. } if !directory.is_dir() => {
            Err(format!("there is no directory {}; name one that holds a store", directory.display()))
        }
        StoreUrl::Embedded { directory, .. } if !holds_a_store(directory) => {
            Err(format!("there is no store in {}; name one that holds one", directory.display()))
        }
        _ => Ok(store),
    }
}

/// Whether there is anything of a store; what it lacks is for the store to say.
fn holds_a_store(directory: &Path) -> bool {
    ["files", "format", "journal"].iter().any(|part| directory.join(part).exists())
}

impl Command {
    /// What single options cannot know of each other.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        match self {
            Self::Demo(demo) => demo.check(),
            Self::Copy(copy) => copy.check(),
            Self::Stores(_) => Ok(()),
        }
    }
}

/// What `coatroom copy` takes.
#[derive(Args, Debug)]
pub(crate) struct Copy {
    /// The store to read; it is left as it is
    #[arg(long, value_name = "STORE", value_parser = existing)]
    pub(crate) from: StoreUrl,

    /// The store to write; sessions that it has already are skipped
    #[arg(long, value_name = "STORE")]
    pub(crate) to: StoreUrl,
}

const COPYING: &str = "\
The sessions of all applications are copied, with their ids, so that visitors stay signed in. The store \
that is read may stay in use for reading meanwhile; stop what writes to it, or changes made during the \
copy stay behind. Copying again adds what is missing; point the applications at the new store only after \
the last copy, since a session that was ended there would be added again. A memory: store can be neither \
read nor written, since it is its own process's, and the directory of an embedded store has to be let go of by its program first.

Examples:
  coatroom copy --from embedded:./coatroom-data --to redis://127.0.0.1:6379
  coatroom copy --from redis://cache --to postgres://coatroom:secret@db/sessions";

impl Copy {
    fn check(&self) -> Result<(), clap::Error> {
        if self.from == self.to {
            return Err(conflict("copy", "--from and --to are the same store; name two"));
        }
        if [&self.from, &self.to].contains(&&StoreUrl::Memory) {
            return Err(conflict("copy", "a store in memory: ends with this process; name one that is kept"));
        }
        Ok(())
    }
}

/// What `coatroom demo` takes.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Where to listen; loopback only, since it is plain HTTP. Port 0 takes any free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080", value_parser = listen::parse)]
    pub(crate) listen: SocketAddr,

    /// Where sessions are kept: embedded:DIRECTORY survives restarts, memory: does not; redis://HOST,
    /// redis+cluster://HOST,HOST,HOST or postgres://USER:PASSWORD@HOST/DATABASE may be shared
    #[arg(long, value_name = "STORE", default_value = "embedded:./coatroom-data")]
    pub(crate) store: StoreUrl,

    /// How long a session lives without a request (90s, 20m, 12h, 7d)
    #[arg(long, value_name = "DURATION", default_value = "20m", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) idle_timeout: Duration,

    /// How long a session lives at most; signing in starts it again (90s, 20m, 12h, 7d)
    #[arg(long, value_name = "DURATION", default_value = "12h", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) lifetime: Duration,

    /// What a power loss may cost an embedded store: the last moments, or with every-commit nothing.
    /// A killed process costs nothing either way [default: interval]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(crate) durability: Option<DurabilityChoice>,

    /// Lets writing routes take ?hold_ms=N (wait before answering) and ?fail=1 (then answer 500),
    /// and says on stdout which sessions expire
    #[arg(long)]
    pub(crate) lab: bool,
}

/// How much a power loss may cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum DurabilityChoice {
    // Flushed at intervals.
    Interval,
    // Flushed before every answer.
    EveryCommit,
}

const EXAMPLES: &str = "\
Examples:
  coatroom demo
  coatroom demo --listen 127.0.0.1:0 --store memory:
  coatroom demo --idle-timeout 90s --lifetime 7d --lab

Sign in as alice / wonderland or bob / builder.";

impl Demo {
    fn check(&self) -> Result<(), clap::Error> {
        if !matches!(self.store, StoreUrl::Embedded { .. }) && self.durability.is_some() {
            return Err(conflict(
                "demo",
                "--durability needs a store that keeps files; drop it, or choose --store embedded:DIRECTORY",
            ));
        }
        Ok(())
    }

    /// The store, as durable as `--durability` says, or else as its URL does.
    pub(crate) fn store(&self) -> StoreUrl {
        let mut store = self.store.clone();
        if let (StoreUrl::Embedded { durability, .. }, Some(wanted)) = (&mut store, self.durability) {
            *durability = match wanted {
                DurabilityChoice::Interval => Durability::default(),
                DurabilityChoice::EveryCommit => Durability::EveryCommit,
            };
        }
        store
    }
}

#[cfg(test)]
impl Demo {
    /// The defaults.
    pub(crate) fn for_tests() -> Self {
        match Cli::parse_from(["coatroom", "demo"]).command {
            Command::Demo(demo) => demo,
            other => unreachable!("{other:?}"),
        }
    }
}

fn conflict(subcommand: &str, message: &str) -> clap::Error {
    use clap::CommandFactory;
    let mut cli = Cli::command();
    cli.build();
    let error = clap::error::ErrorKind::ArgumentConflict;
    match cli.find_subcommand_mut(subcommand) {
        Some(subcommand) => subcommand.error(error, message),
        None => cli.error(error, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo(arguments: &[&str]) -> Result<Demo, clap::Error> {
        let command = Cli::try_parse_from(["coatroom", "demo"].iter().chain(arguments))?.command;
        command.check()?;
        match command {
            Command::Demo(demo) => Ok(demo),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_store_is_not_copied_to_itself() {
        let cli = Cli::try_parse_from(["coatroom", "copy", "--from", "redis://x", "--to", "redis://x"]);
        let error = cli.unwrap().command.check().unwrap_err();
        assert!(error.to_string().contains("name two"), "{error}");
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let demo = demo(&[]).unwrap();
        assert_eq!(demo.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(demo.store.to_string(), "embedded:./coatroom-data");
        assert_eq!(demo.idle_timeout, Duration::from_secs(20 * 60));
        assert_eq!(demo.lifetime, Duration::from_secs(12 * 3600));
        assert_eq!(demo.store(), demo.store);
        assert!(!demo.lab);
    }

    #[test]
    fn durability_is_refused_for_memory() {
        let error = demo(&["--store", "memory:", "--durability", "every-commit"]).unwrap_err();
        assert!(error.to_string().contains("--store embedded:DIRECTORY"));
    }

    #[test]
    fn durability_is_that_of_the_option_or_else_of_the_url() {
        let url = "embedded:data?durability=every-commit";
        assert_eq!(demo(&["--store", url]).unwrap().store().to_string(), url);
        let by_option = demo(&["--store", "embedded:data", "--durability", "every-commit"]).unwrap();
        assert_eq!(by_option.store().to_string(), url);
        let taken_back = demo(&["--store", url, "--durability", "interval"]).unwrap();
        assert_eq!(taken_back.store().to_string(), "embedded:data");
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
