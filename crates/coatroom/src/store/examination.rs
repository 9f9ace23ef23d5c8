/// What an operator should know of a store, as [`OpenStore::examine`](super::OpenStore::examine)
/// found it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Examination {
    /// What keeps the sessions, with its version, such as `Redis 7.0.15`.
    pub server: String,
    /// The bytes that everything kept there takes, as far as the store can tell.
    pub bytes: Option<u64>,
    /// What else there is to know, by name: `("persistence", "append-only file, synced each second")`.
    pub facts: Vec<(String, String)>,
    /// What endangers sessions: each says what is set, what that can cost, and what to do.
    pub dangers: Vec<String>,
}

impl Examination {
    pub(super) fn of(server: impl Into<String>) -> Self {
        Self { server: server.into(), ..Self::default() }
    }

    pub(super) fn of_memory() -> Self {
        Self::of("memory of this process").fact("sessions last", "as long as the process").endangered(
            "the store is in memory: sessions end with the process; use embedded:DIRECTORY to keep them",
        )
    }

    pub(super) fn fact(mut self, name: &str, value: impl Into<String>) -> Self {
        self.facts.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn endangered(mut self, danger: impl Into<String>) -> Self {
        self.dangers.push(danger.into());
        self
    }
}
