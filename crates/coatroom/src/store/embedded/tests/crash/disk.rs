//! A file system of its own on a disk that can lose its power.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What makes a file system, with its options.
pub(super) type Mkfs = &'static [&'static str];
pub(super) const EXT4: Mkfs = &["mkfs.ext4", "-q", "-F", "-E", "nodiscard"];
/// It keeps its own records apart from data, and sizes of files before what they hold.
pub(super) const XFS: Mkfs = &["mkfs.xfs", "-q", "-f", "-K"];

/// A file system in a file, mounted for as long as it lives.
#[derive(Debug)]
pub(super) struct Disk {
    image: PathBuf,
    options: &'static str,
    mounted: PathBuf,
}

impl Disk {
    /// `None`, and said so, where this user or this kernel cannot mount one.
    pub(super) fn new(directory: &Path, mkfs: Mkfs, options: &'static str) -> Option<Self> {
        let (image, mounted) = (directory.join("image"), directory.join("mounted"));
        std::fs::create_dir_all(&mounted).unwrap();
        std::fs::File::create(&image).unwrap().set_len(400 << 20).unwrap();
        let made = run(Command::new(mkfs[0]).args(&mkfs[1..]).arg(&image));
        let disk = Self { image, options, mounted };
        if let Err(why) = made.and_then(|()| disk.mount()) {
            eprintln!("SKIPPED: a file system of its own needs root, loop devices and {}: {why}", mkfs[0]);
            return None;
        }
        Some(disk)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.mounted.join("store")
    }

    /// Cuts the power, after some pages have reached the disk before others. What was not written
    /// until now is gone; the file system's own journal too, unless it is the one to survive.
    pub(super) fn cut(&self, keeps_metadata: bool, seed: u64) {
        let flag = if keeps_metadata { "1" } else { "2" };
        let cut = Command::new("python3")
            .args(["-c", CUT])
            .arg(&self.mounted)
            .args([flag, &seed.to_string()])
            .status();
        assert!(cut.unwrap().success());
    }

    /// Powers up again: nothing is there but what the disk has.
    pub(super) fn power_up(&self) {
        self.unmount().unwrap();
        self.mount().unwrap();
    }

    /// The same, where the file system itself may have lost blocks of its own.
    pub(super) fn repair(&self) {
        self.unmount().unwrap();
        let checked = Command::new("e2fsck").arg("-fy").arg(&self.image).output().unwrap();
        assert!(checked.status.code().is_some_and(|code| code < 4), "{checked:?}");
        self.mount().unwrap();
    }

    fn mount(&self) -> Result<(), String> {
        let options = format!("loop,{}", self.options);
        run(Command::new("mount").args(["-o", &options]).arg(&self.image).arg(&self.mounted))
    }

    fn unmount(&self) -> Result<(), String> {
        run(Command::new("umount").arg(&self.mounted))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mounted).output();
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// `sync_file_range` on pages here and there, then `EXT4_IOC_SHUTDOWN`, which XFS has under the same number.
const CUT: &str = r"
import ctypes, fcntl, os, random, struct, sys
root, flag, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
sync_file_range = ctypes.CDLL(None).sync_file_range
sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
for folder, _, names in os.walk(root):
    for name in names:
        try:
            file = os.open(os.path.join(folder, name), os.O_RDONLY)
        except OSError:
            continue
        pages = max(min(os.fstat(file).st_size, 1 << 20) // 4096, 1)
        for _ in range(random.choice([0, 4, 64])):
            at = random.randrange(pages)
            sync_file_range(file, at * 4096, random.randint(1, 4) * 4096, 7)
        os.close(file)
fcntl.ioctl(os.open(root, os.O_RDONLY), 0x8004587D, struct.pack('I', flag))
";
