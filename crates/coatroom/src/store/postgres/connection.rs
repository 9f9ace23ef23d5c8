//! One connection to the database.

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio::task::AbortHandle;
use tokio_postgres::{Client, Error, Row};

use super::parameter::Parameter;
use super::statement::{Statement, Texts};

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) error: Error,
    /// Whether it came so far that something may have been done.
    pub(super) was_executed: bool,
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self { error, was_executed: true }
    }
}

/// A connection and the statements that were prepared on it.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    /// Reads and writes the socket; it ends by itself once the client is dropped and all is answered.
    socket: AbortHandle,
    prepared: [Option<tokio_postgres::Statement>; Statement::ALL.len()],
    /// Whether a statement that is prepared here is the one that is executed here later. A pooler in
    /// between may hand each transaction to another server process.
    is_direct: bool,
}

impl Connection {
    pub(super) fn new(client: Client, socket: AbortHandle, is_direct: bool) -> Self {
        Self { client, socket, prepared: [const { None }; Statement::ALL.len()], is_direct }
    }

    /// Asks in one round trip, or two where the statement is prepared first. Complete only when the
    /// transaction is: an error of its end is an error here.
    pub(super) async fn ask(
        &mut self,
        texts: &Texts,
        statement: Statement,
        parameters: &[Parameter],
        may_prepare: bool,
    ) -> Result<Vec<Row>, Unanswered> {
        if !(self.is_direct && may_prepare) {
            let typed = parameters.iter().map(|parameter| (parameter, parameter.type_()));
            let rows = pin!(self.client.query_typed_raw(texts.of(statement), typed).await?);
            return Ok(rows.try_collect().await?);
        }
        let prepared = match &self.prepared[statement as usize] {
            Some(prepared) => prepared,
            None => {
                let types: Vec<_> = parameters.iter().map(Parameter::type_).collect();
                let prepared = self.client.prepare_typed(texts.of(statement), &types).await;
                let prepared = prepared.map_err(|error| Unanswered { error, was_executed: false })?;
                self.prepared[statement as usize].insert(prepared)
            }
        };
        let rows = pin!(self.client.query_raw(prepared, parameters).await?);
        Ok(rows.try_collect().await?)
    }

    #[cfg(test)]
    pub(super) fn is_direct(&self) -> bool {
        self.is_direct
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Lets go of the socket at once, whatever may still be answered.
    pub(super) fn cut(self) {
        self.socket.abort();
    }
}
