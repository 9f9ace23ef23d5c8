//! What it means that a server could not be opened, and what to do.

use std::io;
use std::path::Path;

use super::{OLDEST, Opening};
use crate::store::network::ConnectError;
use crate::store::redis::dial::DialError;
use crate::store::redis::error::Trouble;

impl Opening<'_> {
    pub(super) fn undialed(&self, error: DialError) -> ConnectError {
        let server = self.server.clone();
        match error {
            DialError::Unreachable(error) => ConnectError::Unreachable { server, source: Some(Box::new(error)) },
            DialError::Tls(error) => ConnectError::Tls {
                server,
                what: "TLS cannot be agreed upon; check that the server speaks TLS on this port, and name its authority with cacert=".to_owned(),
                source: Some(Box::new(error)),
            },
            DialError::Login(Trouble::Refused(error)) => ConnectError::Denied {
                server,
                what: match error.code() {
                    "NOAUTH" => "it asks for a password, and the URL has none".to_owned(),
                    "WRONGPASS" => "user or password is wrong".to_owned(),
                    code => format!("it answers {code} to AUTH; a server without a password takes none"),
                },
            },
            DialError::Database(Trouble::Refused(error)) if error.code() == "NOPERM" => {
                self.refused(Trouble::Refused(error), "SELECT")
            }
            DialError::Database(Trouble::Refused(_)) => {
                ConnectError::Database { server, database: self.url.database.to_string(), source: None }
            }
            DialError::Login(trouble) | DialError::Database(trouble) | DialError::Greeting(trouble) => {
                self.refused(trouble, "PING")
            }
        }
    }

    /// What a refusal of `command` means.
    pub(super) fn refused(&self, trouble: Trouble, command: &str) -> ConnectError {
        match &trouble {
            Trouble::Refused(error) => match error.code() {
                "NOPERM" => self.denied(command),
                "NOAUTH" | "WRONGPASS" => self.undialed(DialError::Login(trouble)),
                "LOADING" => self.unsuitable("it is still loading its data; wait until it has"),
                "READONLY" | "MASTERDOWN" => {
                    self.unsuitable("it is a replica, and takes no writes; name its primary, or promote it")
                }
                "MISCONF" => self
                    .unsuitable("it takes no writes while it cannot save its data to disk; make room there"),
                "CLUSTERDOWN" => {
                    self.unsuitable("the Cluster is down, for some of its slots have no primary")
                }
                code => self.unsuitable(&format!("it answers {code} to {command}; look at its log")),
            },
            Trouble::Lost(error) | Trouble::NoConnection(error) => ConnectError::Unreachable {
                server: self.server.clone(),
                source: Some(Box::new(error.clone())),
            },
        }
    }

    pub(super) fn denied(&self, commands: &str) -> ConnectError {
        let what = format!(
            "it may not run {commands}, or not on these keys; a store needs +@read +@write +@scripting +@connection +time +cluster|slots on ~PREFIX:*"
        );
        ConnectError::Denied { server: self.server.clone(), what }
    }

    pub(super) fn unsuitable(&self, what: &str) -> ConnectError {
        ConnectError::Unsuitable { server: self.server.clone(), what: what.to_owned(), source: None }
    }

    pub(super) fn too_old(&self, version: &str) -> ConnectError {
        let (major, minor) = OLDEST;
        self.unsuitable(&format!(
            "it is of {version}, and a store needs Redis {major}.{minor} or any Valkey; upgrade it"
        ))
    }

    pub(super) fn untrusting(&self, authorities: Option<&Path>, error: io::Error) -> ConnectError {
        let what = match authorities {
            Some(path) => {
                format!("the certificates in {} cannot be read; name a PEM file with cacert=", path.display())
            }
            None => {
                "this machine trusts no authority; name a PEM file with cacert=, or install the machine's"
                    .to_owned()
            }
        };
        ConnectError::Tls { server: self.server.clone(), what, source: Some(Box::new(error)) }
    }
}
