//! What the server does in one go.

use std::sync::LazyLock;

use redis::{Arg, Cmd};

/// A script, which the server knows by its hash.
pub(super) struct Script {
    text: &'static str,
    hash: Box<str>,
}

macro_rules! scripts {
    ($($(#[$meta:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$meta])* pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("scripts/value.lua"), include_str!(concat!("scripts/", $file))))
        });)*

        /// All of them.
        pub(super) fn all() -> Vec<&'static Script> {
            vec![$(&*$name),*]
        }
    };
}

scripts! {
    BUMP = "bump.lua";
    CLAIM = "claim.lua";
    COMMIT = "commit.lua";
    COUNT = "count.lua";
    CREATE = "create.lua";
    HEAL = "heal.lua";
    INDEX = "index.lua";
    PROBE = "probe.lua";
    REMOVE = "remove.lua";
    SETTLE = "settle.lua";
    TIME = "time.lua";
    TOUCH = "touch.lua";
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().into() }
    }

    /// Calls it by its hash.
    pub(super) fn call(&self, keys: &[&[u8]], arguments: &[&[u8]]) -> Cmd {
        let size: usize = keys.iter().chain(arguments).map(|argument| argument.len()).sum();
        let mut command = Cmd::with_capacity(3 + keys.len() + arguments.len(), size + 64);
        command.arg("EVALSHA").arg(&*self.hash).arg(keys.len());
        for argument in keys.iter().chain(arguments) {
            command.arg(argument);
        }
        command
    }

    /// Leaves it with a server.
    pub(super) fn deposit(&self) -> Cmd {
        let mut command = redis::cmd("SCRIPT");
        command.arg("LOAD").arg(self.text);
        command
    }
}

/// The same call with the text of its script, for a server that does not know the hash: it has been
/// started anew, or its scripts were flushed. Nothing where `command` calls no script.
pub(super) fn with_text(command: &Cmd) -> Option<Cmd> {
    let arguments: Vec<&[u8]> = command
        .args_iter()
        .map(|argument| match argument {
            Arg::Simple(bytes) => bytes,
            _ => b"",
        })
        .collect();
    let (name, rest) = arguments.split_first()?;
    let (hash, rest) = rest.split_first()?;
    let script = all().into_iter().find(|script| *name == b"EVALSHA" && script.hash.as_bytes() == *hash)?;
    let mut whole = redis::cmd("EVAL");
    whole.arg(script.text);
    for argument in rest {
        whole.arg(*argument);
    }
    Some(whole)
}
