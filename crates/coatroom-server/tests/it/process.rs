//! The server as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};

use coatroom_testbed::wait_until;
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
        let mut child = demo(&[&["--listen", "127.0.0.1:0"], options].concat()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
        let Some(address) = address.map(str::to_owned) else { panic!("{line:?}, {}", fate(child)) };
        Self { child, address }
    }

    /// The same, and all that it says on stdout is kept in a file.
    pub(crate) fn start_telling(options: &[&str], file: &std::path::Path) -> Self {
        let output = std::fs::File::create(file).unwrap();
        let mut command = demo(&[&["--listen", "127.0.0.1:0"], options].concat());
        let mut child = command.stdout(output).stderr(Stdio::inherit()).spawn().unwrap();
        let mut address = None;
        wait_until("the shop opens", std::time::Duration::from_secs(30), || {
            let said = std::fs::read_to_string(file).unwrap();
            assert!(child.try_wait().unwrap().is_none(), "the shop closed: {said}");
            let line = said.split_once('\n').map(|(line, _)| line).unwrap_or_default();
            address = line.split("http://").nth(1).and_then(|rest| rest.split(' ').next()).map(str::to_owned);
            address.is_some()
        });
        Self { child, address: address.unwrap() }
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
