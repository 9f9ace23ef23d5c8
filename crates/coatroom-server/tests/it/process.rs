//! The server as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::Client;

/// A running shop. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    /// In memory, with the lab.
    pub(crate) fn in_memory() -> Self {
        Self::start(&["--store", "memory:", "--lab"])
    }

    /// With sessions in files.
    pub(crate) fn in_files(directory: &std::path::Path) -> Self {
        Self::start(&["--store", &format!("embedded:{}", directory.display())])
    }

    /// On a free port, once it says that it is ready.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::spawn(demo(&[&["--listen", "127.0.0.1:0"], options].concat())).0
    }

    /// The same, and what it says from then on.
    pub(crate) fn start_heard(options: &[&str]) -> (Self, BufReader<ChildStdout>) {
        let mut command = demo(&[&["--listen", "127.0.0.1:0"], options].concat());
        command.stderr(Stdio::inherit());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> (Self, BufReader<ChildStdout>) {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        // Small, so that what nobody asks for stays in the pipe.
        let mut output = BufReader::with_capacity(64, child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
        let Some(address) = address.map(str::to_owned) else { panic!("{line:?}, {}", fate(child)) };
        (Self { child, address }, output)
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// A visitor without a cookie.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// Asks it to end and waits for that; its status and what it said on stderr.
    pub(crate) fn stop(mut self, signal: Signal) -> (ExitStatus, String) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `coatroom demo` with these options.
pub(crate) fn demo(options: &[&str]) -> Command {
    let mut command = coatroom(&["demo"]);
    command.args(options);
    command
}

/// The program with these arguments.
pub(crate) fn coatroom(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coatroom"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn fate(child: Child) -> String {
    format!("{:?}", child.wait_with_output())
}
