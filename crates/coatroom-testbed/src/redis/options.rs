use std::path::{Path, PathBuf};

use crate::program::Program;
use crate::tls::Certificates;

/// How a [`Redis`](crate::Redis) is started: as installed but for what keeps it apart, and without
/// snapshots, unless told otherwise.
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisOptions {
    pub(super) program: Program,
    pub(super) tls: bool,
    pub(super) directory: Option<PathBuf>,
    settings: Vec<(String, String)>,
}

impl RedisOptions {
    /// A Redis that keeps nothing on the disk.
    pub fn new() -> Self {
        Self { program: Program::Redis, tls: false, directory: None, settings: Vec::new() }
    }

    /// A Valkey that keeps nothing on the disk.
    pub fn valkey() -> Self {
        Self { program: Program::Valkey, ..Self::new() }
    }

    /// A line of its configuration file, such as `maxmemory`, `10mb`, or `user`,
    /// `shop on >secret ~* +@all`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With an append-only file that is synced with every command, so that no answer is lost.
    pub fn durable(self) -> Self {
        self.set("appendonly", "yes").set("appendfsync", "always")
    }

    /// With TLS, by a certificate for `localhost` of an authority made for it.
    pub fn tls(self) -> Self {
        Self { tls: true, ..self }
    }

    /// Data in this directory, which stays.
    pub fn data_in(self, directory: &Path) -> Self {
        Self { directory: Some(directory.to_owned()), ..self }
    }

    /// The latest value of a setting.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The text of its configuration file.
    pub(super) fn file(
        &self,
        port: u16,
        tls_port: Option<u16>,
        certificates: Option<&Certificates>,
    ) -> String {
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("port {port}"),
            "daemonize no".to_owned(),
            "save \"\"".to_owned(),
        ];
        if let (Some(port), Some(certificates)) = (tls_port, certificates) {
            lines.push(format!("tls-port {port}"));
            lines.push(format!("tls-cert-file {}", certificates.certificate.display()));
            lines.push(format!("tls-key-file {}", certificates.key.display()));
            lines.push(format!("tls-ca-cert-file {}", certificates.authority.display()));
            lines.push("tls-auth-clients no".to_owned());
        }
        lines.extend(self.settings.iter().map(|(name, value)| format!("{name} {value}")));
        lines.join("\n") + "\n"
    }
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self::new()
    }
}
