//! Pickles of text, numbers and the like, read without an unpickler.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyNotImplemented};

/// Before a pickle that refers to no persistent object: their number, in four bytes.
const NO_REFERENCES: &[u8] = &[0; 4];

/// The value of an attribute that is one text, bytes, number, bool or None; NotImplemented for any
/// other. The pickle lies behind the number of its references.
#[pyfunction]
pub(crate) fn plain_value(py: Python<'_>, body: &[u8]) -> PyResult<Py<PyAny>> {
    match body.strip_prefix(NO_REFERENCES).and_then(parse) {
        Some(Plain::None) => Ok(py.None()),
        Some(Plain::Bool(value)) => value.into_py_any(py),
        Some(Plain::Int(value)) => value.into_py_any(py),
        Some(Plain::Float(value)) => value.into_py_any(py),
        Some(Plain::Text(value)) => value.into_py_any(py),
        Some(Plain::Bytes(value)) => PyBytes::new(py, value).into_py_any(py),
        None => PyNotImplemented::get(py).into_py_any(py),
    }
}

enum Plain<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// The one value of a pickle, by the operations of protocols 2 to 4 (Python's pickletools).
fn parse(pickled: &[u8]) -> Option<Plain<'_>> {
    let rest = pickled.strip_prefix(&[0x80])?.split_first()?.1;
    let rest = rest.strip_prefix(&[0x95]).map_or(Some(rest), |framed| framed.get(8..))?;
    let (operation, rest) = rest.split_first()?;
    let (value, rest) = match operation {
        b'N' => (Plain::None, rest),
        0x88 => (Plain::Bool(true), rest),
        0x89 => (Plain::Bool(false), rest),
        b'K' => take(rest, |[byte]: [u8; 1]| Plain::Int(byte.into()))?,
        b'M' => take(rest, |bytes| Plain::Int(u16::from_le_bytes(bytes).into()))?,
        b'J' => take(rest, |bytes| Plain::Int(i32::from_le_bytes(bytes).into()))?,
        b'G' => take(rest, |bytes| Plain::Float(f64::from_be_bytes(bytes)))?,
        0x8c => text(rest, 1)?,
        b'X' => text(rest, 4)?,
        b'C' => counted(rest, 1).map(|(bytes, rest)| (Plain::Bytes(bytes), rest))?,
        b'B' => counted(rest, 4).map(|(bytes, rest)| (Plain::Bytes(bytes), rest))?,
        _ => return None,
    };
    // What could be referred to again is put into a memo before the end.
    (rest.strip_prefix(&[0x94]).unwrap_or(rest) == b".").then_some(value)
}

fn take<'a, const N: usize>(
    bytes: &'a [u8],
    value: impl FnOnce([u8; N]) -> Plain<'a>,
) -> Option<(Plain<'a>, &'a [u8])> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    Some((value(*taken), rest))
}

/// Bytes behind their count, which is a little-endian number of so many bytes.
fn counted(bytes: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_at_checked(width)?;
    let count = count.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    rest.split_at_checked(count)
}

fn text(bytes: &[u8], width: usize) -> Option<(Plain<'_>, &[u8])> {
    let (bytes, rest) = counted(bytes, width)?;
    Some((Plain::Text(std::str::from_utf8(bytes).ok()?), rest))
}
