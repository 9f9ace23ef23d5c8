//! The keys of a site, where every request needs them: tags of values, signatures of browser ids.
//!
//! Both are keyed BLAKE2b (RFC 7693). What is compared is compared in constant time.

use base64_simd::URL_SAFE;
use blake2::Blake2bMac;
use blake2::digest::consts::{U15, U16};
use blake2::digest::{KeyInit, Mac};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

const ID: usize = 4;
const TAG: usize = 16;

/// Keys that authenticate and sign: a list of (id, key of values, key of signatures), the newest first.
#[pyclass(module = "coatroom._native", frozen, subclass)]
pub(crate) struct KeyRing(Vec<Key>);

/// One key's states, each with its key taken in.
struct Key {
    id: [u8; ID],
    values: Blake2bMac<U16>,
    signatures: Blake2bMac<U15>,
}

#[pymethods]
impl KeyRing {
    #[new]
    fn new(keys: Vec<([u8; ID], [u8; 32], [u8; 32])>) -> PyResult<Self> {
        if keys.is_empty() {
            return Err(PyValueError::new_err("a key ring has at least one key"));
        }
        let key = |(id, values, signatures): &([u8; ID], [u8; 32], [u8; 32])| {
            Ok(Key { id: *id, values: keyed(values)?, signatures: keyed(signatures)? })
        };
        Ok(Self(keys.iter().map(key).collect::<PyResult<_>>()?))
    }

    /// The body with its key's id and tag before it.
    fn authenticate<'py>(&self, py: Python<'py>, context: &[u8], body: &[u8]) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.tagged(&[context], body))
    }

    /// The body, or None where it is not what was authenticated in this context.
    fn authentic<'py>(&self, py: Python<'py>, context: &[u8], data: &[u8]) -> Option<Bound<'py, PyBytes>> {
        self.untagged(&[context], data).map(|body| PyBytes::new(py, body))
    }

    /// The tail that makes a text one of this site.
    fn sign(&self, text: &str) -> String {
        let mac = self.0[0].signatures.clone().chain_update(text);
        URL_SAFE.encode_to_string(mac.finalize().into_bytes())
    }

    /// Whether one of the keys signed the text.
    fn is_signed(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = URL_SAFE.decode_to_vec(signature) else { return false };
        self.0.iter().any(|key| key.signatures.clone().chain_update(text).verify_slice(&signature).is_ok())
    }
}

impl KeyRing {
    /// The body with its key's id and tag before it; the context comes in parts.
    pub(crate) fn tagged(&self, context: &[&[u8]], body: &[u8]) -> Vec<u8> {
        let key = &self.0[0];
        let tag = key.tag_of(context, body).finalize().into_bytes();
        let mut data = Vec::with_capacity(ID + TAG + body.len());
        data.extend_from_slice(&key.id);
        data.extend_from_slice(&tag);
        data.extend_from_slice(body);
        data
    }

    /// The body, where it was authenticated in this context.
    pub(crate) fn untagged<'a>(&self, context: &[&[u8]], data: &'a [u8]) -> Option<&'a [u8]> {
        let (id, rest) = data.split_first_chunk::<ID>()?;
        let (tag, body) = rest.split_first_chunk::<TAG>()?;
        let key = self.0.iter().find(|key| key.id == *id)?;
        key.tag_of(context, body).verify_slice(tag).is_ok().then_some(body)
    }
}

impl Key {
    fn tag_of(&self, context: &[&[u8]], body: &[u8]) -> Blake2bMac<U16> {
        // What is longer than four gibibytes never came to be: a session has its limit.
        let length = context.iter().map(|part| part.len() as u32).sum::<u32>();
        let mut mac = self.values.clone().chain_update(length.to_be_bytes());
        context.iter().for_each(|part| mac.update(part));
        mac.chain_update(body)
    }
}

fn keyed<M: KeyInit>(key: &[u8; 32]) -> PyResult<M> {
    M::new_from_slice(key).map_err(|error| PyValueError::new_err(error.to_string()))
}
