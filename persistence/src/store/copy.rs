//! From one store to another: the road from SQLite to MySQL.
//!
//! A copy first leaves a marker in the target (`journal_checkpoint`, consumer `copy`), then writes all tables in
//! short transactions, and last, in one, checkpoint and identity instead of the marker. A store with the marker is
//! nobody's: `state` and `take_over` refuse it. Starting the copy again clears away what the first one left.

use super::decode::RawValue;
use super::table::{self, Table};
use super::write::Values;
use super::{CopyProgress, Store, StoreError};
use async_trait::async_trait;

/// A row as it stands in a table, column by column.
pub type RawRow = Vec<RawValue>;

/// Rows read, and written in one transaction.
const PAGE_ROWS: usize = 2000;

/// The tables below the nouns, for a copy. Any number of reads; writes only between `begin_copy` and `finish_copy`.
#[async_trait]
pub trait RawTables: Send + Sync {
    /// Becomes the writer of an empty store (or one that a copy left unfinished, which is cleared) and marks it as
    /// being copied into. [`StoreError::Configuration`] where it holds anything else.
    async fn begin_copy(&self, seq: u64) -> Result<(), StoreError>;

    /// Rows whose first key column is above `after`, in the order of the key, at most `limit`; all rows of a table
    /// that cannot be walked through by number.
    async fn read_table(
        &self,
        table: &'static Table,
        after: u64,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError>;

    /// Inserts rows, in one transaction.
    async fn write_table(&self, table: &'static Table, rows: Vec<RawRow>) -> Result<(), StoreError>;

    /// Writes checkpoint and identity and takes the marker away, in one transaction: the copy counts.
    async fn finish_copy(&self, identity: Vec<RawRow>, checkpoints: Vec<RawRow>) -> Result<(), StoreError>;
}

/// Copies everything of `from` into `to`, which must be migrated and empty. No engine may run on either; one that
/// writes to `from` meanwhile is noticed, and the copy fails.
///
/// Interrupted, it leaves a target that no engine takes; calling it again starts over.
pub async fn copy(
    from: &dyn Store,
    to: &dyn Store,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<(), StoreError> {
    let state = from.state().await?;
    if state.node.is_none() {
        return Err(StoreError::Configuration("no engine has written to the store to copy from".to_owned()));
    }
    let (source, target) = (raw(from)?, raw(to)?);
    target.begin_copy(state.checkpoint.seq).await?;
    for table in table::DATA {
        copy_table(source, target, table, progress).await?;
    }
    let checkpoints = source.read_table(&table::JOURNAL_CHECKPOINT, 0, PAGE_ROWS).await?;
    let identity = source.read_table(&table::ENGINE_IDENTITY, 0, PAGE_ROWS).await?;
    if from.state().await? != state {
        let moved = "it was written to while it was copied".to_owned();
        return Err(StoreError::Fenced(moved));
    }
    target.finish_copy(identity, checkpoints).await
}

fn raw(store: &dyn Store) -> Result<&dyn RawTables, StoreError> {
    let missing = || StoreError::Configuration(format!("{} cannot be copied", store.describe()));
    store.raw_tables().ok_or_else(missing)
}

async fn copy_table(
    source: &dyn RawTables,
    target: &dyn RawTables,
    table: &'static Table,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<(), StoreError> {
    let (mut after, mut limit, mut copied) = (0, PAGE_ROWS, 0);
    progress(CopyProgress { table: table.name, rows: 0 });
    loop {
        let mut rows = source.read_table(table, after, limit).await?;
        let more = table.walk_column().is_some() && rows.len() >= limit;
        if more && !cut_last_group(&mut rows) {
            // One order alone fills the page.
            limit *= 2;
            continue;
        }
        if let Some(RawValue::Unsigned(last)) = rows.last().and_then(|row| row.first()) {
            after = *last;
        }
        copied += rows.len() as u64;
        if !rows.is_empty() {
            target.write_table(table, rows).await?;
        }
        progress(CopyProgress { table: table.name, rows: copied });
        if !more {
            return Ok(());
        }
    }
}

/// A full page may end in the middle of an order's rows: the next page begins with that order. `false`: nothing
/// would be left. Rows with a number of their own are a group each, so a page of them loses its last row only.
fn cut_last_group(rows: &mut Vec<RawRow>) -> bool {
    let last = rows.last().and_then(|row| row.first()).cloned();
    let whole = rows.iter().position(|row| row.first() == last.as_ref()).unwrap_or(0);
    if whole > 0 {
        rows.truncate(whole);
    }
    whole > 0
}

/// Decides whether a copy may begin.
pub fn refuse_if_used(unfinished: bool, owned: bool, filled: &[&str]) -> Result<(), StoreError> {
    if owned {
        return Err(StoreError::Configuration(
            "the store to copy to belongs to an engine already".to_owned(),
        ));
    }
    if !unfinished && !filled.is_empty() {
        let tables = filled.join(", ");
        return Err(StoreError::Configuration(format!("the store to copy to is not empty: {tables}")));
    }
    Ok(())
}

/// Hands a row on.
pub fn write_values(row: &RawRow, out: &mut dyn Values) {
    for value in row {
        match value {
            RawValue::Null => out.null(),
            RawValue::Unsigned(value) => out.unsigned(*value),
            RawValue::Signed(value) => out.signed(*value),
            RawValue::Text(value) => out.text(value),
            RawValue::Binary(value) => out.binary(value),
            RawValue::Time(value) => out.time(*value),
        }
    }
}
