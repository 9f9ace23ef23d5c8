//! What goes wrong between here and a server, and what becomes of it.

use redis::{RedisError, ServerError, Value};

use crate::error::StoreError;
use crate::store::network::Effect;

/// What a call does, for messages, and whether it may be asked for again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) what: &'static str,
    pub(super) effect: Effect,
}

impl Task {
    pub(super) const fn reads(what: &'static str) -> Self {
        Self { what, effect: Effect::Reads }
    }

    pub(super) const fn writes(what: &'static str) -> Self {
        Self { what, effect: Effect::Writes }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// The connection broke after the command was handed to it; the server may have done it.
    Lost(RedisError),
    /// There is no connection; nothing was sent.
    NoConnection(RedisError),
    /// The server refused; nothing was done.
    Refused(ServerError),
}

impl Trouble {
    /// The code of a refusal.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(error) => Some(error.code()),
            _ => None,
        }
    }

    pub(super) fn into_error(self, Task { what, effect }: Task) -> StoreError {
        match (self, effect) {
            (Self::Refused(error), _) => refused(what, error.code()),
            (Self::NoConnection(error), _) => StoreError::unavailable_because(
                format!(
                    "{what} failed: there is no connection to the Redis server, and a new one is being tried; start the server, or check the network to it"
                ),
                error,
            ),
            (Self::Lost(error), Effect::Reads) => StoreError::unavailable_because(
                format!("{what} failed: the connection to the Redis server broke; a new one is being tried"),
                error,
            ),
            (Self::Lost(error), Effect::Writes) => StoreError::OutcomeUnknown {
                what: format!("{what} failed: the connection to the Redis server broke"),
                source: Some(std::sync::Arc::new(error)),
            },
        }
    }
}

/// The texts of servers name users and keys, so only their codes are shown.
fn refused(what: &str, code: &str) -> StoreError {
    let remedy = match code {
        "OOM" => {
            return StoreError::Full {
                what: format!(
                    "{what} failed: the Redis server has used up its maxmemory; raise maxmemory or end sessions, and keep maxmemory-policy at noeviction"
                ),
            };
        }
        "BUSY" => "another script keeps the Redis server busy; end it with SCRIPT KILL",
        "CLUSTERDOWN" => "the Redis Cluster is down, for some of its slots have no primary; bring one back",
        "LOADING" => "the Redis server is still loading its data; wait until it has",
        "MASTERDOWN" | "READONLY" => {
            "the Redis server is a replica, and only a primary can keep sessions; name the primary in the URL, or promote the replica"
        }
        "MISCONF" => {
            "the Redis server takes no writes while it cannot save its data to disk; make room on its disk and look at its log"
        }
        "MOVED" | "ASK" => "the Redis server is a node of a Cluster; write redis+cluster:// in the URL",
        "NOAUTH" | "WRONGPASS" => "the Redis server refuses the user or password; check both in the URL",
        "NOPERM" => {
            "the Redis server does not allow this user what a store must do; extend what the user may do"
        }
        "NOREPLICAS" => "the Redis server has fewer replicas than min-replicas-to-write; bring them back",
        "TRYAGAIN" => "the Redis Cluster is moving these keys to another node; try again",
        code => {
            return StoreError::unavailable(format!(
                "{what} failed: the Redis server refuses with {code}; look at its log"
            ));
        }
    };
    StoreError::unavailable(format!("{what} failed: {remedy}"))
}

/// An answer of another kind than the command has.
pub(super) fn odd(Task { what, .. }: Task) -> StoreError {
    StoreError::unavailable(format!(
        "{what} failed: the server's answer is not what Redis gives; check that host and port are those of a Redis server"
    ))
}

/// An answer that is a number.
pub(super) fn number(task: Task, answer: &Value) -> Result<u64, StoreError> {
    match answer {
        Value::Int(number) => u64::try_from(*number).map_err(|_| odd(task)),
        Value::BulkString(digits) => {
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or_else(|| odd(task))
        }
        _ => Err(odd(task)),
    }
}

/// An answer that is bytes or nothing.
pub(super) fn bytes(task: Task, answer: Value) -> Result<Option<Vec<u8>>, StoreError> {
    match answer {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::Nil => Ok(None),
        _ => Err(odd(task)),
    }
}

/// An answer that is a list.
pub(super) fn list(task: Task, answer: Value) -> Result<Vec<Value>, StoreError> {
    match answer {
        Value::Array(values) => Ok(values),
        _ => Err(odd(task)),
    }
}
