//! The directory stays within a bound, however long it is written to.

use super::super::*;
use super::writer::{Process, say};

/// What the manual tells an operator to plan the disk with: three times the sessions, the journal,
/// and this much for the files.
const FILES: u64 = 256 << 20;
const JOURNAL: u64 = 16 << 20;
const SESSIONS: u64 = 600;
const IDLE_SESSIONS: u64 = 50;
/// Bytes of a session: what the files cannot compress.
const VALUE: usize = 12_000;

/// Sessions that come and go, are changed and swept.
struct Site {
    chance: fastrand::Rng,
    at: Timestamp,
    first: u64,
    written: u64,
    peak: u64,
}

impl Site {
    fn value(&mut self) -> Vec<u8> {
        self.written += VALUE as u64;
        (0..VALUE / 8).flat_map(|_| self.chance.u64(..).to_le_bytes()).collect()
    }

    fn state(&mut self, number: u64, revision: u64) -> Record {
        let value = self.value();
        record_with(key(number), revision, self.at, Some("somebody"), &value)
    }

    /// Every session is written once; a part ends and is replaced, a part is left to expire.
    fn round(&mut self, store: &EmbeddedStore) {
        self.at = self.at + Duration::from_secs(60);
        for number in self.first..self.first + SESSIONS {
            let current = now(store.load(&key(number), self.at));
            let new = self.state(number, current.as_ref().map_or(1, |current| current.revision() + 1));
            let Some(current) = current else {
                assert!(matches!(now(store.create(new, self.at)), Creation::Created(_)));
                continue;
            };
            let landed = now(store.commit(current.revision(), new, self.at));
            assert!(matches!(landed, Commit::Landed(_)));
            now(store.touch(&key(number), Activity { last_accessed: self.at, confirmed: true }));
        }
        for number in self.first..self.first + 20 {
            now(store.remove(&key(number), self.at));
        }
        // Twenty more are never asked for again.
        self.first += 40;
        let due = now(store.claim_expired(namespace(), self.at, self.at + IDLE, 10_000)).records;
        now(store.settle(due));
        self.measure(store);
    }

    fn measure(&mut self, store: &EmbeddedStore) {
        let expiring = 20 * (IDLE.as_secs() / 60 + 2);
        let live = (SESSIONS + IDLE_SESSIONS + expiring) * (VALUE as u64 + 400);
        let bound = 3 * live + JOURNAL + FILES;
        let bytes = store.examine().unwrap().bytes.unwrap();
        self.peak = self.peak.max(bytes);
        assert!(bytes <= bound, "{bytes} bytes after {} were written, more than {bound}", self.written);
        assert!(now(store.count(namespace(), self.at)) <= SESSIONS + expiring);
    }
}

fn idle_key(number: u64) -> Key {
    let namespace = Namespace::new("idle");
    Key { namespace, locator: Locator::keyed(namespace, &number.to_le_bytes()) }
}

fn open(path: &Path) -> EmbeddedStore {
    let often = Durability::Interval(Duration::from_millis(200));
    EmbeddedStore::builder(path)
        .max_journal_bytes(JOURNAL)
        .hot_bytes(4 << 20)
        .durability(often)
        .open()
        .unwrap()
}

const NAME: &str = concat!(module_path!(), "::this_process_is_ended");

/// `COATROOM_SOAK_MIB` writes more, or less, than 1,400 MiB.
#[test]
fn the_directory_stays_within_its_bound_however_much_is_written() {
    let total = std::env::var("COATROOM_SOAK_MIB").map_or(1_400, |mib| mib.parse().unwrap()) << 20;
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut site = Site { chance: fastrand::Rng::with_seed(1), at: START, first: 0, written: 0, peak: 0 };
    for number in 0..IDLE_SESSIONS {
        let value = site.value();
        create(&store, record_with(idle_key(number), 1, START, None, &value));
    }
    store.close().unwrap();
    let (mut first, mut written, mut peak) = (0, 0, 0);
    for part in 1..=4 {
        let limit = if part % 2 == 0 { total / 4 } else { u64::MAX };
        let settings = [("PLACE", directory.path().display().to_string()), ("FIRST", first.to_string())];
        let settings = settings.map(|(name, value)| (NAMES[usize::from(name == "FIRST")], value));
        let [place, from] = settings;
        let mut process = Process::start(NAME, &[place, from, (NAMES[2], limit.to_string())]);
        let mut here = 0;
        while here < total / 4 {
            let line = process.next().expect("the process has ended: the bound does not hold, or it failed");
            let mut numbers = line.split(' ').map(|number| number.parse::<u64>().unwrap());
            let mut next = || numbers.next().unwrap();
            (first, here, peak) = (next(), next(), next().max(peak));
        }
        if limit == u64::MAX {
            process.end();
        } else {
            assert!(process.child.wait().unwrap().success());
        }
        written += here;
    }
    let store = open(directory.path());
    (site.first, site.written) = (first, written);
    site.measure(&store);
    for number in 0..IDLE_SESSIONS {
        assert!(now(store.load(&idle_key(number), START)).is_some());
    }
    eprintln!("{} MiB written, {} MiB at the most", written >> 20, site.peak.max(peak) >> 20);
}

const NAMES: [&str; 3] = ["COATROOM_TEST_PLACE", "COATROOM_TEST_FIRST", "COATROOM_TEST_BYTES"];

#[test]
#[ignore = "the process that the soak starts, and ends in the middle of its work"]
fn this_process_is_ended() {
    let Some(path) = std::env::var_os(NAMES[0]) else { return };
    let [first, bytes] =
        [NAMES[1], NAMES[2]].map(|name| std::env::var(name).unwrap().parse::<u64>().unwrap());
    let store = open(Path::new(&path));
    let at = START + Duration::from_secs(60) * u32::try_from(first / 40).unwrap();
    let mut site = Site { chance: fastrand::Rng::with_seed(first), at, first, written: 0, peak: 0 };
    while site.written < bytes {
        site.round(&store);
        say(&format!("{} {} {}", site.first, site.written, site.peak));
    }
    store.close().unwrap();
}
