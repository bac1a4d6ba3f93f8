use super::Gate;
use async_trait::async_trait;
use floodgate_persistence::model::{NodeId, OrderId, ProductId, Record, SellerId, Timestamp};
use floodgate_persistence::store::{
    CatalogueChunk, CataloguePage, EventRow, KeyRow, OpenOrder, OrderFilter, OrderPage, ParkedRow, PoolUsage,
    SellerPage, Store, StoreError, StoreState, StoredOrder, WriteBatch,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::mpsc::Sender;

/// A real store, whose writes can be held, whose reads of the catalogue can be held on their way back, and fail; reads are
/// counted.
pub struct GatedStore {
    inner: Arc<dyn Store>,
    pub writes: Gate,
    pub reads: Gate,
    pub fail_reads: AtomicBool,
    pub reads_by_id: AtomicUsize,
    pub product_pages: AtomicUsize,
    pub snapshots: Gate,
    pub snapshots_begun: AtomicUsize,
}

impl GatedStore {
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            writes: Gate::default(),
            reads: Gate::default(),
            fail_reads: AtomicBool::new(false),
            reads_by_id: AtomicUsize::new(0),
            product_pages: AtomicUsize::new(0),
            snapshots: Gate::default(),
            snapshots_begun: AtomicUsize::new(0),
        }
    }

    /// What was read waits at the gate: it is as old as it was when it was read.
    async fn read<T>(&self, read: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if self.fail_reads.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("away on purpose".into()));
        }
        let result = read.await;
        self.reads.pass_async().await;
        result
    }
}

#[async_trait]
impl Store for GatedStore {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        self.inner.migrate().await
    }

    async fn state(&self) -> Result<StoreState, StoreError> {
        self.inner.state().await
    }

    async fn take_over(&self, node: NodeId, epoch: u64) -> Result<(), StoreError> {
        self.inner.take_over(node, epoch).await
    }

    async fn apply(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        self.writes.pass_async().await;
        self.inner.apply(batch).await
    }

    async fn counters(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.inner.counters().await
    }

    async fn keys(&self, before_seq: u64, limit: usize) -> Result<Vec<KeyRow>, StoreError> {
        self.inner.keys(before_seq, limit).await
    }

    async fn open_orders(&self, after: u64, limit: usize) -> Result<Vec<OpenOrder>, StoreError> {
        self.inner.open_orders(after, limit).await
    }

    async fn product_count(&self) -> Result<u64, StoreError> {
        self.inner.product_count().await
    }

    async fn products_page(&self, after: u64, limit: usize) -> Result<CataloguePage, StoreError> {
        self.product_pages.fetch_add(1, Ordering::SeqCst);
        self.read(self.inner.products_page(after, limit)).await
    }

    async fn products_by_id(&self, ids: &[ProductId]) -> Result<CataloguePage, StoreError> {
        self.reads_by_id.fetch_add(1, Ordering::SeqCst);
        self.read(self.inner.products_by_id(ids)).await
    }

    async fn products_changed(
        &self,
        since: Timestamp,
        after: u64,
        limit: usize,
    ) -> Result<CataloguePage, StoreError> {
        self.read(self.inner.products_changed(since, after, limit)).await
    }

    async fn sellers_page(&self, after: u64, limit: usize) -> Result<SellerPage, StoreError> {
        self.read(self.inner.sellers_page(after, limit)).await
    }

    async fn sellers_by_id(&self, ids: &[SellerId]) -> Result<SellerPage, StoreError> {
        self.read(self.inner.sellers_by_id(ids)).await
    }

    async fn catalogue_snapshot(&self, chunks: Sender<CatalogueChunk>) -> Result<(), StoreError> {
        self.snapshots_begun.fetch_add(1, Ordering::SeqCst);
        self.snapshots.pass_async().await;
        self.inner.catalogue_snapshot(chunks).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<StoredOrder>, StoreError> {
        self.inner.order(id).await
    }

    async fn orders(&self, filter: &OrderFilter) -> Result<OrderPage, StoreError> {
        self.inner.orders(filter).await
    }

    async fn order_events(&self, id: OrderId) -> Result<Vec<EventRow>, StoreError> {
        self.inner.order_events(id).await
    }

    async fn stock_adjustment(&self, seq: u64) -> Result<Option<Record>, StoreError> {
        self.inner.stock_adjustment(seq).await
    }

    async fn parked(&self, after: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        self.inner.parked(after, limit).await
    }

    fn pool(&self) -> PoolUsage {
        self.inner.pool()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
