//! Which store keeps the sessions.

use std::fmt;
use std::path::PathBuf;

/// A store, as `--store` names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum StoreChoice {
    /// Files in this directory.
    Embedded(PathBuf),
    /// Nothing survives the process.
    Memory,
}

impl fmt::Display for StoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(directory) => write!(f, "{}", directory.display()),
            Self::Memory => f.write_str("memory"),
        }
    }
}

/// Reads `embedded:DIRECTORY` or `memory:`.
pub(super) fn parse(text: &str) -> Result<StoreChoice, String> {
    match text.split_once(':') {
        Some(("memory", "")) => Ok(StoreChoice::Memory),
        Some(("embedded", directory)) if !directory.is_empty() => Ok(StoreChoice::Embedded(directory.into())),
        _ => Err("a store is embedded:DIRECTORY, such as embedded:./coatroom-data, or memory:".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_have_a_kind_and_perhaps_a_directory() {
        assert_eq!(parse("memory:"), Ok(StoreChoice::Memory));
        assert_eq!(parse("embedded:/tmp/a:b"), Ok(StoreChoice::Embedded("/tmp/a:b".into())));
    }

    #[test]
    fn other_stores_are_told_the_forms() {
        for text in ["", "memory", "memory:x", "embedded:", "redis://localhost", "./coatroom-data"] {
            assert!(parse(text).unwrap_err().contains("embedded:DIRECTORY"), "{text}");
        }
    }
}
