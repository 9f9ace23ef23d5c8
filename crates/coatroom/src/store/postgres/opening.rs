//! What is said where the store cannot be opened.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::connect::Refusal;
use super::migrate::{HIDES_TABLES, NEWEST};
use super::url::{PostgresUrl, SslMode};
use crate::error::StoreError;
use crate::store::network::ConnectError;

const OLDEST_VERSION: i32 = 120_000;

pub(super) fn check_version(url: &PostgresUrl, version: i32) -> Result<(), ConnectError> {
    if version >= OLDEST_VERSION {
        return Ok(());
    }
    Err(unsuitable(url, &format!("it is PostgreSQL {}; take version 12 or a later one", version / 10_000)))
}

pub(super) fn check_format(url: &PostgresUrl, found: i32) -> Result<(), ConnectError> {
    if found <= NEWEST {
        return Ok(());
    }
    let number = |format: i32| format.unsigned_abs();
    Err(ConnectError::NewerFormat { server: url.server(), found: number(found), known: number(NEWEST) })
}

/// There is no connection.
pub(super) fn refused(url: &PostgresUrl, refusal: Refusal) -> ConnectError {
    let error = match refusal {
        Refusal::Failed(error) => error,
        Refusal::ReadOnly => {
            return unsuitable(
                url,
                "it is a replica, which takes no writes; name the primary server in the URL",
            );
        }
        Refusal::Closed | Refusal::TimedOut => {
            return ConnectError::Unreachable {
                server: url.server(),
                source: Some(Box::new(io::Error::from(io::ErrorKind::TimedOut))),
            };
        }
    };
    match error.code().map(SqlState::code) {
        Some(code) => refused_by_code(url, code),
        None => refused_without_code(url, error),
    }
}

fn refused_by_code(url: &PostgresUrl, code: &str) -> ConnectError {
    match code {
        "28P01" => denied(url, "the user is unknown or the password wrong (SQLSTATE 28P01)"),
        "28000" => denied(
            url,
            "no line of its pg_hba.conf lets this user in from here, perhaps only with sslmode=require, or there is no such user (SQLSTATE 28000)",
        ),
        "3D000" => {
            ConnectError::Database { server: url.server(), database: url.database().to_owned(), source: None }
        }
        "42501" => denied(
            url,
            "the user may not use the database (SQLSTATE 42501); GRANT CONNECT on the database to it",
        ),
        "53300" => unsuitable(
            url,
            "it has no connection left (SQLSTATE 53300); raise max_connections there, or lower pool_size",
        ),
        "57P01" | "57P02" | "57P03" => unsuitable(
            url,
            &format!("it is starting or shutting down (SQLSTATE {code}); wait for it and try again"),
        ),
        _ => unsuitable(url, &format!("it refuses the connection (SQLSTATE {code}); see its log")),
    }
}

/// The driver tells kinds of errors apart by their sources alone.
fn refused_without_code(url: &PostgresUrl, error: Arc<Error>) -> ConnectError {
    let (server, ssl_mode) = (url.server(), url.ssl_mode);
    let io_error = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let tls_error =
        io_error.and_then(|error| error.get_ref()).is_some_and(|inner| inner.is::<rustls::Error>());
    if tls_error {
        let what = "the certificate of the server is not trusted or the handshake failed; name its authority by sslrootcert= and its host as in the certificate, or trust more by another sslmode=";
        return ConnectError::Tls { server, what: what.to_owned(), source: Some(Box::new(error)) };
    }
    match io_error.map(io::Error::kind) {
        // Of several hosts none takes writes.
        Some(io::ErrorKind::PermissionDenied) => unsuitable(
            url,
            "no server there takes writes, or the socket may not be opened; name the primary server in the URL",
        ),
        Some(_) => ConnectError::Unreachable { server, source: Some(Box::new(error)) },
        None if url.config.get_password().is_none() && !matches!(ssl_mode, SslMode::Disable) => {
            denied(url, "it asks for a password, or offers no TLS, which sslmode= asks for")
        }
        None if url.config.get_password().is_none() => denied(url, "it asks for a password"),
        None if matches!(ssl_mode, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull) => {
            let what = "the server offers no TLS, which sslmode= asks for; switch it on there (ssl = on), or say sslmode=disable";
            ConnectError::Tls { server, what: what.to_owned(), source: Some(Box::new(error)) }
        }
        None => ConnectError::Unreachable { server, source: Some(Box::new(error)) },
    }
}

pub(super) fn no_certificates(url: &PostgresUrl, error: io::Error) -> ConnectError {
    let what = match &url.root_certificates {
        Some(path) => format!(
            "the certificates of authorities in {} cannot be read; check sslrootcert=",
            path.display()
        ),
        None => {
            "this machine has no certificates of authorities; install them (ca-certificates), or name a file by sslrootcert=".to_owned()
        }
    };
    ConnectError::Tls { server: url.server(), what, source: Some(Box::new(error)) }
}

pub(super) fn migration_failed(url: &PostgresUrl, error: Error) -> ConnectError {
    let schema = url.schema.name();
    match error.code().map(SqlState::code) {
        Some("42501") => denied(
            url,
            &format!(
                "it may not make or read the schema {schema:?} (SQLSTATE 42501); GRANT CREATE ON DATABASE to it, or have an administrator run the SQL of PostgresUrl::setup_sql (`coatroom stores sql URL` prints it), and GRANT it USAGE on the schema, SELECT, INSERT, UPDATE, DELETE on its tables and EXECUTE on its functions"
            ),
        ),
        Some("25006") => {
            unsuitable(url, "it is read-only (SQLSTATE 25006); name the primary server in the URL")
        }
        Some(HIDES_TABLES) => unsuitable(
            url,
            &format!(
                "a role named {schema:?} has tables in public, and would look for them in a schema of its name first; name another by schema=, or give sessions a database of their own"
            ),
        ),
        Some("53100") => unsuitable(url, "its disk is full (SQLSTATE 53100); free some space there"),
        Some(code) => unsuitable(
            url,
            &format!(
                "making the schema {schema:?} failed (SQLSTATE {code}); see its log, or name another schema"
            ),
        ),
        None => ConnectError::Unreachable { server: url.server(), source: Some(Box::new(error)) },
    }
}

pub(super) fn migration_took_too_long(url: &PostgresUrl) -> ConnectError {
    unsuitable(
        url,
        &format!(
            "making the schema {:?} took longer than connect_timeout; see what holds its locks in pg_locks",
            url.schema.name()
        ),
    )
}

pub(super) fn unusable(url: &PostgresUrl, error: StoreError) -> ConnectError {
    ConnectError::Unsuitable {
        server: url.server(),
        what: "it answered once and then no more; see its log".to_owned(),
        source: Some(Box::new(error)),
    }
}

pub(super) fn unsuitable(url: &PostgresUrl, what: &str) -> ConnectError {
    ConnectError::Unsuitable { server: url.server(), what: what.to_owned(), source: None }
}

fn denied(url: &PostgresUrl, what: &str) -> ConnectError {
    ConnectError::Denied { server: url.server(), what: what.to_owned() }
}
