//! What is written again after a failed sync, and what of it a full disk leaves.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use coatroom_testbed::Tmpfs;

use super::super::renew::{largest, mark, renew, renew_if_marked};
use super::*;

/// A file, held open so that no new one gets its number.
fn file(path: &Path, bytes: &[u8]) -> File {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    File::open(path).unwrap()
}

/// Whether another file lies there now, with the same in it.
fn is_renewed(path: &Path, before: &File) -> bool {
    let same = fs::read(path).unwrap() == std::io::read_to_string(before).unwrap().into_bytes();
    assert!(same, "{}", path.display());
    fs::metadata(path).unwrap().ino() != before.metadata().unwrap().ino()
}

#[test]
fn everything_is_written_again_but_tables() {
    let directory = tempfile::tempdir().unwrap();
    let paths = ["0.jnl", "keyspaces/1/meta", "keyspaces/1/tables/7"].map(|path| directory.path().join(path));
    let before = paths.clone().map(|path| file(&path, b"bytes\0\0"));
    renew(directory.path()).unwrap();
    let renewed: Vec<_> = paths.iter().zip(&before).map(|(path, before)| is_renewed(path, before)).collect();
    assert_eq!(renewed, [true, true, false]);
}

#[test]
fn what_is_written_again_is_nobody_elses_to_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("0.jnl");
    file(&path, b"bytes").set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
    renew(directory.path()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_an_attempt_that_was_killed_left_behind_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    file(&directory.path().join("0.jnl"), b"bytes");
    file(&directory.path().join("1.jnl.fresh"), b"by");
    renew(directory.path()).unwrap();
    let left = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["0.jnl"]);
}

#[test]
fn a_failed_sync_of_an_earlier_run_has_both_parts_written_again_once() {
    let directory = tempfile::tempdir().unwrap();
    let paths = ["journal/1", "files/0.jnl"].map(|path| directory.path().join(path));
    for marked in [true, false] {
        let before = paths.clone().map(|path| file(&path, b"bytes"));
        if marked {
            mark(directory.path());
        }
        renew_if_marked(directory.path()).unwrap();
        assert!(paths.iter().zip(&before).all(|(path, before)| is_renewed(path, before) == marked));
    }
}

#[test]
fn a_part_that_was_not_made_yet_is_not_missed() {
    let directory = tempfile::tempdir().unwrap();
    mark(directory.path());
    renew_if_marked(directory.path()).unwrap();
}

#[test]
fn as_much_room_is_needed_as_the_largest_file_that_is_written_again_takes() {
    let directory = tempfile::tempdir().unwrap();
    file(&directory.path().join("0.jnl"), &[1; 3 * 4096]);
    file(&directory.path().join("keyspaces/1/meta"), &[1; 5 * 4096]);
    file(&directory.path().join("keyspaces/1/tables/7"), &[1; 9 * 4096]);
    let reserved = File::create(directory.path().join("1.jnl")).unwrap();
    reserved.set_len(64 * 4096).unwrap();
    assert_eq!(largest(directory.path()), 5 * 4096);
}

#[test]
fn on_a_full_disk_a_failed_attempt_takes_no_room() {
    let Some(disk) = Tmpfs::mount(8 << 20) else { return };
    let path = disk.path().join("0.jnl");
    let before = file(&path, &vec![b'1'; 5 << 20]);
    renew(disk.path()).unwrap_err();
    assert!(!is_renewed(&path, &before));
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 1);
}
