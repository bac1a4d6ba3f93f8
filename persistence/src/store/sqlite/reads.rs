//! The reads: which questions share a snapshot. In WAL mode a read transaction sees one moment, from its first
//! question on.

use super::StoreError;
use super::error::classify;
use crate::model::OrderId;
use crate::store::checkpoint::{COPY, unfinished_copy};
use crate::store::decode::{self, Row};
use crate::store::query::{self, Query};
use crate::store::snapshot::{Step, Walk, unwanted};
use crate::store::{CatalogueChunk, OrderPage, StoreState, StoredOrder};
use rusqlite::Connection;
use tokio::sync::mpsc::Sender;

/// One question.
pub fn rows<T>(connection: &Connection, query: &Query<T>) -> Result<Vec<T>, StoreError> {
    let failed = |error| classify(&error);
    let mut statement = connection.prepare(&query.sql).map_err(failed)?;
    let mut answer = statement.query([]).map_err(failed)?;
    let mut rows = Vec::new();
    while let Some(row) = answer.next().map_err(failed)? {
        rows.push((query.decode)(&mut Row::new(row))?);
    }
    Ok(rows)
}

/// The first row of the answer.
pub fn first<T>(connection: &Connection, query: &Query<T>) -> Result<Option<T>, StoreError> {
    Ok(rows(connection, query)?.into_iter().next())
}

/// Sequence of the checkpoint; zero where there is none.
pub fn as_of_seq(connection: &Connection) -> Result<u64, StoreError> {
    Ok(first(connection, &query::checkpoint())?.unwrap_or_default().seq)
}

/// Reads that all see one moment.
pub fn snapshot<T>(
    connection: &mut Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction().map_err(|error| classify(&error))?;
    let result = read(&transaction);
    transaction.rollback().map_err(|error| classify(&error))?;
    result
}

/// Rows, and the sequence of the checkpoint that the same snapshot saw.
pub fn page<T>(connection: &mut Connection, query: &Query<T>) -> Result<(u64, Vec<T>), StoreError> {
    snapshot(connection, |snapshot| Ok((as_of_seq(snapshot)?, rows(snapshot, query)?)))
}

/// Identity and checkpoint.
pub fn state(connection: &mut Connection) -> Result<StoreState, StoreError> {
    snapshot(connection, whose)
}

/// Identity and checkpoint, within a transaction; an unfinished copy is nobody's.
pub fn whose(connection: &Connection) -> Result<StoreState, StoreError> {
    if first(connection, &query::checkpoint_of(COPY))?.is_some() {
        return Err(unfinished_copy());
    }
    let node = first(connection, &query::node())?;
    Ok(StoreState { node, checkpoint: first(connection, &query::checkpoint())?.unwrap_or_default() })
}

/// Orders, their lines and shares, in three questions however many they are.
pub fn orders(connection: &mut Connection, query: &Query<StoredOrder>) -> Result<OrderPage, StoreError> {
    snapshot(connection, |snapshot| {
        let as_of_seq = as_of_seq(snapshot)?;
        let mut orders = rows(snapshot, query)?;
        let ids: Vec<OrderId> = orders.iter().map(|order| order.placed.order_id).collect();
        let lines = rows(snapshot, &query::lines(&ids))?;
        let shares = rows(snapshot, &query::shares(&ids))?;
        decode::assemble(&mut orders, lines, shares);
        Ok(OrderPage { as_of_seq, orders })
    })
}

/// Sellers and products in one snapshot. While it lasts, the write-ahead log cannot be folded back into the file.
pub fn catalogue(connection: &mut Connection, chunks: &Sender<CatalogueChunk>) -> Result<(), StoreError> {
    snapshot(connection, |snapshot| {
        let mut walk = Walk::new(as_of_seq(snapshot)?);
        while let Some(step) = walk.next() {
            let chunk = match step {
                Step::Sellers(query) => walk.sellers(rows(snapshot, &query)?),
                Step::Products(query) => walk.products(rows(snapshot, &query)?),
            };
            chunks.blocking_send(chunk).map_err(|_| unwanted())?;
        }
        Ok(())
    })
}
