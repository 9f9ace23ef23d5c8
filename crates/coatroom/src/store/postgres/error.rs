//! What an error of the database means for a call. Told by its code (SQLSTATE), never by its text,
//! which may name users and values; messages carry the code alone.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::connect::Refusal;
use crate::error::StoreError;
use crate::store::network::Effect;

/// What to do about an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    /// Nothing was done, and the same again may succeed.
    Again,
    /// Nothing was done, since the statement was not where it was prepared or no longer fits.
    NotPrepared,
    /// The connection is gone; what was asked may have been done.
    Broken,
    /// Nothing was done.
    Refused,
}

impl Meaning {
    pub(super) fn of(error: &Error) -> Self {
        let Some(code) = error.code() else { return Self::Broken };
        match code.code() {
            // serialization_failure, deadlock_detected
            "40001" | "40P01" => Self::Again,
            // invalid_sql_statement_name, duplicate_prepared_statement; cached plan must not change
            // its result type
            "26000" | "42P05" | "0A000" => Self::NotPrepared,
            // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped,
            // idle_session_timeout
            "57P01" | "57P02" | "57P03" | "57P04" | "57P05" => Self::Broken,
            code if code.starts_with("08") => Self::Broken,
            _ => Self::Refused,
        }
    }
}

/// What the caller of the store is told.
pub(super) fn failed(what: &str, effect: Effect, error: Error) -> StoreError {
    let Some(code) = error.code().map(SqlState::code) else { return broken(what, effect, Some(error)) };
    let sqlstate = format!("(SQLSTATE {code})");
    let remedy = match code {
        "53100" => {
            return StoreError::Full {
                what: format!(
                    "{what} failed: the disk of the database server is full {sqlstate}; free some space there"
                ),
            };
        }
        code if code.starts_with("54") => {
            return StoreError::Full {
                what: format!(
                    "{what} failed: it exceeds a limit of the database {sqlstate}; keep less in the session, or shorten the principal"
                ),
            };
        }
        "25006" => {
            "the database is read-only, perhaps a replica; name the primary server in the URL, or add target_session_attrs=read-write where it names several"
        }
        "42501" => {
            "the user may not do that; GRANT it USAGE on the schema, SELECT, INSERT, UPDATE, DELETE on its tables and EXECUTE on its functions"
        }
        "42P01" | "42883" | "3F000" | "42703" => {
            "the tables or functions of the schema are gone; restart to have them made, or restore them from a backup"
        }
        "53200" => "the database server is out of memory; give it some, or lower pool_size",
        "53300" => {
            "the database server has no connection left; raise max_connections there, or lower pool_size"
        }
        "57014" => "the statement was cancelled, by its statement_timeout or by somebody",
        "55P03" => "a lock was not to be had within lock_timeout; see what holds it in pg_locks",
        "58030" => "the database server cannot read or write its files; see its log",
        "40001" | "40P01" => "other transactions were in its way again and again; try again",
        code if code.starts_with("57P") || code.starts_with("08") => return broken(what, effect, None),
        _ => "see the log of the database server",
    };
    StoreError::unavailable(format!("{what} failed: {remedy} {sqlstate}"))
}

/// The connection is gone. What had been sent may have been done.
fn broken(what: &str, effect: Effect, error: Option<Error>) -> StoreError {
    let what = format!("{what} failed: the connection to the session store's database was lost");
    match effect {
        Effect::Reads => match error {
            Some(error) => StoreError::unavailable_because(what, error),
            None => StoreError::unavailable(what),
        },
        Effect::Writes => {
            StoreError::OutcomeUnknown { what, source: error.map(|error| std::sync::Arc::new(error) as _) }
        }
    }
}

/// No connection was to be had: nothing was asked.
pub(super) fn refused(what: &str, refusal: Refusal) -> StoreError {
    let code = refusal.code();
    let sqlstate = code.map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default();
    let why = match code {
        Some("53300") => {
            "the database server has no connection left; raise max_connections there, or lower pool_size"
        }
        Some("57P01" | "57P02" | "57P03") => "the database server is starting or shutting down; wait for it",
        Some("28000" | "28P01") => "the database server refuses the user or the password",
        Some("3D000") => "the database is not there any more",
        _ if matches!(refusal, Refusal::Closed) => "the session store was closed",
        _ if matches!(refusal, Refusal::ReadOnly) => {
            "the database server is a replica, which takes no writes; name the primary server in the URL"
        }
        _ => "the session store's database cannot be reached",
    };
    let what = format!("{what} failed: {why}{sqlstate}");
    match refusal {
        Refusal::Failed(error) if error.code().is_none() => StoreError::unavailable_because(what, error),
        _ => StoreError::unavailable(what),
    }
}
