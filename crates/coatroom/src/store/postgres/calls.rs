//! A call of the store: its way to the database, and what its answer means.

use std::sync::Arc;

use tokio_postgres::Row;

use super::PostgresStore;
use super::connection::Unanswered;
use super::error::{Meaning, failed, refused};
use super::parameter::{Parameter, read_locator, read_number, read_outcome, read_record, unreadable};
use super::pool::Pool;
use super::statement::Statement;
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::Record;
use crate::store::network::Effect;
use crate::store::{Claim, Commit, Creation, Departed, Departure, Page, StoreFuture};

/// What is asked of the database.
#[derive(Debug)]
pub(super) struct Call {
    /// For messages.
    what: &'static str,
    effect: Effect,
    statement: Statement,
    parameters: Vec<Parameter>,
}

impl Call {
    pub(super) fn new(what: &'static str, effect: Effect, statement: Statement) -> Self {
        Self { what, effect, statement, parameters: Vec::with_capacity(13) }
    }

    pub(super) fn with(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    pub(super) fn with_all(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    pub(super) fn with_key(self, key: Key) -> Self {
        self.with(Parameter::namespace(key.namespace)).with(Parameter::Locator(key.locator))
    }

    pub(super) fn with_data(self, record: Record) -> Self {
        self.with(Parameter::Checksum(crc32c::crc32c(record.bytes()))).with(Parameter::Data(record))
    }

    /// Asks until there is an answer, or an error that is one. Within the timeout of the call.
    async fn answer(self, pool: Arc<Pool>) -> Result<Vec<Row>, StoreError> {
        let mut lost_one = false;
        let mut attempts = 0;
        loop {
            let lent = if lost_one { pool.lend_new().await } else { pool.lend().await };
            let mut lent = lent.map_err(|refusal| refused(self.what, refusal))?;
            let Unanswered { error, was_executed } = match lent.ask(self.statement, &self.parameters).await {
                Ok(rows) => return Ok(rows),
                Err(unanswered) => unanswered,
            };
            let effect = if was_executed { self.effect } else { Effect::Reads };
            attempts += 1;
            match Meaning::of(&error) {
                Meaning::Again if attempts < MAX_ATTEMPTS => {}
                Meaning::NotPrepared if attempts < MAX_ATTEMPTS => {
                    pool.prepare_no_more();
                    lent.discard();
                }
                Meaning::Broken => {
                    lent.discard();
                    if lost_one || effect == Effect::Writes {
                        return Err(failed(self.what, effect, error));
                    }
                    lost_one = true;
                }
                _ => return Err(failed(self.what, effect, error)),
            }
        }
    }
}

/// How often a transaction is repeated that others were in the way of.
const MAX_ATTEMPTS: u32 = 10;

impl PostgresStore {
    /// Asks, and makes the answer of the rows.
    pub(super) fn call<T: Send + 'static>(
        &self,
        call: Call,
        read: impl FnOnce(Vec<Row>) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<T> {
        let pool = Arc::clone(&self.inner.pool);
        let (what, effect) = (call.what, call.effect);
        self.inner.network.call(what, effect, async move { read(call.answer(pool).await?) })
    }

    /// Claims; where others work on all that is due, waits for one of it, holding nothing meanwhile,
    /// so that whoever claims until there is no more neither spins nor leaves anything behind.
    pub(super) fn claim(
        &self,
        namespace: Namespace,
        call: impl Fn(Statement, usize) -> Call + Send + 'static,
        limit: usize,
    ) -> StoreFuture<Claim> {
        let pool = Arc::clone(&self.inner.pool);
        let first = call(Statement::Claim, limit);
        self.inner.network.call(first.what, first.effect, async move {
            let Found { claim, is_kept_out } = found(namespace, &first.answer(pool.clone()).await?, limit)?;
            if !is_kept_out {
                return Ok(claim);
            }
            let rows = call(Statement::ClaimWaiting, 1).answer(pool).await?;
            Ok(Claim { more: true, ..found(namespace, &rows, 1)?.claim })
        })
    }
}

pub(super) fn first_record(key: Key, rows: &[Row]) -> Result<Option<Record>, StoreError> {
    rows.first().map(|row| read_record(key, row, 0)).transpose()
}

/// It is out, also where it was damaged and cannot be returned.
pub(super) fn removed(key: Key, rows: &[Row]) -> Result<Option<Record>, StoreError> {
    match first_record(key, rows) {
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(target: "coatroom", locator = %key.locator, %error, "a damaged record was taken out");
            Ok(None)
        }
        record => record,
    }
}

pub(super) fn created(key: Key, rows: &[Row]) -> Result<Creation, StoreError> {
    let Some(row) = rows.first() else { return Err(answered_nothing()) };
    Ok(match read_outcome(row)? {
        0 => Creation::Exists,
        2 => {
            let dead = sound(key, read_record(key, row, 1))?;
            let departed = dead.map(|record| Departed { record, reason: Departure::Expired });
            Creation::Created(departed.into_iter().collect())
        }
        _ => Creation::Created(Vec::new()),
    })
}

pub(super) fn committed(key: Key, rows: &[Row]) -> Result<Commit, StoreError> {
    let Some(row) = rows.first() else { return Err(answered_nothing()) };
    Ok(match read_outcome(row)? {
        1 => Commit::Landed(Vec::new()),
        2 => Commit::Conflict(read_record(key, row, 1)?),
        _ => Commit::Gone,
    })
}

/// The locator that a page begins with, which is the next one; `None` where there is none.
pub(super) fn behind(after: Option<Locator>) -> Option<Locator> {
    let number = after.map_or(Some(0), |after| u128::from_be_bytes(*after.as_bytes()).checked_add(1));
    number.map(|number| Locator::from_bytes(number.to_be_bytes()))
}

/// One row more than the limit was asked for, which tells whether there is another page.
pub(super) fn paged(namespace: Namespace, rows: &[Row], limit: usize) -> Result<Page, StoreError> {
    let (shown, rest) = rows.split_at(limit.min(rows.len()));
    let last = shown.last().filter(|_| !rest.is_empty());
    let next = last.map(|row| read_locator(row, 0)).transpose()?;
    Ok(Page { records: listed(namespace, shown)?, next })
}

pub(super) fn listed(namespace: Namespace, rows: &[Row]) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let key = Key { namespace, locator: read_locator(row, 0)? };
        records.extend(sound(key, read_record(key, row, 1))?);
    }
    Ok(records)
}

