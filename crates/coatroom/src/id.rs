//! Who a session is: the locator that names it, the secret that opens it, the key it is stored under.

use std::fmt;
use std::str::FromStr;

use base64_simd::{AsOut, URL_SAFE_NO_PAD};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// What the cookie carries: a [`Locator`] and a secret.
///
/// 384 random bits from the operating system (128 of locator, 256 of secret; OWASP ASVS 7.2.3 asks
/// for 128), in exactly one text form: 64 characters of unpadded base64url. The type has no
/// `Display` and no `Serialize`, and its `Debug` shows the locator alone, so that it cannot slip
/// into a log. [`SessionId::expose`] is the one way to its text.
#[derive(Clone, Eq, PartialEq)]
pub struct SessionId {
    locator: Locator,
    secret: Secret,
}

impl SessionId {
    /// Length of the text form, in characters.
    pub const TEXT_LEN: usize = 64;
    const BYTES: usize = Locator::LEN + Secret::LEN;

    /// Draws a new id from the operating system.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the operating system gives no random bytes; no id is made then.
    pub fn generate() -> Result<Self, EntropyError> {
        let mut bytes = [0; Self::BYTES];
        getrandom::fill(&mut bytes).map_err(|_| EntropyError)?;
        let id = Self::from_bytes(&bytes);
        bytes.zeroize();
        Ok(id)
    }

    /// Reads the text form. Anything but the canonical 64 characters is `None`: a malformed id is
    /// a result, not an error, and costs no store call.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        // 48 bytes fill 64 characters exactly, so there are no trailing bits that could differ
        // between two spellings of one id.
        if text.len() != Self::TEXT_LEN {
            return None;
        }
        let mut bytes = [0; Self::BYTES];
        let written = URL_SAFE_NO_PAD.decode(text, bytes.as_mut_slice().as_out()).ok()?.len();
        let id = (written == Self::BYTES).then(|| Self::from_bytes(&bytes));
        bytes[Locator::LEN..].zeroize();
        id
    }

    /// The text form: a credential. Whoever holds it holds the session; never log or store it.
    #[must_use]
    pub fn expose(&self) -> String {
        let mut text = String::with_capacity(Self::TEXT_LEN);
        self.expose_into(&mut text);
        text
    }

    /// Appends the text form, for a caller that has a longer text to make of it.
    pub(crate) fn expose_into(&self, text: &mut String) {
        let mut bytes = [0; Self::BYTES];
        bytes[..Locator::LEN].copy_from_slice(&self.locator.0);
        bytes[Locator::LEN..].copy_from_slice(&*self.secret.to_bytes());
        URL_SAFE_NO_PAD.encode_append(bytes.as_slice(), text);
        bytes.zeroize();
    }

    /// The public half.
    #[must_use]
    pub fn locator(&self) -> Locator {
        self.locator
    }

    /// The same locator with a new secret, as [`renew`](crate::Session::renew) makes it.
    pub(crate) fn renewed(locator: Locator) -> Result<Self, EntropyError> {
        let mut secret = Zeroizing::new([0; Secret::LEN]);
        getrandom::fill(&mut *secret).map_err(|_| EntropyError)?;
        Ok(Self { locator, secret: Secret::from_bytes(&secret) })
    }

    #[inline]
    pub(crate) fn hash(&self) -> SecretHash {
        self.secret.hash()
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut locator = [0; Locator::LEN];
        let mut secret = Secret([0; 4]);
        locator.copy_from_slice(&bytes[..Locator::LEN]);
        // Straight into the words, so that no copy of it has to be wiped byte by byte.
        for (word, bytes) in secret.0.iter_mut().zip(bytes[Locator::LEN..].as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self { locator: Locator(locator), secret }
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({}, secret withheld)", self.locator)
    }
}

/// The operating system gave no random bytes, so no session id could be made.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("making a session id failed: the operating system gave no random bytes")]
#[non_exhaustive]
pub struct EntropyError;

/// The public half of a session id: what stores, logs and consoles call the session.
///
/// 128 bits, shown as 32 lower-case hexadecimal digits. It does not change at login, and knowing it
/// opens nothing.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(align(8))] // moved in whole words
pub struct Locator([u8; 16]);

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

