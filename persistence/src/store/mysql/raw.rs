//! The writing side of a copy from another store.

use super::StoreError;
use super::session::Session;
use super::writer::{Writer, statement_max};
use crate::model::Timestamp;
use crate::store::checkpoint::{COPY, STORE};
use crate::store::copy::{RawRow, refuse_if_used, write_values};
use crate::store::query;
use crate::store::table::{self, Table};
use crate::store::write::Sink;

/// Rows deleted in one transaction when an interrupted copy is cleared away.
const CLEAR_ROWS: usize = 10_000;

impl Writer {
    /// See [`crate::store::RawTables::begin_copy`].
    pub async fn begin_copy(&mut self, seq: u64) -> Result<(), StoreError> {
        let mut session = self.take_session().await?;
        let result = begin(&mut session, seq).await;
        self.settle(session, result).await
    }

    /// See [`crate::store::RawTables::write_table`].
    pub async fn write_table(&mut self, table: &'static Table, rows: &[RawRow]) -> Result<(), StoreError> {
        self.insert_all(&[(table, rows)], None).await
    }

    /// See [`crate::store::RawTables::finish_copy`].
    pub async fn finish_copy(
        &mut self,
        identity: &[RawRow],
        checkpoints: &[RawRow],
    ) -> Result<(), StoreError> {
        let marker = format!("DELETE FROM journal_checkpoint WHERE consumer = '{COPY}'");
        let tables: [(&'static Table, &[RawRow]); 2] =
            [(&table::JOURNAL_CHECKPOINT, checkpoints), (&table::ENGINE_IDENTITY, identity)];
        self.insert_all(&tables, Some(marker)).await
    }

    async fn insert_all(
        &mut self,
        tables: &[(&'static Table, &[RawRow])],
        last: Option<String>,
    ) -> Result<(), StoreError> {
        let mut session = self.take_session().await?;
        self.statements.restart(statement_max(&session));
        for (table, rows) in tables {
            self.statements.insert(table, &[], rows.iter(), |row, out| write_values(row, out))?;
        }
        let result = self.run_statements(&mut session, last).await;
        self.settle(session, result).await
    }

    async fn run_statements(&self, session: &mut Session, last: Option<String>) -> Result<(), StoreError> {
        session.execute(b"START TRANSACTION").await?;
        for statement in self.statements.iter() {
            session.execute(statement).await?;
        }
        if let Some(sql) = last {
            session.execute(sql.as_bytes()).await?;
        }
        session.execute(b"COMMIT").await?;
        Ok(())
    }
}

async fn begin(session: &mut Session, seq: u64) -> Result<(), StoreError> {
    let unfinished = session.first(&query::checkpoint_of(COPY)).await?.is_some();
    let owned = session.first(&query::node()).await?.is_some()
        || session.first(&query::checkpoint_of(STORE)).await?.is_some();
    let mut filled = Vec::new();
    for table in table::DATA {
        if session.first(&query::any_row(table)).await?.is_some() {
            filled.push(table.name);
        }
    }
    refuse_if_used(unfinished, owned, &filled)?;
    for name in filled {
        let sql = format!("DELETE FROM {name} LIMIT {CLEAR_ROWS}");
        while session.execute(sql.as_bytes()).await? > 0 {}
    }
    let now = Timestamp::now().to_sql();
    let sql = format!(
        "INSERT INTO journal_checkpoint (consumer, seq, epoch, updated_at) VALUES ('{COPY}', {seq}, 0, '{now}') \
         ON DUPLICATE KEY UPDATE seq = VALUES(seq), updated_at = VALUES(updated_at)"
    );
    session.execute(sql.as_bytes()).await?;
    Ok(())
}
