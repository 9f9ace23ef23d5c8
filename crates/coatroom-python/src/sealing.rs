//! Sealing of small texts under a key that never leaves the caller.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

const KEY: usize = 32;
const NONCE: usize = 24;

/// Seals plain under key (32 bytes), bound to context and nonce (24 random bytes).
#[pyfunction]
pub(crate) fn seal<'py>(
    py: Python<'py>,
    key: &[u8],
    nonce: &[u8],
    context: &[u8],
    plain: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let (cipher, nonce) = cipher(key, nonce)?;
    let sealed = cipher.encrypt(nonce, Payload { msg: plain, aad: context });
    let sealed = sealed.map_err(|_| PyValueError::new_err("sealing failed: the text is too long"))?;
    Ok(PyBytes::new(py, &sealed))
}

/// Opens what seal made; None where key, nonce or context are others or the bytes were changed.
#[pyfunction]
pub(crate) fn open<'py>(
    py: Python<'py>,
    key: &[u8],
    nonce: &[u8],
    context: &[u8],
    sealed: &[u8],
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let (cipher, nonce) = cipher(key, nonce)?;
    let plain = cipher.decrypt(nonce, Payload { msg: sealed, aad: context }).ok();
    Ok(plain.map(|plain| PyBytes::new(py, &plain)))
}

fn cipher<'a>(key: &[u8], nonce: &'a [u8]) -> PyResult<(XChaCha20Poly1305, &'a XNonce)> {
    if key.len() != KEY || nonce.len() != NONCE {
        let text = format!("sealing takes a key of {KEY} bytes and a nonce of {NONCE}");
        return Err(PyValueError::new_err(text));
    }
    Ok((XChaCha20Poly1305::new(Key::from_slice(key)), XNonce::from_slice(nonce)))
}