/// A number that is 0 where there is no row.
pub(super) fn counted(rows: &[Row]) -> Result<u64, StoreError> {
    rows.first().map_or(Ok(0), |row| read_number(row, 0).map(i64::cast_unsigned))
}

pub(super) fn namespaces(rows: &[Row]) -> Result<Vec<Namespace>, StoreError> {
    let namespace = |row| Ok(Namespace::from_bytes(read_number(row, 0)?.to_be_bytes()));
    rows.iter().map(namespace).collect()
}

/// What a sweep found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) claim: Claim,
    /// Something is due, and others work on all of it.
    pub(super) is_kept_out: bool,
}

/// Rows without data are alive and were filed anew; the last row tells how many were due.
pub(super) fn found(namespace: Namespace, rows: &[Row], limit: usize) -> Result<Found, StoreError> {
    let Some((last, rows)) = rows.split_last() else { return Err(answered_nothing()) };
    let due = usize::try_from(read_number(last, 5)?).unwrap_or(usize::MAX);
    let mut records = Vec::new();
    for row in rows {
        if has_data(row)? {
            let key = Key { namespace, locator: read_locator(row, 0)? };
            records.extend(sound(key, read_record(key, row, 1))?);
        }
    }
    let more = rows.len() >= limit || rows.len() < due;
    Ok(Found { claim: Claim { records, more }, is_kept_out: rows.is_empty() && due > 0 })
}

fn has_data(row: &Row) -> Result<bool, StoreError> {
    row.try_get::<_, Option<&[u8]>>(4).map(|data| data.is_some()).map_err(unreadable)
}

/// Namespaces, locators and revisions of records; `None` where there are none.
pub(super) fn keys_of(records: &[Record]) -> Option<[Parameter; 3]> {
    if records.is_empty() {
        return None;
    }
    let namespace = |record: &Record| i64::from_be_bytes(*record.key().namespace.as_bytes());
    Some([
        Parameter::Numbers(records.iter().map(namespace).collect()),
        Parameter::Locators(records.iter().map(|record| record.key().locator).collect()),
        Parameter::Numbers(records.iter().map(|record| record.revision().cast_signed()).collect()),
    ])
}

/// A damaged record must not stop the work on many: it is passed over, and said to be damaged to
/// whoever asks for it by name.
fn sound(key: Key, record: Result<Record, StoreError>) -> Result<Option<Record>, StoreError> {
    match record {
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(target: "coatroom", locator = %key.locator, %error, "a damaged record is passed over");
            Ok(None)
        }
        record => record.map(Some),
    }
}

fn answered_nothing() -> StoreError {
    StoreError::unavailable(
        "asking the session store's database failed: a function of its schema answered nothing; restart to have them made anew",
    )
}
