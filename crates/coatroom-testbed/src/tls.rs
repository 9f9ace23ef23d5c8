use std::path::{Path, PathBuf};
use std::process::Command;

/// A server's certificate for `localhost` and 127.0.0.1, and the authority that signed it, made by
/// `openssl` for one day.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The authority's certificate, a PEM file: who trusts it trusts the server.
    pub authority: PathBuf,
    /// The server's certificate, a PEM file.
    pub certificate: PathBuf,
    /// The server's private key, a PEM file.
    pub key: PathBuf,
}

impl Certificates {
    /// Makes them, in files of this directory.
    ///
    /// # Panics
    ///
    /// Where `openssl` is not there or fails.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        let files = Self {
            authority: directory.join("authority.pem"),
            certificate: directory.join("server.pem"),
            key: directory.join("server.key"),
        };
        let authority_key = directory.join("authority.key");
        let [authority, certificate, key, authority_key] =
            [&files.authority, &files.certificate, &files.key, &authority_key]
                .map(|path| path.display().to_string());
        let new =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
        openssl(
            &[&new[..], &["-subj", "/CN=testbed authority", "-keyout", &authority_key, "-out", &authority]]
                .concat(),
        );
        let signed = ["-CA", &authority, "-CAkey", &authority_key];
        let named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
        let usage = ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &key, "-out", &certificate];
        openssl(&[&new[..], &signed, &named, &usage].concat());
        files
    }
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output();
    let output = output.expect("running openssl failed; `make setup` installs it");
    assert!(output.status.success(), "openssl failed: {}", String::from_utf8_lossy(&output.stderr));
}
