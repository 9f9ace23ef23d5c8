//! Stores by URL, for programs whose operators choose one.

mod open;

use std::fmt;
#[cfg(feature = "embedded")]
use std::path::PathBuf;
use std::str::FromStr;

pub use self::open::{OpenStore, OpenStoreError};
#[cfg(feature = "embedded")]
use super::Durability;
#[cfg(feature = "postgres")]
use super::{PostgresUrl, PostgresUrlError};
#[cfg(feature = "redis")]
use super::{RedisUrl, RedisUrlError};

/// What the URL of a store says.
///
/// | URL | store |
/// |---|---|
/// | `embedded:DIRECTORY` | `EmbeddedStore` in that directory, all else by default |
/// | `embedded:DIRECTORY?durability=every-commit` | the same with `Durability::EveryCommit`; `interval` is the default |
/// | `memory:` | [`MemoryStore`](super::MemoryStore), all by default |
/// | `postgres://`, `postgresql://` | `PostgresStore`; `PostgresUrl` says what may follow |
/// | `redis://`, `rediss://`, `redis+cluster://`, `rediss+cluster://`, `redis+unix://` | `RedisStore`; `RedisUrl` says what may follow |
///
/// A kind whose feature is off is no URL of a store; the error says which feature brings it.
///
/// ```
/// use coatroom::store::StoreUrl;
///
/// let store = "memory:".parse::<StoreUrl>()?.open()?;
/// let sessions = coatroom::SessionManager::builder_shared(store.shared()).build()?;
/// # let _ = sessions;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreUrl {
    /// `embedded:`
    #[cfg(feature = "embedded")]
    Embedded {
        /// Where the files lie.
        directory: PathBuf,
        /// What a power cut may cost.
        durability: Durability,
    },
    /// `memory:`
    Memory,
    /// `postgres://`, `postgresql://`
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresUrl>),
    /// `redis://` and its kind.
    #[cfg(feature = "redis")]
    Redis(Box<RedisUrl>),
}

/// A URL names no store. Says which forms there are.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct StoreUrlError(String);

const FORMS: &str = "a store is embedded:DIRECTORY, such as embedded:./coatroom-data, memory:, redis://HOST, rediss://HOST, redis+cluster://HOST,HOST,HOST, or postgres://USER@HOST/DATABASE";

impl StoreUrlError {
    fn forms() -> Self {
        Self(FORMS.to_owned())
    }

    #[allow(dead_code)] // with all features there is no such kind
    fn without(feature: &str) -> Self {
        Self(format!(
            "this program was built without the {feature} store: enable the feature `{feature}` of coatroom"
        ))
    }
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(url: &str) -> Result<Self, StoreUrlError> {
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            #[cfg(feature = "embedded")]
            Some(("embedded", place)) => embedded(place),
            #[cfg(not(feature = "embedded"))]
            Some(("embedded", _)) => Err(StoreUrlError::without("embedded")),
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(Box::new(url.parse()?))),
            #[cfg(not(feature = "postgres"))]
            Some(("postgres" | "postgresql", _)) => Err(StoreUrlError::without("postgres")),
            Some((scheme, _)) if scheme.starts_with("redis") => redis(url),
            _ => Err(StoreUrlError::forms()),
        }
    }
}

#[cfg(feature = "redis")]
fn redis(url: &str) -> Result<StoreUrl, StoreUrlError> {
    Ok(StoreUrl::Redis(Box::new(url.parse()?)))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str) -> Result<StoreUrl, StoreUrlError> {
    Err(StoreUrlError::without("redis"))
}

#[cfg(feature = "postgres")]
impl From<PostgresUrlError> for StoreUrlError {
    fn from(error: PostgresUrlError) -> Self {
        Self(error.to_string())
    }
}

#[cfg(feature = "redis")]
impl From<RedisUrlError> for StoreUrlError {
    fn from(error: RedisUrlError) -> Self {
        Self(error.to_string())
    }
}

#[cfg(feature = "embedded")]
fn embedded(place: &str) -> Result<StoreUrl, StoreUrlError> {
    const OPTIONS: &str = "the one option of an embedded store is its durability, interval or every-commit, as in embedded:DIRECTORY?durability=every-commit; a directory has no question mark in its name";
    let (directory, durability) = match place.split_once('?') {
        None => (place, Durability::default()),
        Some((directory, "durability=interval")) => (directory, Durability::default()),
        Some((directory, "durability=every-commit")) => (directory, Durability::EveryCommit),
        Some(_) => return Err(StoreUrlError(OPTIONS.to_owned())),
    };
    if directory.is_empty() {
        return Err(StoreUrlError::forms());
    }
    Ok(StoreUrl::Embedded { directory: directory.into(), durability })
}

impl fmt::Display for StoreUrl {
    /// As it is read, but for a password, which is `***`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "embedded")]
            Self::Embedded { directory, durability } => {
                let durability = match durability {
                    Durability::EveryCommit => "?durability=every-commit",
                    Durability::Interval(_) => "",
                };
                write!(f, "embedded:{}{durability}", directory.display())
            }
            Self::Memory => f.write_str("memory:"),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => url.fmt(f),
            #[cfg(feature = "redis")]
            Self::Redis(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "embedded")]
mod tests {
    use super::*;

    fn parsed(url: &str) -> StoreUrl {
        url.parse().unwrap()
    }

    #[test]
    fn a_url_names_a_kind_and_perhaps_a_directory() {
        let directory = PathBuf::from("/tmp/a:b");
        let durability = Durability::default();
        assert_eq!(parsed("memory:"), StoreUrl::Memory);
        assert_eq!(parsed("embedded:/tmp/a:b"), StoreUrl::Embedded { directory, durability });
    }

    #[test]
    fn a_url_may_ask_for_durability() {
        let directory = PathBuf::from("data");
        let durability = Durability::EveryCommit;
        assert_eq!(parsed("embedded:data?durability=interval"), parsed("embedded:data"));
        assert_eq!(
            parsed("embedded:data?durability=every-commit"),
            StoreUrl::Embedded { directory, durability }
        );
        for url in
            ["embedded:data?durability=never", "embedded:data?durabilty=every-commit", "embedded:data?"]
        {
            let refusal = url.parse::<StoreUrl>().unwrap_err().to_string();
            assert!(refusal.contains("?durability=every-commit"), "{url}: {refusal}");
        }
    }

    #[test]
    fn other_texts_are_told_the_forms() {
        for text in
            ["", "memory", "memory:x", "embedded:", "embedded:?durability=interval", "http://x", "./data"]
        {
            let error = text.parse::<StoreUrl>().unwrap_err().to_string();
            assert!(error.contains("embedded:DIRECTORY"), "{text}");
        }
    }

    #[test]
    fn a_url_is_written_as_it_is_read() {
        for url in ["memory:", "embedded:data", "embedded:data?durability=every-commit"] {
            assert_eq!(parsed(url).to_string(), url);
        }
    }
}
