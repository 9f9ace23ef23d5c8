//! What is on its way to the files of whose a session is.

use std::collections::BTreeSet;

use super::super::principals::{Owners, Principals};
use super::*;

/// Has what changed on its way, of records that are all of these owners, and returns of which.
fn flush_of(principals: &Principals, now: &str, in_files: &str) -> BTreeSet<Key> {
    let mut flushed = BTreeSet::new();
    let mut owners = |key: &Key| {
        flushed.insert(*key);
        Ok(Owners { now: Some(now.into()), in_files: Some(in_files.into()) })
    };
    principals.flush(&mut db::Batch::default(), &mut owners).unwrap();
    flushed
}

fn flush(principals: &Principals) -> BTreeSet<Key> {
    flush_of(principals, "alice", "alice")
}

#[test]
fn what_a_failed_flush_was_to_bring_goes_with_the_next() {
    let principals = Principals::default();
    principals.changed(key(1), None, Some("alice"));
    assert_eq!(flush(&principals), [key(1)].into());
    principals.changed(key(2), None, Some("alice"));
    assert_eq!(flush(&principals), [key(1), key(2)].into());
    assert_eq!(principals.recent(namespace(), "alice"), [key(1), key(2)].into(), "until the files have it");
    principals.flushed();
    assert!(flush(&principals).is_empty());
    assert!(principals.recent(namespace(), "alice").is_empty());
}

/// The entry goes to the files before the record, which a power cut may leave there alone.
#[test]
fn whose_a_record_is_is_news_until_the_files_know() {
    let principals = Principals::default();
    let news = |number| principals.news(&key(number), Some("alice"));
    principals.changed(key(1), None, Some("alice"));
    assert_eq!(news(1), Some("alice"));
    flush(&principals);
    assert_eq!(news(1), Some("alice"), "on its way, or where that has failed");
    assert_eq!((news(2), principals.news(&key(1), Some("bob"))), (None, None));
    principals.flushed();
    assert_eq!(news(1), None);
}

#[test]
fn the_entry_of_a_former_principal_stays_while_the_files_have_the_former_record() {
    let principals = Principals::default();
    principals.changed(key(1), Some("alice"), Some("bob"));
    for (in_files, left) in [("alice", 1), ("bob", 0)] {
        flush_of(&principals, "bob", in_files);
        principals.flushed();
        assert_eq!(principals.recent(namespace(), "alice").len(), left);
    }
}

#[test]
fn a_session_that_ended_leaves_no_entry_of_its_principal() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    let entries = || store.core.db.range(b"u", b"v").unwrap().count();
    create(&store, record_of(1, 1, 100, Some("alice")));
    checkpoint(&store);
    assert_eq!(entries(), 1);
    now(store.remove(&key(1), START)).unwrap();
    checkpoint(&store);
    assert_eq!(entries(), 0);
}
