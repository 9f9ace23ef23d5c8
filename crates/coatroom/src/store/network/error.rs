type Source = Box<dyn std::error::Error + Send + Sync>;

/// A store's server could not be used. Nothing was written there.
///
/// `server` is host and port, never a user or a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The database that the URL names is not there.
    #[error(
        "opening the session store at {server} failed: there is no database {database:?}; create it, or name another in the URL"
    )]
    Database {
        /// Host and port.
        server: String,
        /// Its name or number.
        database: String,
        /// What the server says.
        #[source]
        source: Option<Source>,
    },
    /// The server does not take the user or the password, or the user may not do what a store must.
    #[error(
        "opening the session store at {server} failed: the server refuses this user: {what}; check the user and password in the URL, and what the user may do"
    )]
    Denied {
        /// Host and port.
        server: String,
        /// What the server says.
        what: String,
    },
    /// A newer version of the library keeps its records there.
    #[error(
        "opening the session store at {server} failed: it has format {found}, and this version knows up to {known}; use the newer version that wrote it"
    )]
    NewerFormat {
        /// Host and port.
        server: String,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The certificates for TLS cannot be read, or the server's is not trusted.
    #[error("opening the session store at {server} failed: {what}")]
    Tls {
        /// Host and port.
        server: String,
        /// What is wrong, and what to do.
        what: String,
        /// Why.
        #[source]
        source: Option<Source>,
    },
    /// The store's own thread cannot be started.
    #[error("opening a session store failed: its thread cannot be started; free some threads")]
    Thread(#[source] std::io::Error),
    /// Nobody answers there.
    #[error(
        "opening the session store at {server} failed: the server cannot be reached; start it, or check host and port in the URL"
    )]
    Unreachable {
        /// Host and port.
        server: String,
        /// Why.
        #[source]
        source: Option<Source>,
    },
    /// The server answers and cannot keep sessions: too old, read-only, or of another kind.
    #[error("opening the session store at {server} failed: {what}")]
    Unsuitable {
        /// Host and port.
        server: String,
        /// What is wrong, and what to do.
        what: String,
        /// Why.
        #[source]
        source: Option<Source>,
    },
}
