//! The locator: the public name of a session.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::Namespace;

/// The public half of a session id: what stores, logs and consoles call the session.
///
/// 128 bits, shown as 32 lower-case hexadecimal digits. It does not change at login, and knowing it
/// opens nothing.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(align(8))] // moved in whole words
pub struct Locator(pub(super) [u8; 16]);

impl Locator {
    pub(crate) const LEN: usize = 16;

    /// A locator from its 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The locator of a keyed session: a hash of namespace and key, each preceded by its length, so
    /// that no two pairs can run together.
    #[must_use]
    pub fn keyed(namespace: Namespace, key: &[u8]) -> Self {
        let mut hash = Sha256::new_with_prefix(b"coatroom keyed session\0");
        hash.update(namespace.as_bytes());
        hash.update((key.len() as u64).to_le_bytes());
        hash.update(key);
        let mut locator = [0; Self::LEN];
        locator.copy_from_slice(&hash.finalize()[..Self::LEN]);
        Self(locator)
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Locator {
    type Err = InvalidLocator;

    fn from_str(text: &str) -> Result<Self, InvalidLocator> {
        let canonical = |c: &u8| c.is_ascii_digit() || (b'a'..=b'f').contains(c);
        if text.len() != 2 * Self::LEN || !text.as_bytes().iter().all(canonical) {
            return Err(InvalidLocator);
        }
        u128::from_str_radix(text, 16).map(|bits| Self(bits.to_be_bytes())).map_err(|_| InvalidLocator)
    }
}

/// The text is not a locator.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a locator is 32 lower-case hexadecimal digits")]
#[non_exhaustive]
pub struct InvalidLocator;
