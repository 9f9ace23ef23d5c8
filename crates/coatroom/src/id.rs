//! Who a session is: the locator that names it, the secret that opens it, the key it is stored under.

mod key;
mod locator;
mod secret;
#[cfg(test)]
mod tests;

use std::fmt;

use base64_simd::{AsOut, URL_SAFE_NO_PAD};
use zeroize::{Zeroize, Zeroizing};

pub use self::key::{Key, Namespace};
pub use self::locator::{InvalidLocator, Locator};
use self::secret::Secret;
pub(crate) use self::secret::SecretHash;

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
