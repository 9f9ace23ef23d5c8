//! What a power cut leaves of fjall's newest journal.
//!
//! fjall cuts a journal behind its last whole batch where the rest was never written. A batch with
//! a page missing in its middle, though, it takes for damage, and does not open. Such a batch was
//! never synced, so nothing is promised of it, and our own journal has what it says: it is cut off
//! before fjall looks. Damage to what was synced is another matter: behind it nothing is left of what
//! our journal no longer has, and the files are not opened.
//!
//! A batch is a start (tag 1, items (4), sequence number (8)), its items (tag 2, kind (1),
//! compression (1), keyspace (8), lengths of key (2), of value (4) and of value as stored (4), key,
//! value) and an end (tag 3, xxh3 of all items (8), `FJL\x03`); little-endian. The version of fjall
//! is pinned, and its journal is written without compression.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::keys;

/// Cuts the newest journal of fjall behind its last whole batch, if something stands there. What is
/// left is on the disk then: a process that was killed in a sync has left a mark that was not, and
/// a second one before the next sync would look like damage after a power cut.
pub(super) fn cut(files: &Path) -> io::Result<()> {
    let Some(path) = newest(files)? else { return Ok(()) };
    let bytes = fs::read(&path)?;
    let file = fs::OpenOptions::new().write(true).open(&path)?;
    let whole = whole(&bytes);
    if was_never_written(&bytes[whole..]) {
        return file.sync_all();
    }
    if was_synced(&bytes[whole..]) {
        let what =
            format!("{} is damaged at byte {whole} or behind it, in what had been synced", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    tracing::warn!(journal = %path.display(), at = whole, "the journal of the files ends in a batch that is not whole; it is cut there");
    file.set_len(whole as u64)?;
    file.sync_all()
}

/// Those before it were synced before it was begun.
fn newest(files: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in fs::read_dir(files)? {
        let path = entry?.path();
        let number =
            path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok());
        newest = newest.max(number.map(|number| (number, path)));
    }
    Ok(newest.map(|(_, path)| path))
}

/// fjall makes its journals many megabytes long at once: they are looked through a page at a time.
fn was_never_written(bytes: &[u8]) -> bool {
    static PAGE: [u8; 4096] = [0; 4096];
    bytes.chunks(PAGE.len()).all(|page| *page == PAGE[..page.len()])
}

/// Where the last whole batch ends.
fn whole(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some(behind) = behind_batch(rest) {
        rest = behind;
    }
    bytes.len() - rest.len()
}

/// Whether what begins here was on the disk once. A checkpoint ends with its mark and a sync, and no other
/// begins before that: where the marks of two stand behind, the first one synced it.
///
/// The batches are found by the lengths that they tell and by nothing that visitors wrote; where those
/// are damaged too, nobody can tell.
fn was_synced(bytes: &[u8]) -> bool {
    let mut next = batch(bytes);
    let mut marks = 0;
    while let Some(found) = next {
        marks += usize::from(found.whole && found.marked);
        next = batch(found.behind);
    }
    marks >= 2
}

fn behind_batch(bytes: &[u8]) -> Option<&[u8]> {
    batch(bytes).filter(|batch| batch.whole).map(|batch| batch.behind)
}

struct Batch<'a> {
    /// Whether its items are as they were written.
    whole: bool,
    /// Whether it ends a checkpoint.
    marked: bool,
    behind: &'a [u8],
}

/// The batch that begins here.
fn batch(bytes: &[u8]) -> Option<Batch<'_>> {
    let (start, items) = bytes.split_first_chunk::<13>()?;
    let [1, a, b, c, d, ..] = *start else { return None };
    let mut rest = items;
    let mut marked = false;
    for _ in 0..u32::from_le_bytes([a, b, c, d]) {
        let (key, behind) = item(rest)?;
        marked |= key == keys::CHECKPOINT;
        rest = behind;
    }
    let items = &items[..items.len() - rest.len()];
    let (end, behind) = rest.split_first_chunk::<13>()?;
    let ends = end[0] == 3 && end[9..] == *b"FJL\x03";
    let whole = end[1..9] == xxh3_64(items).to_le_bytes();
    ends.then_some(Batch { whole, marked, behind })
}

/// The key of an item, and what lies behind it.
fn item(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<21>()?;
    if !matches!(head, [2, 0 | 1 | 2 | 4, 0, ..]) || head[13..17] != head[17..] {
        return None;
    }
    let key = usize::from(u16::from_le_bytes([head[11], head[12]]));
    let value = u32::from_le_bytes([head[13], head[14], head[15], head[16]]) as usize;
    let behind = rest.get(key.checked_add(value)?..)?;
    Some((&rest[..key], behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a journal is, of which these bytes lie far behind its beginning, once it was cut.
    fn length_of_cut(behind: &[u8]) -> usize {
        let files = tempfile::tempdir().unwrap();
        let journal = files.path().join("0.jnl");
        fs::write(&journal, [&[0; 10_000], behind].concat()).unwrap();
        cut(files.path()).unwrap();
        fs::read(journal).unwrap().len()
    }

    #[test]
    fn what_was_never_written_is_left_for_the_next_batches() {
        assert_eq!(length_of_cut(&[0; 5_000]), 15_000);
    }

    #[test]
    fn what_a_power_cut_left_behind_pages_that_it_took_is_cut_off() {
        assert_eq!(length_of_cut(&[0, 1]), 0);
    }
}
