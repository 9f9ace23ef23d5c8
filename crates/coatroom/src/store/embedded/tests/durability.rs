//! What was acknowledged is there again.

use super::*;

#[test]
fn everything_is_there_after_a_clean_close() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = EmbeddedStore::open(&path).unwrap();
    (0..500).for_each(|number| create(&store, record_of(number, 1, 100, Some("alice"))));
    (0..500).step_by(2).for_each(|number| commit(&store, record_of(number, 2, 50, Some("alice"))));
    (0..500).step_by(5).for_each(|number| assert!(now(store.remove(&key(number), START)).is_some()));
    assert_eq!(now(store.bump_epoch(namespace(), "alice")), 1);
    store.close().unwrap();
    let store = EmbeddedStore::open(&path).unwrap();
    for number in 0..500 {
        let expected = (number % 5 != 0).then_some(if number % 2 == 0 { 2 } else { 1 });
        assert_eq!(revision_of(&store, number), expected);
    }
    assert_eq!(now(store.count(namespace(), START)), 400);
    assert_eq!(now(store.of_principal(namespace(), "alice", START)).len(), 400);
    assert_eq!(now(store.epoch(namespace(), "alice")), 1);
}

/// Kills by copying the directory at a moment when some changes are in the files, some on their way
/// there, and some in the journal alone.
#[test]
fn a_killed_process_loses_nothing_that_was_acknowledged() {
    for map in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let (path, copy) = (directory.path().join("store"), directory.path().join("copy"));
        let store = still_with(&path, |builder| EmbeddedStoreBuilder { map, ..builder });
        (0..300).for_each(|number| create(&store, record_of(number, 1, 100, Some("old"))));
        checkpoint(&store);
        (0..100).for_each(|number| commit(&store, record_of(number, 2, 200, Some("new"))));
        (100..150).for_each(|number| drop(now(store.remove(&key(number), START))));
        let later = Activity { last_accessed: START + IDLE / 2, confirmed: true };
        (140..200).for_each(|number| now(store.touch(&key(number), later)));
        (300..320).for_each(|number| create(&store, record(number, 1)));
        now(store.bump_epoch(namespace(), "old"));
        copy_of(&path, &copy);
        let store = still(&copy);
        for round in 0..2 {
            let revision = |number| match number {
                0..100 => Some(2),
                100..150 => None,
                150..320 => Some(1),
                _ => None,
            };
            (0..330).for_each(|number| assert_eq!(revision_of(&store, number), revision(number), "{round}"));
            assert_eq!(now(store.load(&key(170), START)).unwrap().activity(), later);
            assert_eq!(now(store.of_principal(namespace(), "old", START)).len(), 150);
            assert_eq!(now(store.of_principal(namespace(), "new", START)).len(), 100);
            assert_eq!(now(store.epoch(namespace(), "old")), 1);
            assert_eq!(now(store.count(namespace(), START)), 270);
            checkpoint(&store);
        }
    }
}

