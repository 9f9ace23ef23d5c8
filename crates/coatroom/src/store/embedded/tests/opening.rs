//! What keeps a store from opening is named, with its remedy.

use super::*;

fn refusal(path: &Path) -> OpenError {
    EmbeddedStore::open(path).unwrap_err()
}

#[test]
fn a_held_directory_is_refused_until_the_store_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    let error = refusal(directory.path());
    assert!(matches!(error, OpenError::Held { .. }));
    let text = error.to_string();
    assert!(text.contains(&directory.path().display().to_string()));
    assert!(text.contains("another process has it open, or another store of this one"));
    assert!(text.contains("use another directory, stop the other process, or close the other store"));
    store.close().unwrap();
    assert!(EmbeddedStore::open(directory.path()).is_ok());
    assert!(pollster::block_on(store.load(&key(1), START)).is_err());
    assert!(pollster::block_on(store.count(namespace(), START)).is_err());
    assert!(pollster::block_on(store.bump_epoch(namespace(), "a")).is_err());
    assert!(pollster::block_on(store.check()).is_err());
    assert!(pollster::block_on(store.flush()).is_err());
    store.close().unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("format"), "coatroom embedded store, format 2\n").unwrap();
    assert!(matches!(refusal(directory.path()), OpenError::NewerFormat { found: 2, known: 1, .. }));
}

#[test]
fn damaged_directories_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    create(&EmbeddedStore::open(directory.path()).unwrap(), record(1, 1));
    let format = directory.path().join("format");
    let text = std::fs::read(&format).unwrap();
    for damage in
        ["", "something else", "coatroom embedded store, format x", "coatroom embedded store, format 0"]
    {
        std::fs::write(&format, damage).unwrap();
        assert!(matches!(refusal(directory.path()), OpenError::Corrupted { .. }));
    }
    std::fs::remove_file(&format).unwrap();
    assert!(matches!(refusal(directory.path()), OpenError::Corrupted { .. }));
    std::fs::write(&format, text).unwrap();
    let version = directory.path().join("files").join("version");
    assert!(version.exists());
    std::fs::write(version, b"nothing of fjall").unwrap();
    assert!(matches!(refusal(directory.path()), OpenError::Corrupted { .. }));
}

#[test]
fn a_file_is_not_a_directory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(refusal(file.path()), OpenError::NotADirectory { .. }));
    assert!(matches!(refusal(&file.path().join("below")), OpenError::NotADirectory { .. }));
}

#[cfg(target_os = "linux")]
#[test]
fn an_unwritable_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_mount) = super::limits::Mount::new(directory.path(), "ro,size=1m") else { return };
    assert!(matches!(refusal(directory.path()), OpenError::Unwritable { .. }));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_when_opening() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_mount) = super::limits::Mount::new(directory.path(), "size=2m") else { return };
    let error = refusal(&directory.path().join("store"));
    assert!(matches!(error, OpenError::Full { .. }), "{error:?}");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_directory() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a").join("store");
    let _store = EmbeddedStore::open(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}

/// The directory of a store whose process was killed after so many commits, one checkpoint among them.
fn killed(sessions: u64) -> tempfile::TempDir {
    let (live, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = still(&live.path().join("store"));
    for number in 0..sessions {
        create(&store, record(number, 1));
    }
    copy_of(&live.path().join("store"), copy.path());
    copy
}

fn what_is_damaged(path: &Path) -> String {
    match refusal(path) {
        OpenError::Corrupted { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_directory_with_a_part_missing_is_refused() {
    for part in ["files", "journal"] {
        let copy = killed(20);
        let store = copy.path().join("store");
        std::fs::remove_dir_all(store.join(part)).unwrap();
        assert!(what_is_damaged(&store).contains(part));
        assert!(what_is_damaged(&store).contains(part), "and still is at the second try");
    }
    let copy = killed(20);
    let store = copy.path().join("store");
    for segment in std::fs::read_dir(store.join("journal")).unwrap() {
        std::fs::remove_file(segment.unwrap().path()).unwrap();
    }
    assert!(what_is_damaged(&store).contains("segments"));
}

/// As where a part of fjall's own is missing: it makes empty files then.
#[test]
fn files_that_lost_their_checkpoint_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("store"), directory.path().join("copy"));
    let store = still(&path);
    // Until its segment is used again, the journal has it too.
    for number in 1..=3 {
        create(&store, record(number, number));
        checkpoint(&store);
    }
    copy_of(&path, &copy);
    std::fs::remove_file(copy.join("files").join("0.jnl")).unwrap();
    assert!(what_is_damaged(&copy).contains("files"));
    assert!(what_is_damaged(&copy).contains("files"), "and still is at the second try");
}

#[test]
fn a_segment_whose_header_is_damaged_is_refused() {
    let copy = killed(20);
    let store = copy.path().join("store");
    let mut segments: Vec<_> =
        std::fs::read_dir(store.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    let damaged = segments.iter().find(|path| std::fs::read(path).unwrap()[0] != 0).unwrap();
    for (at, byte) in [(0, 0), (9, 7), (17, 7)] {
        let sound = std::fs::read(damaged).unwrap();
        let mut bytes = sound.clone();
        bytes[at] = byte;
        std::fs::write(damaged, bytes).unwrap();
        assert!(what_is_damaged(&store).contains("header"));
        std::fs::write(damaged, sound).unwrap();
    }
    let store = EmbeddedStore::open(&store).unwrap();
    assert_eq!((0..20).filter(|number| revision_of(&store, *number).is_some()).count(), 20);
}

#[test]
fn a_store_that_was_only_half_made_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("format"), "coatroom embedded store, format 1\n").unwrap();
    std::fs::create_dir(directory.path().join("journal")).unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    create(&store, record(1, 1));
    assert_eq!(revision_of(&store, 1), Some(1));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_lies_in_a_directory_that_was_there() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    let parts = ["files", "journal"].map(|part| directory.path().join(part));
    let modes = || parts.each_ref().map(|part| std::fs::metadata(part).unwrap().permissions().mode() & 0o777);
    assert_eq!(modes(), [0o700; 2]);
    store.close().unwrap();
    // What an operator allows, such as a backup, stays allowed.
    let allow = |part: &std::path::PathBuf| {
        std::fs::set_permissions(part, std::fs::Permissions::from_mode(0o750)).unwrap();
    };
    parts.iter().for_each(allow);
    let _store = EmbeddedStore::open(directory.path()).unwrap();
    assert_eq!(modes(), [0o750; 2]);
}
