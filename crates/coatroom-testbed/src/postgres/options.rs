use std::path::{Path, PathBuf};

use crate::tls::Certificates;

/// How a [`Postgres`](crate::Postgres) is started: with its settings as installed, unless told
/// otherwise.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct PostgresOptions {
    pub(super) directory: Option<PathBuf>,
    pub(super) tls: bool,
    settings: Vec<(String, String)>,
}

impl PostgresOptions {
    /// As installed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Without waiting for the disk: what was acknowledged is lost where the machine fails, and only
    /// there.
    pub fn fast(self) -> Self {
        self.set("fsync", "off").set("full_page_writes", "off")
    }

    /// A setting, such as `max_connections`, `20`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With TLS, by a certificate for `localhost` of an authority made for it. Connections without
    /// are taken too.
    pub fn tls(self) -> Self {
        Self { tls: true, ..self }
    }

    /// Data in this directory, which stays.
    pub fn data_in(self, directory: &Path) -> Self {
        Self { directory: Some(directory.to_owned()), ..self }
    }

    /// The text of the configuration file that is read last.
    pub(super) fn file(&self, port: u16, sockets: &Path, certificates: Option<&Certificates>) -> String {
        let mut lines = vec![
            "listen_addresses = '127.0.0.1'".to_owned(),
            format!("port = {port}"),
            format!("unix_socket_directories = '{}'", sockets.display()),
        ];
        if let Some(certificates) = certificates {
            lines.push("ssl = on".to_owned());
            lines.push(format!("ssl_cert_file = '{}'", certificates.certificate.display()));
            lines.push(format!("ssl_key_file = '{}'", certificates.key.display()));
        }
        lines.extend(self.settings.iter().map(|(name, value)| format!("{name} = '{value}'")));
        lines.join("\n") + "\n"
    }
}
