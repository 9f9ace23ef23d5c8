//! Processes of their own: servers whose CPU time is counted, and probes.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::Result;
use crate::peers::Peer;

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    /// Where it keeps its files, if it does; gone with it.
    _directory: Option<TempDir>,
}

impl Server {
    /// Starts a server and waits until it is ready. Its sessions are at `url`, or else in a directory
    /// of its own.
    pub(crate) fn start(peer: Peer, url: Option<&str>) -> Result<Self> {
        let directory = if url.is_some() { None } else { Some(directory()?) };
        let place = url.map_or_else(|| directory.iter().map(TempDir::path).collect(), PathBuf::from);
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg(peer.name())
            .arg(place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let port: u16 = line.trim().parse().map_err(|_| format!("{} did not start", peer.title()))?;
        Ok(Self { address: ([127, 0, 0, 1], port).into(), child, _directory: directory })
    }

    /// The CPU time that the server has used so far, its own and the kernel's for it.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        cpu_of(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a probe in a fresh process and returns the numbers that it prints.
pub(crate) fn probe(name: &str, arguments: &[&str]) -> Result<Vec<f64>> {
    let output = Command::new(std::env::current_exe()?)
        .arg("probe")
        .arg(name)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the probe {name} {} failed", arguments.join(" ")).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Result<_, _> = text.split_whitespace().map(str::parse).collect();
    Ok(numbers.map_err(|_| format!("the probe {name} printed no numbers"))?)
}

/// Runs a probe that leaves files and prints nothing. It may die of it.
pub(crate) fn filled(name: &str, arguments: &[&str]) -> Result<()> {
    use std::os::unix::process::ExitStatusExt as _;
    let mut command = Command::new(std::env::current_exe()?);
    let status = command.arg("probe").arg(name).args(arguments).status()?;
    let died_as_it_should = status.signal() == Some(9) && name == "fill-and-die";
    if status.success() || died_as_it_should {
        return Ok(());
    }
    Err(format!("the probe {name} {} failed", arguments.join(" ")).into())
}

/// The memory of this process that is resident, in bytes.
pub(crate) fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS in /proc")?;
    let kib = line.split_whitespace().nth(1).ok_or("no figure in VmRSS")?;
    Ok(kib.parse::<u64>()? * 1024)
}

/// A directory for files, on the disk that the build is on: often the system's own temporary files are
/// in memory, where durability costs nothing.
pub(crate) fn directory() -> Result<TempDir> {
    let program = std::env::current_exe()?;
    let beside = program.parent().unwrap_or(Path::new("."));
    Ok(tempfile::Builder::new().prefix("coatroom-bench-").tempdir_in(beside)?)
}

/// The CPU time that a process has used so far.
pub(crate) fn cpu_of(process: u32) -> Result<Duration> {
    /// What /proc counts in: USER_HZ, which is 100 wherever Linux runs this.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The program's name stands in parentheses and may hold anything; what is counted lies behind it.
    let fields = stat.rsplit_once(')').ok_or("no name in /proc/PID/stat")?.1;
    let times: Vec<u32> =
        fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(TICK * times.iter().sum::<u32>())
}
