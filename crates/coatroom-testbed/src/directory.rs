use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Where a server keeps its files: for as long as it lives, or where the caller says.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    own: Option<TempDir>,
}

impl Directory {
    /// `given`, which is made if need be and stays; else one that is removed when this is dropped.
    pub(crate) fn new(given: Option<&Path>, user: Option<User>) -> Self {
        let (path, own) = match given {
            Some(path) => {
                fs::create_dir_all(path).expect("making the directory of a server failed");
                (path.to_owned(), None)
            }
            None => {
                let own = tempfile::Builder::new().prefix("coatroom-testbed-").tempdir();
                let own = own.expect("making a temporary directory for a server failed");
                (own.path().to_owned(), Some(own))
            }
        };
        let directory = Self { path, own };
        directory.give_to(user);
        directory
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What goes where the owner of the server is killed.
    pub(crate) fn throw_away(&self) -> Option<&Path> {
        self.own.as_ref().map(TempDir::path)
    }

    /// Writes a file of the server's configuration; its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("writing {} failed: {error}", path.display()));
        path
    }

    fn give_to(&self, user: Option<User>) {
        let Some(User { uid, gid }) = user else { return };
        std::os::unix::fs::chown(&self.path, Some(uid), Some(gid))
            .expect("giving a server its directory failed");
    }
}

/// An account without privileges, for servers that refuse to run as root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// `None` where this process is not root itself.
    pub(crate) fn unprivileged() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let accounts = fs::read_to_string("/etc/passwd").expect("reading /etc/passwd failed");
        let named = |name| accounts.lines().find_map(|line| Self::of_line(line, name));
        Some(named("postgres").or_else(|| named("nobody")).expect("there is no account `nobody`"))
    }

    fn of_line(line: &str, name: &str) -> Option<Self> {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        Some(Self { uid, gid: fields.next()?.parse().ok()? })
    }
}
