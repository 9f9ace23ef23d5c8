//! What can go wrong, named by what a caller does about it.

use std::sync::Arc;

use crate::id::EntropyError;

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// A store could not do what it was asked, or lost the answer.
///
/// Messages name the operation and, for files, the path and the remedy; never a session id or a
/// value. Cheap to clone.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What the store holds under a key is damaged.
    #[error("{what}")]
    Corrupt {
        /// What was attempted, where, and what to do.
        what: String,
    },
    /// There is no room left.
    #[error("{what}")]
    Full {
        /// What was attempted, which limit or path is full, and what to do.
        what: String,
    },
    /// The store did the work or did not; the answer was lost. Loading the record tells.
    #[error("{what}: the answer was lost, so it may have been done")]
    OutcomeUnknown {
        /// What was attempted.
        what: String,
        /// Why.
        #[source]
        source: Option<Source>,
    },
    /// The store cannot be reached or refuses to work; nothing was done.
    #[error("{what}")]
    Unavailable {
        /// What was attempted, and what to do.
        what: String,
        /// Why.
        #[source]
        source: Option<Source>,
    },
}

impl StoreError {
    /// [`StoreError::Unavailable`] without a source.
    pub fn unavailable(what: impl Into<String>) -> Self {
        Self::Unavailable { what: what.into(), source: None }
    }

    /// [`StoreError::Unavailable`] because of `source`.
    pub fn unavailable_because(
        what: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Unavailable { what: what.into(), source: Some(Arc::new(source)) }
    }

    /// Whether the work may have been done all the same.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }
}

/// A value could not be read or written. It concerns one attribute and changes nothing.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The stored bytes are not a value of the asked type: a deploy changed it, or two slots share
    /// the name.
    #[error(
        "reading attribute {name:?} as {expected} failed: {reason}; use another slot name for another type, or remove the attribute"
    )]
    Decode {
        /// The attribute.
        name: String,
        /// The asked type.
        expected: &'static str,
        /// What the decoder says, without the value.
        reason: String,
    },
    /// The value cannot be encoded.
    #[error("encoding attribute {name:?} failed: {reason}")]
    Encode {
        /// The attribute.
        name: String,
        /// What was wrong, without the value. The words of the value's own `Serialize` are left out,
        /// since they may quote it, and logs show errors with their sources.
        reason: String,
    },
    /// A name is empty or too long.
    #[error("attribute names have 1 to {limit} bytes, this one has {size}; choose a shorter slot name")]
    InvalidName {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The value is sealed and cannot be opened: its key is not known, or it was tampered with.
    #[error("opening sealed attribute {name:?} failed; check that the manager has the sealer that sealed it")]
    Sealed {
        /// The attribute.
        name: String,
    },
    /// The value exceeds the limit of one attribute.
    #[error(
        "attribute {name:?} has {size} bytes, more than max_value_bytes = {limit}; keep large things elsewhere and their name in the session"
    )]
    TooLarge {
        /// The attribute.
        name: String,
        /// Its encoded size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

/// A session could not do what it was asked.
///
/// Each variant is a situation that a caller acts on; its message says how. With the `axum` feature
/// it is a response: see [`SessionError::status`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The response has left, so no commit will follow.
    #[error(
        "changing the session failed: its response has left; call detach() before answering, and save() after each change"
    )]
    AfterResponse,
    /// Another request changed the same attribute, and its slot rejects that.
    #[error(
        "committing attribute {name:?} failed: another request changed it meanwhile; load the session again and repeat"
    )]
    Conflict {
        /// The attribute.
        name: String,
    },
    /// Other requests committed first, again and again.
    #[error("committing failed: the record was changed by others {attempts} times in a row; try again")]
    Contended {
        /// The number of attempts.
        attempts: u32,
    },
    /// `update` met an attribute that has a deferred change.
    #[error(
        "updating attribute {name:?} at once failed: this request has a deferred change of it; use edit for both, or save first"
    )]
    DeferredChange {
        /// The attribute.
        name: String,
    },
    /// No random bytes for a session id.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The session was ended, evicted or has expired meanwhile; it stays dead.
    #[error("the session was ended meanwhile; what this request wrote was not kept")]
    Gone,
    /// The names of all attributes together are too long for a record.
    #[error(
        "the names of the session's attributes have {size} bytes together, more than the {limit} that a record has room for; use shorter slot names, or keep collections in one attribute"
    )]
    NamesTooLong {
        /// Their size in bytes.
        size: usize,
        /// The limit in bytes, which is fixed.
        limit: usize,
    },
    /// A session layer stands inside another that answers to the same cookie or header.
    #[error("the session layer is there twice; keep one, or give each manager a cookie name of its own")]
    NestedLayers,
    /// A login named nobody.
    #[error("signing in failed: the principal is empty; pass the id of a user")]
    EmptyPrincipal,
    /// A principal, client label or other text is too long.
    #[error("setting the {what} failed: it has {size} bytes, at most {limit} are allowed")]
    InvalidText {
        /// Which text.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// All sessions of the principal were ended while this one signed in, so it is ended too.
    #[error("signing in failed: all sessions of this principal were ended meanwhile; sign in again")]
    PrincipalEnded,
    /// The record exceeds the limit of a session.
    #[error(
        "the session has {size} bytes, more than max_record_bytes = {limit}; keep large things elsewhere and their name in the session"
    )]
    RecordTooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A `save` or the commit of this session is still running.
    #[error("changing the session failed: a save of it is still running; await it first")]
    SaveRunning,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The request carried the secret from before a renewal, or began before it; the browser has a
    /// newer cookie. On a keyed session: somebody else signed in meanwhile.
    #[error(
        "writing failed: the request's session id was replaced by a login meanwhile; send the request again"
    )]
    Superseded,
    /// The session has too many attributes.
    #[error(
        "the session has {count} attributes, more than max_attributes = {limit}; keep collections in one attribute"
    )]
    TooManyAttributes {
        /// How many there are.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// The principal has as many sessions as it may.
    #[error("signing in failed: the principal has {limit} sessions, the most allowed; end one first")]
    TooManySessions {
        /// The cap.
        limit: usize,
    },
    /// A value could not be read or written.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl SessionError {
    /// The HTTP status that fits: 409 where the client should try again (`Conflict`, `Contended`,
    /// `Gone`, `PrincipalEnded`, `Superseded`, `TooManySessions`), 413 where it sent too much
    /// (`NamesTooLong`, `RecordTooLarge`, `TooManyAttributes`, an oversize value), 503 where the store
    /// failed, 500 for the rest, which are faults of the program.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Conflict { .. }
            | Self::Contended { .. }
            | Self::Gone
            | Self::PrincipalEnded
            | Self::Superseded
            | Self::TooManySessions { .. } => 409,
            Self::NamesTooLong { .. }
            | Self::RecordTooLarge { .. }
            | Self::TooManyAttributes { .. }
            | Self::Value(ValueError::TooLarge { .. }) => 413,
            Self::Entropy(_) | Self::Store(_) => 503,
            _ => 500,
        }
    }

    /// Whether a limit was reached that only its operator or its user can do something about.
    #[cfg(feature = "tower")]
    pub(crate) fn is_over_limit(&self) -> bool {
        self.status() == 413 || matches!(self, Self::TooManySessions { .. })
    }
}
