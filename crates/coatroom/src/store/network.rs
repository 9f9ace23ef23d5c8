//! What the stores on other machines share: where their work runs, how long and how many may wait,
//! and the time of their server.

mod clock;
mod driver;
mod error;
mod gate;
mod tls;
mod value;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub(super) use self::clock::{READ_EVERY, ServerClock};
pub(super) use self::driver::Driver;
pub use self::error::ConnectError;
pub(super) use self::gate::Gate;
#[cfg(feature = "postgres")]
pub(super) use self::tls::authorities;
#[cfg(feature = "redis")]
pub(super) use self::tls::trusting;
#[cfg(feature = "postgres")]
pub(super) use self::value::check_record;
#[cfg(feature = "redis")]
pub(super) use self::value::{VALUE_HEADER, read_value, value_header, write_value};
use crate::error::StoreError;
use crate::store::StoreFuture;

/// How a store's calls reach its server.
///
/// A call waits for its turn and for the answer no longer than the timeout in all, and where too
/// many wait already it fails at once, so that a slow server never gathers a crowd.
#[derive(Debug)]
pub(super) struct Network {
    driver: Driver,
    gate: Arc<Gate>,
    timeout: Duration,
}

/// Whether a call that got no answer may have changed something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Effect {
    Reads,
    Writes,
}

impl Network {
    pub(super) fn new(driver: Driver, gate: Gate, timeout: Duration) -> Self {
        Self { driver, gate: Arc::new(gate), timeout }
    }

    pub(super) fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Lets no call in any more.
    pub(super) fn close(&self) {
        self.gate.close();
    }

    /// Runs `work`, which is `what` in messages. It must not be begun before it is polled.
    pub(super) fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        effect: Effect,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> StoreFuture<T> {
        let (gate, timeout) = (Arc::clone(&self.gate), self.timeout);
        // A future that is moved into another is copied, and the other keeps room for it twice.
        let work = Box::pin(work);
        self.driver.run(async move {
            let deadline = tokio::time::Instant::now() + timeout;
            let turn = match gate.try_enter() {
                Some(turn) => turn,
                None => match tokio::time::timeout_at(deadline, Box::pin(gate.enter(what))).await {
                    Ok(turn) => turn?,
                    Err(_) => return Err(unanswered(what, Effect::Reads, timeout)),
                },
            };
            let answer = tokio::time::timeout_at(deadline, work).await;
            drop(turn);
            match answer {
                Ok(answer) => answer,
                Err(_) => Err(unanswered(what, effect, timeout)),
            }
        })
    }
}

fn unanswered(what: &str, effect: Effect, timeout: Duration) -> StoreError {
    let what = format!("{what} failed: the store's server did not answer within {timeout:?}");
    match effect {
        Effect::Reads => StoreError::unavailable(what),
        Effect::Writes => StoreError::OutcomeUnknown { what, source: None },
    }
}
