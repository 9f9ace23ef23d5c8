//! `testbed run -- COMMAND`: runs a command beside the shared servers of the tests.

mod run;

use std::process::ExitCode;

const USAGE: &str = "usage: testbed run [--only KIND,KIND...] -- COMMAND [ARGUMENT...]
kinds: redis, valkey, cluster, postgres, pgbouncer";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run::Run::parse(&arguments) {
        Some(run) => run.execute(),
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
