//! The reads: which questions share a snapshot.

use super::connect::{Role, Server};
use super::lease::{BEGIN_SNAPSHOT, Leases};
use crate::model::OrderId;
use crate::store::checkpoint::{COPY, unfinished_copy};
use crate::store::query::{self, Query};
use crate::store::snapshot::{Step, Walk, unwanted};
use crate::store::{CatalogueChunk, OrderPage, StoreError, StoreState, StoredOrder, decode};
use tokio::sync::mpsc::Sender;

/// One question by itself.
pub async fn rows<T: Send>(leases: &Leases, query: Query<T>) -> Result<Vec<T>, StoreError> {
    let mut lease = leases.lease().await?;
    let rows = lease.rows(&query).await?;
    lease.give_back().await?;
    Ok(rows)
}

/// Rows, and the sequence of the checkpoint that the same snapshot saw.
pub async fn page<T: Send>(leases: &Leases, query: Query<T>) -> Result<(u64, Vec<T>), StoreError> {
    let mut lease = leases.snapshot().await?;
    let as_of_seq = lease.checkpoint().await?.seq;
    let rows = lease.rows(&query).await?;
    lease.give_back().await?;
    Ok((as_of_seq, rows))
}

/// Identity and checkpoint.
pub async fn state(leases: &Leases) -> Result<StoreState, StoreError> {
    let mut lease = leases.snapshot().await?;
    let copying = lease.first(&query::checkpoint_of(COPY)).await?;
    let state =
        StoreState { node: lease.first(&query::node()).await?, checkpoint: lease.checkpoint().await? };
    lease.give_back().await?;
    if copying.is_some() { Err(unfinished_copy()) } else { Ok(state) }
}

/// Orders, their lines and shares, in three questions however many they are.
pub async fn orders(leases: &Leases, query: Query<StoredOrder>) -> Result<OrderPage, StoreError> {
    let mut lease = leases.snapshot().await?;
    let as_of_seq = lease.checkpoint().await?.seq;
    let mut orders = lease.rows(&query).await?;
    let ids: Vec<OrderId> = orders.iter().map(|order| order.placed.order_id).collect();
    if !ids.is_empty() {
        let lines = lease.rows(&query::lines(&ids)).await?;
        let shares = lease.rows(&query::shares(&ids)).await?;
        decode::assemble(&mut orders, lines, shares);
    }
    lease.give_back().await?;
    Ok(OrderPage { as_of_seq, orders })
}

/// Sellers and products in one snapshot, on a session beside the pool. While it lasts, the server keeps the old
/// versions of what is changed meanwhile.
pub async fn catalogue(server: &Server, chunks: Sender<CatalogueChunk>) -> Result<(), StoreError> {
    let mut session = server.connect(Role::Reader).await?;
    session.execute(BEGIN_SNAPSHOT).await?;
    let mut walk = Walk::new(session.checkpoint().await?.seq);
    while let Some(step) = walk.next() {
        let chunk = match step {
            Step::Sellers(query) => walk.sellers(session.rows(&query).await?),
            Step::Products(query) => walk.products(session.rows(&query).await?),
        };
        chunks.send(chunk).await.map_err(|_| unwanted())?;
    }
    session.leave().await;
    Ok(())
}
