use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::thread;
use std::time::Instant;

use coatroom_testbed::shared::{self, Kind};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A command, and the servers it runs beside.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Run {
    kinds: Vec<Kind>,
    command: Vec<String>,
}

impl Run {
    /// `None` where the arguments are not those of `testbed run`.
    pub(crate) fn parse(arguments: &[String]) -> Option<Self> {
        let split = arguments.iter().position(|argument| argument == "--")?;
        let command = arguments[split + 1..].to_vec();
        let options: Vec<&str> = arguments[..split].iter().map(String::as_str).collect();
        let kinds = match options[..] {
            ["run"] => Kind::ALL.to_vec(),
            ["run", "--only", names] => names.split(',').map(named).collect::<Option<_>>()?,
            _ => return None,
        };
        (!command.is_empty()).then_some(Self { kinds, command })
    }

    /// Starts the servers, runs the command and stops them; the command's own exit code, 126 where
    /// it cannot be run, 125 where a server does not start.
    pub(crate) fn execute(&self) -> ExitCode {
        // Heard from now on, so that nothing below is cut short by them.
        let signals = Signals::new([SIGINT, SIGTERM]);
        let Some(urls) = self.start() else { return ExitCode::from(125) };
        let code = match signals.and_then(|signals| self.run(urls, signals)) {
            Ok(status) => code_of(status),
            Err(error) => {
                eprintln!("testbed: running {} failed: {error}", self.command[0]);
                126
            }
        };
        shared::stop();
        ExitCode::from(code)
    }

    /// All at once; their URLs.
    fn start(&self) -> Option<Vec<(Kind, String)>> {
        let starting: Vec<_> =
            self.kinds.iter().map(|&kind| (kind, thread::spawn(move || start_one(kind)))).collect();
        let started = starting.into_iter().map(|(kind, server)| Some((kind, server.join().ok()??)));
        // Every thread is waited for, so that none starts a server while others are stopped.
        started.collect::<Vec<_>>().into_iter().collect()
    }

    fn run(&self, urls: Vec<(Kind, String)>, signals: Signals) -> io::Result<ExitStatus> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        command.env("COATROOM_TEST_SERVERS", "required");
        command.envs(urls.into_iter().map(|(kind, url)| (kind.variable(), url)));
        let mut child = command.spawn()?;
        pass_signals_on(&child, signals);
        child.wait()
    }
}

fn named(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}

fn start_one(kind: Kind) -> Option<String> {
    let start = Instant::now();
    let url = shared::url(kind)?;
    eprintln!("testbed: {} after {:.1} s", kind.name(), start.elapsed().as_secs_f64());
    Some(url)
}

/// A terminal sends SIGINT to the command as well; SIGTERM comes to this process alone.
fn pass_signals_on(child: &Child, mut signals: Signals) {
    let pid = Pid::from_child(child);
    thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGTERM {
                // It may have ended this moment.
                let _ = kill_process(pid, Signal::TERM);
            }
        }
    });
}

/// As a shell says it.
fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Run> {
        Run::parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_command_stands_behind_two_dashes() {
        let run = parsed("run -- make unit").unwrap();
        assert_eq!(run, Run { kinds: Kind::ALL.to_vec(), command: vec!["make".into(), "unit".into()] });
    }

    #[test]
    fn only_some_servers_may_be_asked_for() {
        let run = parsed("run --only redis,pgbouncer -- true").unwrap();
        assert_eq!(run.kinds, [Kind::Redis, Kind::PgBouncer]);
    }

    #[test]
    fn anything_else_is_told_the_usage() {
        for line in ["", "run", "run --", "run true", "run --only oracle -- true", "stop -- true"] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}
