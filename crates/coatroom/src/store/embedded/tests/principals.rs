//! What is on its way to the files of whose a session is.

use std::collections::BTreeSet;

use super::super::principals::{Owners, Principals};
use super::*;

/// Has what changed on its way, of records that are all alice's, and returns of which.
fn flush(principals: &Principals) -> BTreeSet<Key> {
    let mut flushed = BTreeSet::new();
    let alice = || Some("alice".into());
    let mut owners = |key: &Key| {
        flushed.insert(*key);
        Ok(Owners { now: alice(), in_files: alice() })
    };
    principals.flush(&mut db::Batch::default(), &mut owners).unwrap();
    flushed
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
