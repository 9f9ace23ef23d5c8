//! What the disk holds is sound by itself, whatever a power cut takes from the page cache.

use super::*;

/// Every page of what was written since the last sync may be missing: the files open all the same,
/// with what was synced.
#[test]
fn files_open_whatever_pages_of_an_unsynced_batch_are_missing() {
    const PAGE: usize = 4096;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = still(&path);
    (0..50).for_each(|number| create(&store, record_of(number, 1, 700, None)));
    checkpoint(&store);
    let _pause = store.core.checkpointing.lock();
    let journal = Path::new("files").join("0.jnl");
    let mut before = std::fs::read(path.join(&journal)).unwrap();
    for batch in 0..4_u8 {
        let mut changes = db::Batch::default();
        (0..40).for_each(|number: u8| changes.put(&[b'x', batch, number], &[number | 1; 600]));
        store.core.db.write(changes).unwrap();
    }
    store.core.db.hand_over().unwrap();
    let mut after = std::fs::read(path.join(&journal)).unwrap();
    after.resize(after.len().next_multiple_of(PAGE), 0);
    before.resize(after.len(), 0);
    let pages = 0..before.len() / PAGE;
    let page = |number: &usize| number * PAGE..(number + 1) * PAGE;
    let changed: Vec<usize> = pages.filter(|number| before[page(number)] != after[page(number)]).collect();
    assert!(changed.len() > 20);
    let mut chance = fastrand::Rng::with_seed(7);
    for round in 0..40 {
        let copy = directory.path().join(round.to_string());
        copy_of(&path, &copy);
        let mut image = after.clone();
        // One page after the other first, then any of them.
        let mut lost = |number: &usize| {
            if round < 24 { changed[round % changed.len()] == *number } else { chance.bool() }
        };
        for number in changed.iter().copied().filter(&mut lost) {
            image[page(&number)].copy_from_slice(&before[page(&number)]);
        }
        std::fs::write(copy.join(&journal), image).unwrap();
        let store = EmbeddedStore::open(&copy).unwrap_or_else(|error| panic!("round {round}: {error}"));
        (0..50).for_each(|number| assert_eq!(revision_of(&store, number), Some(1)));
        store.close().unwrap();
        std::fs::remove_dir_all(copy).unwrap();
    }
}

/// Directories that a power cut left behind while they were being made.
#[test]
fn files_that_were_being_made_are_made_again() {
    let directory = tempfile::tempdir().unwrap();
    drop(EmbeddedStore::open(directory.path()).unwrap());
    std::fs::rename(directory.path().join("files"), directory.path().join("files.new")).unwrap();
    std::fs::remove_file(directory.path().join("files.new").join("version")).unwrap();
    create(&EmbeddedStore::open(directory.path()).unwrap(), record(1, 1));
    assert!(!directory.path().join("files.new").exists());
}
