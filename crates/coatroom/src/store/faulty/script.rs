use std::collections::BTreeMap;
use std::future::poll_fn;
use std::mem;
use std::task::Poll;

use super::{Gate, Operation};
use crate::error::StoreError;

/// What goes wrong with one call.
#[derive(Debug)]
pub(super) enum Fault {
    Fail(StoreError),
    HoldAfter(Gate),
    HoldBefore(Gate),
    LandLate,
    LoseAnswer,
    PendAfter,
    PendBefore,
}

/// What was called, and what is to go wrong at which call.
#[derive(Debug, Default)]
pub(super) struct Script {
    calls: BTreeMap<Operation, usize>,
    planned: BTreeMap<(Operation, usize), Vec<Fault>>,
}

impl Script {
    pub(super) fn calls(&self, operation: Operation) -> usize {
        self.calls.get(&operation).copied().unwrap_or(0)
    }

    pub(super) fn inject(&mut self, operation: Operation, nth: usize, fault: Fault) {
        let call = self.calls(operation) + nth.max(1);
        self.planned.entry((operation, call)).or_default().push(fault);
    }

    pub(super) fn heal(&mut self) {
        self.planned.clear();
    }

    /// Counts a call and takes out what is planned for it.
    pub(super) fn call(&mut self, operation: Operation) -> Vec<Fault> {
        let calls = self.calls.entry(operation).or_default();
        *calls += 1;
        self.planned.remove(&(operation, *calls)).unwrap_or_default()
    }
}

pub(super) async fn before(faults: &[Fault]) -> Result<(), StoreError> {
    for fault in faults {
        match fault {
            Fault::HoldBefore(gate) => gate.pass().await,
            Fault::PendBefore => pend().await,
            _ => {}
        }
    }
    let failure = faults.iter().find_map(|fault| match fault {
        Fault::Fail(error) => Some(error.clone()),
        _ => None,
    });
    failure.map_or(Ok(()), Err)
}

pub(super) async fn after(operation: Operation, faults: &[Fault]) -> Result<(), StoreError> {
    for fault in faults {
        match fault {
            Fault::HoldAfter(gate) => gate.pass().await,
            Fault::PendAfter => pend().await,
            _ => {}
        }
    }
    if faults.iter().any(|fault| matches!(fault, Fault::LoseAnswer)) {
        return Err(lost(operation));
    }
    Ok(())
}

pub(super) fn lost(operation: Operation) -> StoreError {
    let what = format!("calling {operation:?} of a faulty store");
    StoreError::OutcomeUnknown { what, source: None }
}

async fn pend() {
    let mut pended = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if mem::replace(&mut pended, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
