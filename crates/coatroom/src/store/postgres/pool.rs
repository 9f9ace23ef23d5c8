//! The connections of a store.
//!
//! A call has a connection to itself for as long as it takes. The next call takes the one that was
//! used last, so that a quiet store keeps few of them busy, and one that was lost is replaced by the
//! first call that would have used it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Row;

use super::connect::{Connector, Refusal};
use super::connection::{Connection, Unanswered};
use super::outage::Outage;
use super::parameter::Parameter;
use super::statement::{Statement, Texts};
use crate::store::network::Driver;

#[derive(Debug)]
pub(super) struct Pool {
    connector: Connector,
    driver: Driver,
    texts: Texts,
    /// One for each connection that may be there besides the idle ones.
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    outage: Outage,
    /// How long an answer that nobody waits for any more may take.
    patience: Duration,
    may_prepare: AtomicBool,
}

impl Pool {
    pub(super) fn new(
        connector: Connector,
        driver: Driver,
        texts: Texts,
        size: usize,
        patience: Duration,
    ) -> Self {
        Self {
            connector,
            driver,
            texts,
            places: Arc::new(Semaphore::new(size)),
            idle: Mutex::new(Vec::with_capacity(size)),
            outage: Outage::default(),
            patience,
            may_prepare: AtomicBool::new(true),
        }
    }

    /// A connection that was open when it was last looked at, or a new one.
    pub(super) async fn lend(self: &Arc<Self>) -> Result<Lent, Refusal> {
        let place = self.place().await?;
        loop {
            let idle = self.idle.lock().pop();
            match idle {
                Some(connection) if connection.is_closed() => {}
                Some(connection) => return Ok(Lent::new(self, connection, place)),
                None => return self.connect(place).await,
            }
        }
    }

    /// A new connection, after one was found broken: the idle ones may be as well.
    pub(super) async fn lend_new(self: &Arc<Self>) -> Result<Lent, Refusal> {
        let place = self.place().await?;
        // In its place, so that there are never more than the size.
        let _oldest = {
            let mut idle = self.idle.lock();
            if idle.is_empty() { None } else { Some(idle.remove(0)) }
        };
        self.connect(place).await
    }

    /// A connection that is made even where the call that wanted it gives up meanwhile: a later one
    /// finds it then. Else a server to which connecting takes longer than a call may take would
    /// never be reached again, and would be dialled by each call anew.
    async fn connect(self: &Arc<Self>, place: OwnedSemaphorePermit) -> Result<Lent, Refusal> {
        if let Some(refusal) = self.outage.refusal(Instant::now()) {
            return Err(refusal);
        }
        let pool = Arc::clone(self);
        let connecting = async move {
            let connected = pool.connector.connect(&pool.driver).await;
            pool.outage.tried(connected.as_ref().err(), Instant::now());
            // Goes back to the pool where nobody takes it.
            Ok(Lent::new(&pool, connected?, place))
        };
        // The runtime has ended, and the store with it.
        self.driver.finish(connecting).await.unwrap_or(Err(Refusal::Closed))
    }

    /// Statements are sent whole from now on; says so once.
    pub(super) fn prepare_no_more(&self) {
        if self.may_prepare.swap(false, Ordering::Relaxed) {
            tracing::warn!(
                target: "coatroom",
                "the session store's database does not keep prepared statements, as behind a connection pooler; they are not used any more: say prepared_statements=off in the URL to begin so"
            );
        }
    }

    /// Lets go of all connections, those under way once they are answered; nobody gets one any more.
    pub(super) fn close(&self) {
        self.places.close();
        self.idle.lock().clear();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.places.is_closed()
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.places).acquire_owned().await.map_err(|_| Refusal::Closed)
    }

    /// The connection waits for a call.
    pub(super) fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock();
        if !self.places.is_closed() {
            idle.push(connection);
        }
    }
}

/// A connection in use, which goes back when this is dropped: after all that it was asked.
#[derive(Debug)]
pub(super) struct Lent {
    pool: Arc<Pool>,
    /// `None` once it was given back.
    held: Option<(Connection, OwnedSemaphorePermit)>,
    is_answered: bool,
}

impl Lent {
    fn new(pool: &Arc<Pool>, connection: Connection, place: OwnedSemaphorePermit) -> Self {
        Self { pool: Arc::clone(pool), held: Some((connection, place)), is_answered: true }
    }

    /// Asks the database. After an error that ended the connection it is not used again.
    ///
    /// Where this is dropped before it is complete, the connection goes back once the answer is
    /// here that nobody waits for, and is given up where that takes too long.
    pub(super) async fn ask(
        &mut self,
        statement: Statement,
        parameters: &[Parameter],
    ) -> Result<Vec<Row>, Unanswered> {
        let may_prepare = self.pool.may_prepare.load(Ordering::Relaxed);
        // Only `drop` and `discard` take it out, and then there is no `self` any more.
        #[allow(clippy::expect_used)]
        let (connection, _) = self.held.as_mut().expect("a connection is held until it is given back");
        self.is_answered = false;
        let rows = connection.ask(&self.pool.texts, statement, parameters, may_prepare).await;
        self.is_answered = true;
        rows
    }

    /// Does not use the connection again, whatever it still has to say.
    pub(super) fn discard(mut self) {
        if let Some((connection, _place)) = self.held.take() {
            connection.cut();
        }
    }
}

#[cfg(test)]
impl Pool {
    pub(super) fn may_prepare(&self) -> bool {
        self.may_prepare.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
impl Lent {
    pub(super) fn is_direct(&self) -> bool {
        self.held.as_ref().is_some_and(|(connection, _)| connection.is_direct())
    }

    /// As if the server process were another.
    pub(super) async fn forget_statements(&self) -> Result<(), tokio_postgres::Error> {
        let (connection, _) = self.held.as_ref().unwrap();
        connection.client().batch_execute("DEALLOCATE ALL").await
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some((connection, place)) = self.held.take() else { return };
        if connection.is_closed() {
            return;
        }
        if self.is_answered {
            self.pool.give_back(connection);
        } else {
            let pool = Arc::clone(&self.pool);
            self.pool.driver.spawn(await_answer(pool, connection, place));
        }
    }
}

/// Keeps the place of a connection until all that it was asked is answered, so that a server that
/// hangs is never asked more at once than the size of the pool. What takes too long is cancelled, so
/// that it is not done after all, long after.
async fn await_answer(pool: Arc<Pool>, connection: Connection, place: OwnedSemaphorePermit) {
    let answered = tokio::time::timeout(pool.patience, connection.client().check_connection()).await;
    match answered {
        Ok(Ok(())) => pool.give_back(connection),
        Ok(Err(_)) => connection.cut(),
        Err(_) => {
            pool.connector.cancel(&connection).await;
            connection.cut();
        }
    }
    drop(place);
}
