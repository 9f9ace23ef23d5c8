//! What an operator should know of a database that keeps sessions.

use tokio_postgres::Row;

use super::PostgresStore;
use super::calls::Call;
use super::parameter::{read_number, unreadable};
use super::statement::Statement;
use crate::error::StoreError;
use crate::store::network::Effect;
use crate::store::{Examination, StoreFuture};

impl PostgresStore {
    /// What an operator should know of the store: version, size, and settings that endanger sessions.
    /// Every user may ask.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked.
    pub fn examine(&self) -> StoreFuture<Examination> {
        let call = Call::new("examining the session store's database", Effect::Reads, Statement::Examine);
        let schema = self.inner.url.schema.name().to_owned();
        self.call(call, move |rows| match rows.first() {
            Some(row) => examined(row, &schema),
            None => Err(StoreError::unavailable(
                "examining the session store's database failed: its tables are gone; open the store again",
            )),
        })
    }
}

/// The columns of `sql/examine.sql`.
fn examined(row: &Row, schema: &str) -> Result<Examination, StoreError> {
    let text = |column: usize| row.try_get::<_, String>(column).map_err(unreadable);
    let number = |column: usize| read_number(row, column).map(|number| u64::try_from(number).unwrap_or(0));
    let mut found = Examination::of(format!("PostgreSQL {}", text(0)?)).fact("schema", schema);
    found.bytes = Some(number(6)?);
    for (column, name, cost) in SWITCHES {
        if text(*column)? == "off" {
            found = found.endangered(format!("{name} is off: {cost}; turn it on"));
        }
    }
    if text(5)? != "permanent" {
        found = found.endangered(
            "the table of records is unlogged: a crash of the server empties it; ALTER TABLE … SET LOGGED",
        );
    }
    let (dead, live) = (number(7)?, number(8)?);
    if dead > 100_000 && dead > live {
        found = found.endangered(format!(
            "{dead} row versions are dead beside {live} live ones: vacuum does not keep up and the table grows; lower autovacuum_vacuum_scale_factor and autovacuum_vacuum_cost_delay for it"
        ));
    }
    Ok(found
        .fact("commits", format!("synchronous_commit is {}", text(3)?))
        .fact("row versions", format!("{live} live, {dead} dead, as the server estimates"))
        .fact("connections", format!("at most {}", text(9)?))
        .fact("replicas", number(10)?.to_string()))
}

/// Settings that should be on: their column, name, and what it costs that they are not.
const SWITCHES: &[(usize, &str, &str)] = &[
    (1, "fsync", "a crash of the machine can damage the whole database"),
    (2, "full_page_writes", "a crash of the machine can damage the whole database"),
    (
        3,
        "synchronous_commit",
        "a crash of the server costs commits, logins and logouts that were acknowledged",
    ),
    (4, "autovacuum", "the table grows with every commit until the disk is full"),
];
