//! What becomes of who waits while the store is closed.

use std::sync::mpsc;

use super::*;

#[test]
fn who_waits_for_the_disk_when_the_keeper_is_told_to_stop_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let store = still(directory.path());
    create(&store, record(1, 1));
    let (late, answer) = mpsc::channel();
    let core = Arc::clone(&store.core);
    store.core.journal.faults.syncing.after(0, move || {
        late.send(core.waiters.synced(core.journal.position())).unwrap();
        core.waiters.stop();
    });
    now(store.flush());
    pollster::block_on(answer.recv().unwrap()).unwrap().unwrap();
}
