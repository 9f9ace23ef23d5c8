use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A small file system in memory, for disks that become full.
#[derive(Debug)]
pub struct Tmpfs {
    guard: Child,
    directory: TempDir,
}

impl Tmpfs {
    /// One of this many bytes. `None`, and says so, where this process may not mount.
    #[must_use]
    pub fn mount(bytes: u64) -> Option<Self> {
        let directory = tempfile::Builder::new().prefix("coatroom-testbed-disk-").tempdir();
        let directory = directory.expect("making a temporary directory failed");
        let options = format!("size={bytes},mode=0777");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(directory.path())
            .stderr(Stdio::null())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: mounting a small file system needs root and the capability to mount");
            return None;
        }
        Some(Self { guard: guard(directory.path()), directory })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Unmounts when its input ends, so also where this process is killed.
fn guard(directory: &Path) -> Child {
    Command::new("/bin/sh")
        .args(["-c", r#"read -r _; umount -l "$1"; rmdir "$1" 2>/dev/null"#, "guard"])
        .arg(directory)
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("starting a shell failed")
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Waiting closes its input first.
        let _ = self.guard.wait();
    }
}