/// The half that opens a session. It exists in the cookie and for the length of a request.
///
/// Four words rather than 32 bytes, since each is wiped by a write of its own.
#[derive(Clone, Eq, PartialEq)]
struct Secret([u64; 4]);

impl Secret {
    const LEN: usize = 32;

    /// The block of a hash, still without the secret. Section 5.1.1: a one bit behind the message,
    /// and its length in bits at the end.
    const PADDED: [u8; 64] = {
        let mut block = [0; 64];
        block[Self::LEN] = 0x80;
        [block[62], block[63]] = (8 * Self::LEN as u16).to_be_bytes();
        block
    };

    fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        Self(words(bytes))
    }

    fn to_bytes(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// SHA-256 (FIPS 180-4). A secret and its padding fill exactly one block, so the buffering of
    /// the general way, which takes nearly as long as the hash, is left out.
    fn hash(&self) -> SecretHash {
        let mut block = Self::PADDED;
        for (bytes, word) in block.chunks_exact_mut(8).zip(&self.0) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let mut state = SHA256_START;
        compress256(&mut state, &[block]);
        let mut hash = [0; 32];
        for (bytes, word) in hash.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        SecretHash(hash)
    }
}

/// Section 5.3.3 of FIPS 180-4.
const SHA256_START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The SHA-256 of a secret: what a record keeps. Compared in constant time (OWASP ASVS 11.2.4).
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretHash(pub(crate) [u8; 32]);

impl SecretHash {
    #[inline]
    pub(crate) fn matches(&self, stored: &[u8; 32]) -> bool {
        // By words rather than bytes, and all differences in one: a single barrier against the
        // optimizer.
        let words = words(&self.0).into_iter().zip(words(stored));
        let differences = words.fold(0, |differences, (ours, theirs)| differences | ours ^ theirs);
        differences.ct_eq(&0).into()
    }
}

#[inline]
fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text_form_of_64_characters() {
        let id = SessionId::generate().unwrap();
        let text = id.expose();
        assert_eq!(text.len(), SessionId::TEXT_LEN);
        assert!(SessionId::parse(text.as_bytes()) == Some(id));
        for wrong in [
            &text[..63],
            &format!("{text}A"),
            &text.replacen(&text[..1], "+", 1),
            &format!("{}=", &text[..63]),
        ] {
            assert!(SessionId::parse(wrong.as_bytes()).is_none());
        }
    }

    #[test]
    fn the_hash_of_a_secret_is_its_sha_256() {
        for _ in 0..100 {
            let secret = SessionId::generate().unwrap().secret;
            let hash: [u8; 32] = Sha256::digest(*secret.to_bytes()).into();
            assert_eq!(secret.hash().0, hash);
            assert!(secret.hash().matches(&hash));
            for bit in 0..256 {
                let mut other = hash;
                other[bit / 8] ^= 1 << (bit % 8);
                assert!(!secret.hash().matches(&other));
            }
        }
    }

    #[test]
    fn debug_withholds_the_secret() {
        let id = SessionId::generate().unwrap();
        let shown = format!("{id:?}");
        assert!(shown.contains(&id.locator().to_string()));
        assert!(!shown.contains(&id.expose()[24..40]));
    }

    #[test]
    fn a_locator_reads_what_it_shows_and_nothing_else() {
        let locator = SessionId::generate().unwrap().locator();
        assert_eq!(locator.to_string().parse::<Locator>().unwrap(), locator);
        for wrong in
            ["", "abc", &locator.to_string().to_uppercase().replace(char::is_numeric, "A"), &"+".repeat(32)]
        {
            assert!(wrong.parse::<Locator>().is_err());
        }
    }

    #[test]
    fn keyed_locators_differ_by_namespace_and_key() {
        let (a, b) = (Namespace::new("a"), Namespace::new("b"));
        assert_eq!(Locator::keyed(a, b"k"), Locator::keyed(a, b"k"));
        assert_ne!(Locator::keyed(a, b"k"), Locator::keyed(b, b"k"));
        assert_ne!(Locator::keyed(a, b"k"), Locator::keyed(a, b"K"));
    }
}
