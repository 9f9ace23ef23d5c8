//! What the disk holds is sound by itself, whatever a power cut takes from the page cache.

use std::sync::atomic::AtomicBool;

use super::*;

/// The files as the last checkpoint left them, and a journal of which the disk has nothing.
fn without_journal(store: &EmbeddedStore, to: &Path) -> EmbeddedStore {
    copy_of(&store.core.path, to);
    for segment in std::fs::read_dir(to.join("journal")).unwrap() {
        let path = segment.unwrap().path();
        let len = std::fs::metadata(&path).unwrap().len();
        std::fs::File::create(&path).unwrap().set_len(len).unwrap();
    }
    still(to)
}

fn due(store: &EmbeddedStore) -> Vec<u64> {
    let late = START + IDLE + Duration::from_secs(30);
    now(store.claim_expired(namespace(), late, late + IDLE, 10_000))
        .records
        .iter()
        .map(Record::revision)
        .collect()
}

/// The answer of a store whose checkpoints pause, on a slow machine until its journal is full.
fn once_there_is_room<T: Unpin>(work: impl Fn() -> StoreFuture<T>) -> T {
    loop {
        match result(work()) {
            Err(StoreError::Full { .. }) => std::thread::yield_now(),
            answer => return answer.unwrap(),
        }
    }
}

/// Sessions change hands while a checkpoint carries them over.
#[test]
fn the_files_alone_list_every_session_under_its_principal_and_its_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(&directory.path().join("store"));
    let name = |revision: u64| format!("principal {}", revision % 3);
    let state = |number, revision| record_of(number, revision, 100, Some(&name(revision)));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (store, done) = (&store, &done);
            scope.spawn(move || {
                for revision in (1..).take_while(|_| !done.load(Ordering::Relaxed)) {
                    for number in (0..60).map(|number| 1_000 * thread + number) {
                        let record = || state(number, revision);
                        match once_there_is_room(|| store.commit(revision - 1, record(), START)) {
                            Commit::Landed(_) => {}
                            _ => {
                                let created = once_there_is_room(|| store.create(record(), START));
                                assert!(matches!(created, Creation::Created(_)));
                            }
                        }
                        if (revision + number) % 7 == 0 {
                            once_there_is_room(|| store.remove(&key(number), START));
                        }
                    }
                }
            });
        }
        for round in 0..6 {
            checkpoint(&store);
            let pause = store.core.checkpointing.lock();
            let left = without_journal(&store, &directory.path().join(round.to_string()));
            drop(pause);
            let mut records = now(left.page(namespace(), None, 10_000, START)).records;
            let lists = (0..3).flat_map(|n| now(left.of_principal(namespace(), &name(n), START)));
            let sorted = |mut keys: Vec<Key>| {
                keys.sort();
                keys
            };
            let listed = sorted(lists.map(|record| *record.key()).collect());
            assert_eq!(listed, sorted(records.iter().map(|record| *record.key()).collect()), "round {round}");
            let mut due = due(&left);
            due.sort_unstable();
            records.sort_by_key(Record::revision);
            assert_eq!(due, records.iter().map(Record::revision).collect::<Vec<_>>(), "round {round}");
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_session_whose_end_is_lost_is_swept_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(&directory.path().join("store"));
    (1..=3).for_each(|number| create(&store, record(number, number)));
    checkpoint(&store);
    let _pause = store.core.checkpointing.lock();
    assert!(now(store.remove(&key(2), START)).is_some());
    let mut swept = due(&store);
    swept.sort_unstable();
    assert_eq!(swept, [1, 3]);
    let left = without_journal(&store, &directory.path().join("left"));
    assert_eq!(revision_of(&left, 2), Some(2), "nobody was promised its end");
    let later = START + 3 * IDLE;
    assert_eq!(now(left.claim_expired(namespace(), later, later, 9)).records.len(), 3);
}

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
    let (whole, begun) = (directory.path().join("whole"), directory.path().join("begun"));
    drop(EmbeddedStore::open(&whole).unwrap());
    std::fs::create_dir(&begun).unwrap();
    copy_of(&whole.join("format"), &begun.join("format"));
    copy_of(&whole.join("files"), &begun.join("files.new"));
    std::fs::remove_file(begun.join("files.new").join("version")).unwrap();
    create(&EmbeddedStore::open(&begun).unwrap(), record(1, 1));
    assert!(!begun.join("files.new").exists());
}

/// Where the value of the record lies in the files' journal.
fn place_in(journal: &[u8], record: &Record) -> usize {
    let bytes = record.bytes();
    journal.windows(bytes.len()).position(|window| window == bytes).unwrap() + bytes.len() - 1
}

/// A power cut takes only what was not synced; what was, a failing disk takes.
#[test]
fn files_damaged_where_they_were_synced_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = still(&path);
    for number in 1..=3 {
        create(&store, record(number, number));
        checkpoint(&store);
    }
    let _pause = store.core.checkpointing.lock();
    for number in 1..=3 {
        let copy = directory.path().join(number.to_string());
        copy_of(&path, &copy);
        let journal = copy.join("files").join("0.jnl");
        let mut bytes = std::fs::read(&journal).unwrap();
        let place = place_in(&bytes, &record(number, number));
        bytes[place] ^= 1;
        std::fs::write(&journal, bytes).unwrap();
        match EmbeddedStore::open(&copy) {
            // That the last checkpoint was synced only its sync could tell.
            Ok(store) => assert_eq!((number, revision_of(&store, 1)), (3, Some(1))),
            Err(OpenError::Corrupted { what, .. }) => {
                assert!(number < 3 && what.contains("0.jnl") && what.contains("synced"), "{what}");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}
