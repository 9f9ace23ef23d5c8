//! Listings, of what is in the files, in memory, or in both.

use super::*;

/// A store where some of what the files have was replaced or removed since, and some was added.
fn mixed(path: &Path) -> EmbeddedStore {
    let store = still(path);
    (0..300).for_each(|number| create(&store, record_of(number, 1, 10, Some("alice"))));
    checkpoint(&store);
    (0..100).for_each(|number| commit(&store, record_of(number, 2, 10, Some("bob"))));
    (100..150).for_each(|number| drop(now(store.remove(&key(number), START)).unwrap()));
    (300..400).for_each(|number| create(&store, record_of(number, 1, 10, Some("alice"))));
    store
}

/// What is there, in order: locators and revisions.
fn expected() -> Vec<(Locator, u64)> {
    let kept = (0..100).map(|number| (number, 2)).chain((150..400).map(|number| (number, 1)));
    let mut kept: Vec<_> = kept.map(|(number, revision)| (key(number).locator, revision)).collect();
    kept.sort_unstable();
    kept
}

#[test]
fn pages_take_from_memory_and_from_the_files_in_one_order() {
    let directory = tempfile::tempdir().unwrap();
    let store = mixed(directory.path());
    for limit in [1, 7, 349, 350, 1_000] {
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = now(store.page(namespace(), after, limit, START));
            assert!(page.records.len() <= limit);
            listed.extend(page.records.iter().map(|record| (record.key().locator, record.revision())));
            assert!(page.next.is_none() || page.next == listed.last().map(|(locator, _)| *locator));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, expected(), "pages of {limit}");
    }
    assert_eq!(now(store.count(namespace(), START)), 350);
    assert_eq!(now(store.count(namespace(), START + IDLE)), 0);
}

#[test]
fn a_page_says_whether_there_is_another_to_the_last_record() {
    let directory = tempfile::tempdir().unwrap();
    let store = mixed(directory.path());
    let visited = |limit| {
        let page = now(store.page(namespace(), None, limit, START));
        (page.records.len(), page.next.is_some())
    };
    assert_eq!([1, 349, 350].map(visited), [(1, true), (349, true), (350, false)]);
}

#[test]
fn sessions_of_a_principal_are_found_in_memory_and_in_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let store = mixed(directory.path());
    let of = |principal| now(store.of_principal(namespace(), principal, START)).len();
    assert_eq!((of("alice"), of("bob")), (250, 100));
    assert!(now(store.of_principal(namespace(), "alice", START + IDLE)).is_empty());
    checkpoint(&store);
    assert_eq!((of("alice"), of("bob")), (250, 100));
}

#[test]
fn namespaces_are_named_wherever_their_records_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    let names = ["a", "b", "c", "d"].map(Namespace::new);
    let create_in = |namespace| create(&store, record_with(Key { namespace, ..key(1) }, 1, START, None, b""));
    names[..3].iter().copied().for_each(create_in);
    checkpoint(&store);
    create_in(names[3]);
    let mut named = now(store.namespaces());
    named.sort_unstable();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(named, expected);
}
