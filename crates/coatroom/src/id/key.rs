//! What a record is filed under: whose it is, and which.

use sha2::{Digest, Sha256};

use super::Locator;

/// The part of a store that belongs to one application.
///
/// Many applications may share a store and never meet: every key carries the namespace, and a
/// manager sees its own alone. Eight bytes of a SHA-256 of the name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(align(8))] // moved in whole words
pub struct Namespace([u8; 8]);

impl Namespace {
    /// The namespace of this name. Any text will do; equal names are equal namespaces.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let hash = Sha256::new_with_prefix(b"coatroom namespace\0").chain_update(name).finalize();
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash[..8]);
        Self(bytes)
    }

    /// A namespace from its eight bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The eight bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// What a store files a record under: a namespace and a locator.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// The application.
    pub namespace: Namespace,
    /// The session.
    pub locator: Locator,
}

impl Key {
    /// A stand-in where no key matters.
    pub(crate) const NONE: Self = Self { namespace: Namespace([0; 8]), locator: Locator([0; 16]) };

    /// Length of [`Key::to_bytes`].
    pub const LEN: usize = 24;

    /// Namespace and locator, one behind the other; the order of these bytes is the order of keys.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.namespace.0);
        bytes[8..].copy_from_slice(&self.locator.0);
        bytes
    }

    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut namespace = [0; 8];
        let mut locator = [0; 16];
        namespace.copy_from_slice(&bytes[..8]);
        locator.copy_from_slice(&bytes[8..]);
        Self { namespace: Namespace(namespace), locator: Locator(locator) }
    }
}
