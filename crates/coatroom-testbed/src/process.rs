//! A server's process, and the guard that ends it with its owner.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::directory::{Directory, User};
use crate::wait::holds_within;

/// Starts the server, says its process id, and waits for it. A second shell reads from the owner,
/// who never writes: the end of that means that the owner is gone, and the server must be too.
/// `$1` is the signal that ends it quickly, `$2` what is then thrown away.
const GUARD: &str = r#"
signal=$1 throw_away=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- 4>&- &
server=$!
echo "$server" >&4
exec 4>&-
(
    read -r _ <&3
    trap '' TERM
    processes() { cat "/proc/$server/task/$server/children"; echo "$server"; }
    kill -CONT $(processes); kill "-$signal" "$server"
    for turn in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$server" || break; sleep 0.2; done
    kill -KILL $(processes)
    [ -z "$throw_away" ] || rm -rf "$throw_away"
) 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"; status=$?
kill "$watcher"; wait "$watcher"
exit "$status"
"#;

/// How a server's process is started.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// The signal that ends it quickly, whatever becomes of its data, as `kill` spells it.
    pub(crate) end: (&'static str, Signal),
    pub(crate) user: Option<User>,
}

/// A running server. Ended when dropped, and when this process ends in any way.
#[derive(Debug)]
pub(crate) struct Process {
    guard: Child,
    /// Closed by the kernel where this process is killed.
    _lifeline: ChildStdin,
    pid: Pid,
    log: PathBuf,
    name: &'static str,
    end: Signal,
}

impl Process {
    /// Starts it; what it says is added to `log` in its directory.
    pub(crate) fn start(recipe: &Recipe, directory: &Directory) -> Self {
        let log = directory.path().join("log");
        let file = fs::OpenOptions::new().create(true).append(true).open(&log);
        let file = file.expect("opening the log of a server failed");
        let mut command = Command::new("/bin/sh");
        // The guard says the process id on 4, and the server's output is 1 and 2.
        command.args(["-c", &format!("exec 4>&1 1>&2\n{GUARD}"), "guard", recipe.end.0]);
        command.arg(directory.throw_away().unwrap_or(Path::new("")));
        command.arg(&recipe.program).args(&recipe.arguments).current_dir(directory.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(file).process_group(0);
        if let Some(User { uid, gid }) = recipe.user {
            command.uid(uid).gid(gid);
        }
        let mut guard =
            command.spawn().unwrap_or_else(|error| panic!("starting {} failed: {error}", recipe.name));
        let lifeline = guard.stdin.take().expect("it is piped");
        let mut line = String::new();
        let said = BufReader::new(guard.stdout.take().expect("it is piped")).read_line(&mut line);
        let pid = said.ok().and_then(|_| Pid::from_raw(line.trim().parse().ok()?));
        let pid = pid.unwrap_or_else(|| panic!("starting {} failed:\n{}", recipe.name, tail(&log)));
        Self { guard, _lifeline: lifeline, pid, log, name: recipe.name, end: recipe.end.1 }
    }

    /// Waits until `is_ready`; whether it came to that. `false` where the server ended.
    ///
    /// # Panics
    ///
    /// Where the server runs and does not become ready in a minute.
    pub(crate) fn becomes_ready(&mut self, mut is_ready: impl FnMut() -> bool) -> bool {
        let mut ready = false;
        let decided = holds_within(Duration::from_secs(60), || {
            ready = is_ready();
            ready || self.has_ended()
        });
        assert!(decided, "{} does not become ready:\n{}", self.name, self.log_tail());
        ready
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Its process id, and those of the processes that it has started.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let children = self.children().into_iter();
        [self.pid()]
            .into_iter()
            .chain(children.map(|pid| pid.as_raw_nonzero().get().unsigned_abs()))
            .collect()
    }

    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Asks it to end and waits for that.
    pub(crate) fn stop(mut self, signal: Signal) {
        self.signal(&[self.pid], signal);
        let ended = holds_within(Duration::from_secs(60), || self.has_ended());
        assert!(ended, "{} does not stop:\n{}", self.name, self.log_tail());
    }

    /// Kills it, and what it has started.
    pub(crate) fn kill(mut self) {
        self.kill_now();
    }

    /// Stands still, and what it has started too.
    pub(crate) fn pause(&mut self) {
        let mut processes = vec![self.pid];
        self.signal(&processes, Signal::STOP);
        processes.append(&mut self.children());
        self.signal(&processes, Signal::STOP);
    }

    /// Goes on.
    pub(crate) fn resume(&mut self) {
        let processes = [vec![self.pid], self.children()].concat();
        self.signal(&processes, Signal::CONT);
    }

    fn kill_now(&mut self) {
        let children = self.children();
        self.signal(&[self.pid], Signal::KILL);
        for child in &children {
            let _ = kill_process(*child, Signal::KILL);
        }
        let gone = |pid: &Pid| fs::read_to_string(stat(*pid)).map_or(true, |stat| stat.contains(") Z "));
        let ended = holds_within(Duration::from_secs(30), || self.has_ended() && children.iter().all(gone));
        assert!(ended, "{} outlives SIGKILL", self.name);
    }

    /// While the guard was not waited for, the process id is no other's.
    fn signal(&mut self, processes: &[Pid], signal: Signal) {
        if self.has_ended() {
            return;
        }
        for pid in processes {
            // A process that has just ended needs no signal.
            let _ = kill_process(*pid, signal);
        }
    }

    fn children(&self) -> Vec<Pid> {
        let pid = self.pid();
        let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        listed.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    }

    fn has_ended(&mut self) -> bool {
        self.guard.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        self.resume();
        self.signal(&[self.pid], self.end);
        if !holds_within(Duration::from_secs(5), || self.has_ended()) {
            self.kill_now();
        }
    }
}

fn stat(pid: Pid) -> String {
    format!("/proc/{}/stat", pid.as_raw_nonzero())
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
