//! The secret that opens a session, and the hash that is kept of it.

use sha2::block_api::compress256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// The half that opens a session. It exists in the cookie and for the length of a request.
///
/// Four words rather than 32 bytes, since each is wiped by a write of its own.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Secret(pub(super) [u64; 4]);

impl Secret {
    pub(super) const LEN: usize = 32;

    /// The block of a hash, still without the secret. Section 5.1.1: a one bit behind the message,
    /// and its length in bits at the end.
    const PADDED: [u8; 64] = {
        let mut block = [0; 64];
        block[Self::LEN] = 0x80;
        [block[62], block[63]] = (8 * Self::LEN as u16).to_be_bytes();
        block
    };

    pub(super) fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        Self(words(bytes))
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// SHA-256 (FIPS 180-4). A secret and its padding fill exactly one block, so the buffering of
    /// the general way, which takes nearly as long as the hash, is left out.
    pub(super) fn hash(&self) -> SecretHash {
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