#[test]
fn every_copy_taken_while_commits_and_checkpoints_run_opens_with_what_was_acknowledged_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let often = Durability::Interval(Duration::from_millis(10));
    let store = EmbeddedStore::builder(&path).durability(often).max_journal_bytes(1 << 20).open().unwrap();
    (0..64).for_each(|number| create(&store, record(number, 1)));
    let acknowledged = std::sync::atomic::AtomicU64::new(1);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for revision in (2..).take_while(|_| !done.load(Ordering::Relaxed)) {
                (0..64).for_each(|number| commit(&store, record(number, revision)));
                acknowledged.store(revision, Ordering::SeqCst);
            }
        });
        for round in 0..5 {
            let copy = directory.path().join(format!("copy-{round}"));
            let before = acknowledged.load(Ordering::SeqCst);
            // The journal last: files copied one by one are of different moments, and what the
            // files of fjall do not have yet must still be in the journal.
            std::fs::create_dir(&copy).unwrap();
            let pause = store.core.checkpointing.lock();
            copy_of(&path.join("format"), &copy.join("format"));
            copy_of(&path.join("files"), &copy.join("files"));
            copy_of(&path.join("journal"), &copy.join("journal"));
            drop(pause);
            let copied = EmbeddedStore::open(&copy).unwrap();
            for number in 0..64 {
                assert!(revision_of(&copied, number).unwrap() >= before, "lost a commit of {number}");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_commit_that_waits_for_the_disk_is_on_it_when_it_returns() {
    let (store, _directory) = kept(|b| b.durability(Durability::EveryCommit));
    std::thread::scope(|scope| {
        for number in 0..32 {
            let store = &store;
            scope.spawn(move || {
                create(store, record(number, 1));
                (2..12).for_each(|revision| commit(store, record(number, revision)));
            });
        }
    });
    (0..32).for_each(|number| assert_eq!(revision_of(&store, number), Some(11)));
    let future = store.commit(11, record(0, 12), START);
    assert!(matches!(future, StoreFuture::Boxed(_)));
}

#[test]
fn a_dropped_commit_that_waits_for_the_disk_is_whole() {
    let (store, _directory) = kept(|b| b.durability(Durability::EveryCommit));
    create(&store, record(1, 1));
    drop(store.commit(1, record(1, 2), START));
    assert_eq!(revision_of(&store, 1), Some(2));
}

#[test]
fn flushing_needs_no_commit_before_it() {
    let (store, _directory) = kept(|b| b);
    now(store.flush());
    create(&store, record(1, 1));
    now(store.flush());
    now(store.check());
}

#[test]
fn what_is_dropped_from_memory_is_read_from_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let store = still_with(directory.path(), |b| b.hot_bytes(0));
    (0..400).for_each(|number| create(&store, record(number, 1)));
    assert!((0..400).all(|number| is_hot(&store, number)), "the files do not have them yet");
    checkpoint(&store);
    assert!(!(0..400).any(|number| is_hot(&store, number)));
    assert!(matches!(store.load(&key(1), START), StoreFuture::Boxed(_)));
    (0..400).for_each(|number| assert_eq!(revision_of(&store, number), Some(1)));
    commit(&store, record(7, 2));
    assert!(
        matches!(now(store.commit(1, record(7, 2), START)), Commit::Conflict(found) if found.revision() == 2)
    );
    assert!(now(store.remove(&key(8), START)).is_some());
    assert!(matches!(now(store.create(record(9, 5), START)), Creation::Exists));
    assert_eq!(now(store.count(namespace(), START)), 399);
    checkpoint(&store);
    assert_eq!(
        (revision_of(&store, 7), revision_of(&store, 8), revision_of(&store, 9)),
        (Some(2), None, Some(1))
    );
}

#[test]
fn a_checkpoint_that_fails_half_way_leaves_everything_to_the_next() {
    let hot = hot::Hot::new(0, true);
    // Some eighty in each of a few shards.
    let numbers = (0..20_000).filter(|&number| key(number).locator.as_bytes()[0] < 16);
    let numbers = numbers.collect::<Vec<_>>();
    let (gone, changed) = (numbers[7], numbers[8]);
    for &number in &numbers {
        hot.with(&key(number).locator, |shard| shard.put(record(number, 1)));
    }
    hot.with(&key(gone).locator, |shard| shard.remove(&key(gone)));
    let mut seen = std::collections::BTreeMap::new();
    let mut taken = vec![Vec::new(); 16];
    // The first half of each shard goes, then the files fail; meanwhile one record changes again.
    for (byte, taken) in taken.iter_mut().enumerate() {
        let mut room = 40;
        let result = hot.take_dirty(byte, taken, |_| {
            room -= 1;
            if room > 0 { Ok(()) } else { Err(()) }
        });
        assert!(result.is_err());
    }
    hot.with(&key(changed).locator, |shard| shard.put(record(changed, 2)));
    (0..taken.len()).for_each(|byte| hot.not_flushed(byte, &taken[byte]));
    for (byte, taken) in taken.iter_mut().enumerate() {
        hot.take_dirty(byte, taken, |change| {
            let revision = change.record.map(|record| record.revision());
            assert!(seen.insert(change.key, revision).is_none(), "each is taken once");
            Ok::<_, ()>(())
        })
        .unwrap();
        hot.flushed(byte, taken);
    }
    for number in numbers {
        let expected = (number != gone).then_some(if number == changed { 2 } else { 1 });
        assert_eq!(seen.get(&key(number)), Some(&expected));
        let kept = hot.with(&key(number).locator, |shard| shard.find(&key(number)));
        assert!(matches!(kept, shard::Lookup::Cold));
    }
}

#[test]
fn an_unknown_key_of_a_fresh_store_is_answered_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    assert!(matches!(store.load(&key(1), START), StoreFuture::Ready(_)));
    create(&store, record(2, 1));
    checkpoint(&store);
    assert!(matches!(store.load(&key(1), START), StoreFuture::Ready(_)), "all of it is in memory still");
}

