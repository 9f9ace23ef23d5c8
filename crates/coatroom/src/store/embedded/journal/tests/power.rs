//! What a power cut may leave of the segments.

use super::*;

/// Every state of the segments since the last sync may be what the disk has of a sector: all mixes of
/// them are legal after a power cut, in 512 bytes (what a disk writes whole) or 4096 (a page).
#[test]
fn no_power_cut_takes_what_was_synced_or_yields_what_was_never_appended() {
    for seed in 0..60 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let sector = if chance.bool() { 512 } else { 4096 };
        let access = if chance.bool() { Access::MapIfPossible } else { Access::WriteForSync };
        let directory = tempfile::tempdir().unwrap();
        let (journal, _) = open_after(directory.path(), access, 0);
        let (mut versions, mut checkpoint, mut next) = (vec![contents(directory.path())], 0, 0);
        let (mut synced, mut carried) = (0, 0);
        for _ in 0..400 {
            match chance.u32(0..20) {
                0 => {
                    journal.sync().unwrap();
                    synced = next;
                    versions.clear();
                }
                1 => {
                    // Whoever makes a checkpoint brings it to the disk first.
                    (checkpoint, carried) = (journal.seal(), next);
                    journal.recycle(checkpoint);
                    journal.prepare_spare().unwrap();
                }
                _ => {
                    let size = chance.usize(0..3_000);
                    match put(&journal, next, &payload(next, size)) {
                        Ok(_) => next += 1,
                        Err(Refusal::NoRoom) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
            }
            versions.push(contents(directory.path()));
            if chance.u32(0..25) == 0 {
                let image = tempfile::tempdir().unwrap();
                survive(&versions, sector, &mut chance, image.path());
                let (_, seen) = open_after(image.path(), access, checkpoint);
                let numbers = numbers(&seen);
                assert!(numbers.is_sorted_by(|a, b| a < b), "seed {seed}: {numbers:?}");
                assert!(numbers.iter().all(|number| *number < next), "seed {seed}");
                for (_, number, found) in &seen {
                    assert!(*found == payload(*number, found.len()), "seed {seed}: {number} is a mix");
                }
                for promised in carried..synced {
                    assert!(numbers.contains(&promised), "seed {seed}: {promised} was synced");
                }
            }
        }
    }
}

/// Bytes that follow from the number and the length, none of which is zero.
fn payload(number: u64, len: usize) -> Vec<u8> {
    (0..len).map(|at| (number * 31 + len as u64 + at as u64 / 64) as u8 | 1).collect()
}

type Contents = std::collections::BTreeMap<std::ffi::OsString, Vec<u8>>;

fn contents(directory: &Path) -> Contents {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect()
}

/// One of the images that the disk may have: of each sector any version, or zeros where the file is
/// newer than the oldest.
fn survive(versions: &[Contents], sector: usize, chance: &mut fastrand::Rng, to: &Path) {
    for (name, newest) in &versions[versions.len() - 1] {
        let mut bytes = newest.clone();
        // Often everything but a few sectors, since that is where reading stops.
        let share = chance.u32(1..20);
        for (number, place) in bytes.chunks_mut(sector).enumerate() {
            if chance.u32(0..share) == 0 {
                let version = &versions[chance.usize(0..versions.len())];
                let at = number * sector..number * sector + place.len();
                match version.get(name).and_then(|bytes| bytes.get(at)) {
                    Some(old) => place.copy_from_slice(old),
                    None => place.fill(0),
                }
            }
        }
        std::fs::write(to.join(name), bytes).unwrap();
    }
}
