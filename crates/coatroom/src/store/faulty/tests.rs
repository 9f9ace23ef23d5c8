use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread;

use pollster::block_on;

use super::*;
use crate::store::MemoryStore;

const NOW: Timestamp = Timestamp::from_millis(1);

fn faulty() -> FaultyStore {
    FaultyStore::new(Arc::new(MemoryStore::new()))
}

fn namespace() -> Namespace {
    Namespace::new("test")
}

fn epoch(store: &FaultyStore) -> u64 {
    block_on(store.epoch(namespace(), "alice")).unwrap()
}

fn bump(store: &FaultyStore) -> StoreFuture<u64> {
    store.bump_epoch(namespace(), "alice")
}

fn is_ready<T: Unpin>(future: &mut StoreFuture<T>) -> bool {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn without_a_fault_the_answer_of_the_inner_store_is_handed_on() {
    let store = faulty();
    assert!(matches!(bump(&store), StoreFuture::Ready(_)));
    assert_eq!(epoch(&store), 1);
}

#[test]
fn calls_are_counted_by_operation_polled_or_not() {
    let store = faulty();
    drop(store.count(namespace(), NOW));
    block_on(store.count(namespace(), NOW)).unwrap();
    assert_eq!((store.calls(Operation::Count), store.calls(Operation::Load)), (2, 0));
}

#[test]
fn the_nth_call_from_now_on_fails_and_does_nothing() {
    let store = faulty();
    block_on(bump(&store)).unwrap();
    store.fail(Operation::BumpEpoch, 2, StoreError::unavailable("unplugged"));
    assert_eq!(block_on(bump(&store)).unwrap(), 2);
    assert_eq!(block_on(bump(&store)).unwrap_err().to_string(), "unplugged");
    assert_eq!(epoch(&store), 2);
    assert_eq!(block_on(bump(&store)).unwrap(), 3);
}

#[test]
fn a_lost_answer_is_of_unknown_outcome_and_the_work_is_done() {
    let store = faulty();
    store.lose_answer(Operation::BumpEpoch, 1);
    assert!(block_on(bump(&store)).unwrap_err().is_outcome_unknown());
    assert_eq!(epoch(&store), 1);
}

#[test]
fn a_call_held_before_its_work_has_done_nothing() {
    let store = faulty();
    let gate = store.hold_before(Operation::BumpEpoch, 1);
    let mut held = bump(&store);
    assert!(!gate.is_reached() && !is_ready(&mut held) && gate.is_reached());
    assert_eq!(epoch(&store), 0);
    gate.open();
    assert_eq!(block_on(held).unwrap(), 1);
}

#[test]
fn a_call_held_after_its_work_has_done_it() {
    let store = faulty();
    let gate = store.hold_after(Operation::BumpEpoch, 1);
    let mut held = bump(&store);
    assert!(!is_ready(&mut held) && gate.is_reached());
    assert_eq!(epoch(&store), 1);
    drop(held);
    assert_eq!(epoch(&store), 1);
}

#[test]
fn a_gate_wakes_the_call_it_holds_and_whoever_awaits_that_it_is_reached() {
    let store = faulty();
    let gate = store.hold_before(Operation::BumpEpoch, 1);
    thread::scope(|scope| {
        let held = scope.spawn(|| block_on(bump(&store)).unwrap());
        block_on(gate.reached());
        assert_eq!(epoch(&store), 0);
        gate.open();
        assert_eq!(held.join().unwrap(), 1);
    });
}

#[test]
fn a_pending_call_is_polled_again() {
    let store = faulty();
    store.pend_before(Operation::BumpEpoch, 1);
    store.pend_after(Operation::BumpEpoch, 1);
    let mut pending = bump(&store);
    assert!(!is_ready(&mut pending));
    assert_eq!(epoch(&store), 0);
    assert!(!is_ready(&mut pending));
    assert_eq!(epoch(&store), 1);
    assert!(is_ready(&mut pending));
}

#[test]
fn faults_of_one_call_add_up() {
    let store = faulty();
    store.pend_before(Operation::BumpEpoch, 1);
    store.lose_answer(Operation::BumpEpoch, 1);
    let mut call = bump(&store);
    assert!(!is_ready(&mut call));
    assert!(block_on(call).unwrap_err().is_outcome_unknown());
}

#[test]
fn a_healed_store_errs_no_more() {
    let store = faulty();
    store.fail(Operation::BumpEpoch, 1, StoreError::unavailable("unplugged"));
    store.heal();
    assert_eq!(block_on(bump(&store)).unwrap(), 1);
}