#[test]
fn deadlines_are_kept_across_runs() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    (0..30).for_each(|number| create(&store, record(number, 1)));
    let later = Activity { last_accessed: START + IDLE / 2, confirmed: true };
    (0..10).for_each(|number| now(store.touch(&key(number), later)));
    drop(store);
    let store = still(directory.path());
    let late = START + IDLE + Duration::from_secs(30);
    let claim = |at| now(store.claim_expired(namespace(), at, at + IDLE, 100)).records;
    assert_eq!(claim(late).len(), 20);
    assert!(claim(late).is_empty());
    assert_eq!(claim(late + IDLE / 2).len(), 10);
    let again = claim(late + 3 * IDLE);
    assert_eq!(again.len(), 30, "nobody settled them");
    now(store.settle(again));
    assert!(claim(late + 9 * IDLE).is_empty());
    assert_eq!(now(store.count(namespace(), START)), 0);
}

#[test]
fn a_sweep_goes_on_where_the_last_one_ended() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    (0..6).for_each(|number| create(&store, record(number, 1)));
    let late = START + IDLE + Duration::from_secs(30);
    let claim = || now(store.claim_expired(namespace(), late, late + IDLE, 2));
    let mut locators = Vec::new();
    for more in [true, true, false] {
        let claimed = claim();
        assert_eq!((claimed.records.len(), claimed.more), (2, more));
        locators.extend(claimed.records.iter().map(|record| record.key().locator));
        let (slice, next) = store.core.sweeps.begin().cursor(namespace());
        // Nothing that was taken out of the slice is walked over again.
        assert_eq!(more, Some(slice) == db::keys::slice_of(START + IDLE));
        assert!(!more || locators.iter().all(|claimed| *claimed < next));
    }
    assert!(claim().records.is_empty());
    // Filed behind the sweep by a clock that is late.
    (6..9).for_each(|number| create(&store, record(number, 1)));
    assert_eq!(claim().records.len() + claim().records.len(), 3);
}

#[test]
fn an_entry_of_a_principal_that_led_nowhere_is_taken_out() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    let stale = db::keys::principal_key("alice", &key(1));
    let mut batch = db::Batch::default();
    batch.put(&stale, &[]);
    store.core.db.write(batch).unwrap();
    assert!(now(store.of_principal(namespace(), "alice", START)).is_empty());
    checkpoint(&store);
    assert!(store.core.db.get(&stale).unwrap().is_none());
}

#[test]
fn a_damaged_record_is_named_and_stops_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = still_with(directory.path(), |b| b.hot_bytes(0));
    (0..3).for_each(|number| create(&store, record_of(number, 1, 100, Some("alice"))));
    checkpoint(&store);
    let place = db::keys::record_key(&key(1));
    let mut value = store.core.db.get(&place).unwrap().unwrap().to_vec();
    *value.last_mut().unwrap() ^= 1;
    let mut batch = db::Batch::default();
    batch.put(&place, &value);
    store.core.db.write(batch).unwrap();
    let error = pollster::block_on(store.load(&key(1), START)).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { what } if what.contains("fails its checksum")), "{error}");
    assert_eq!(now(store.of_principal(namespace(), "alice", START)).len(), 2);
    assert_eq!(now(store.page(namespace(), None, 9, START)).records.len(), 2);
    let late = START + IDLE + Duration::from_secs(30);
    assert_eq!(now(store.claim_expired(namespace(), late, late + IDLE, 9)).records.len(), 2);
    checkpoint(&store);
}
