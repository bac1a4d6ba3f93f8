//! The store in MySQL and MariaDB.
//!
//! All connections live on one thread of their own with its own runtime: a caller's runtime may end, and a caller's
//! future may be dropped at any moment, without leaving a connection half-way through a statement.

mod books;
mod connect;
mod driver;
mod error;
mod feed;
mod holder;
mod lease;
mod raw;
mod reads;
mod session;
mod settings;
mod statement;
mod writer;

use super::gate::{Gate, closed};
use super::insert_times::InsertTimes;
use super::life_reads::Asks;
use super::query::{self, Dialect};
use super::table::Table;
use super::{
    BooksPart, CatalogueChunk, CataloguePage, EventRow, KeyRow, LifeReads, OpenOrder, OrderFilter, OrderPage,
    ParkedRow, PoolUsage, ProductRow, RawRow, RawTables, SellerPage, Store, StoreConfig, StoreError,
    StoreState, StoredOrder, WriteBatch,
};
use crate::histogram::HistogramSnapshot;
use crate::model::{NodeId, OrderId, ProductId, Record, SellerId, Timestamp};
use async_trait::async_trait;
use connect::Server;
use driver::Driver;
use holder::Limits;
use lease::Leases;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use tokio::sync::Mutex;
use tokio::sync::mpsc::Sender;
use writer::Writer;

pub use feed::{PlainFeed, Recorded};
pub(super) use settings::settings;

/// MySQL 8.0 and later, MariaDB 10.6 and later.
pub struct MysqlStore {
    driver: Driver,
    parts: Arc<Parts>,
}

struct Parts {
    server: Arc<Server>,
    leases: Leases,
    writer: Mutex<Writer>,
    insert_times: InsertTimes,
}

impl MysqlStore {
    /// Reaches the server, creates the database where it is missing, and checks the version.
    pub async fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let server = Arc::new(Server::parse(config)?);
        let driver = Driver::start()?;
        let insert_times = InsertTimes::default();
        let parts = Arc::new(Parts {
            leases: Leases::new(Arc::clone(&server), Gate::new(config.pool_max)),
            writer: Mutex::new(Writer::new(Arc::clone(&server), insert_times.clone())),
            insert_times,
            server,
        });
        driver.spawn(stay(Arc::downgrade(&parts), Limits::of(config.query_timeout)));
        let store = Self { driver, parts };
        store.run(|parts| async move { parts.leases.first_contact().await }).await?;
        Ok(store)
    }

    /// Runs work to its end on the store's own thread, whether or not the caller still waits for it.
    async fn run<T, F>(&self, work: impl FnOnce(Arc<Parts>) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.driver.run(work(Arc::clone(&self.parts))).await
    }

    async fn products(&self, query: query::Query<ProductRow>) -> Result<CataloguePage, StoreError> {
        self.run(|parts| async move {
            let (as_of_seq, products) = reads::page(&parts.leases, query).await?;
            Ok(CataloguePage { as_of_seq, products })
        })
        .await
    }

    async fn sellers(&self, query: query::Query<crate::model::Seller>) -> Result<SellerPage, StoreError> {
        self.run(|parts| async move {
            let (as_of_seq, sellers) = reads::page(&parts.leases, query).await?;
            Ok(SellerPage { as_of_seq, sellers })
        })
        .await
    }

    async fn rows<T: Send + 'static>(&self, query: query::Query<T>) -> Result<Vec<T>, StoreError> {
        self.run(|parts| async move { reads::rows(&parts.leases, query).await }).await
    }
}

#[async_trait]
impl Store for MysqlStore {
    fn describe(&self) -> String {
        self.parts.server.describe()
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        self.run(|parts| async move { parts.server.migrate().await }).await
    }

    async fn state(&self) -> Result<StoreState, StoreError> {
        self.run(|parts| async move { reads::state(&parts.leases).await }).await
    }

    async fn take_over(&self, node: NodeId, epoch: u64) -> Result<(), StoreError> {
        self.run(|parts| async move { parts.writer.lock().await.take_over(node, epoch).await }).await
    }

    async fn apply(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let batch = batch.clone();
        self.run(|parts| async move { parts.writer.lock().await.apply(&batch).await }).await
    }

    async fn counters(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        Ok(self.rows(query::counters()).await?.into_iter().collect())
    }

    async fn keys(&self, before_seq: u64, limit: usize) -> Result<Vec<KeyRow>, StoreError> {
        self.rows(query::keys(before_seq, limit)).await
    }

    async fn open_orders(&self, after: u64, limit: usize) -> Result<Vec<OpenOrder>, StoreError> {
        self.rows(query::open_orders(after, limit)).await
    }

    async fn product_count(&self) -> Result<u64, StoreError> {
        Ok(self.rows(query::product_count()).await?.into_iter().sum())
    }

    async fn products_page(&self, after: u64, limit: usize) -> Result<CataloguePage, StoreError> {
        self.products(query::products_page(after, limit)).await
    }

    async fn products_by_id(&self, ids: &[ProductId]) -> Result<CataloguePage, StoreError> {
        self.products(query::products_by_id(ids)).await
    }

    async fn products_changed(
        &self,
        since: Timestamp,
        after: u64,
        limit: usize,
    ) -> Result<CataloguePage, StoreError> {
        self.products(query::products_changed(since, after, limit)).await
    }

    async fn sellers_page(&self, after: u64, limit: usize) -> Result<SellerPage, StoreError> {
        self.sellers(query::sellers_page(after, limit)).await
    }

    async fn sellers_by_id(&self, ids: &[SellerId]) -> Result<SellerPage, StoreError> {
        self.sellers(query::sellers_by_id(ids)).await
    }

    async fn catalogue_snapshot(&self, chunks: Sender<CatalogueChunk>) -> Result<(), StoreError> {
        self.run(|parts| async move { reads::catalogue(&parts.server, chunks).await }).await
    }

    async fn books(&self, first_order: Option<OrderId>, parts: Sender<BooksPart>) -> Result<(), StoreError> {
        self.run(move |parts_of| async move { books::read(&parts_of.server, first_order, parts).await }).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<StoredOrder>, StoreError> {
        let page = self
            .run(move |parts| async move { reads::orders(&parts.leases, query::order(id)).await })
            .await?;
        Ok(page.orders.into_iter().next())
    }

    async fn orders(&self, filter: &OrderFilter) -> Result<OrderPage, StoreError> {
        let query = query::orders(filter, Dialect::Mysql);
        self.run(|parts| async move { reads::orders(&parts.leases, query).await }).await
    }

    async fn order_events(&self, id: OrderId) -> Result<Vec<EventRow>, StoreError> {
        let mut events = self.rows(query::order_events(id)).await?;
        events.sort_by_key(|event| (event.seq, event.kind));
        Ok(events)
    }

    async fn stock_adjustment(&self, seq: u64) -> Result<Option<Record>, StoreError> {
        Ok(self.rows(query::stock_adjustment(seq)).await?.into_iter().next())
    }

    async fn parked(&self, after: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        self.rows(query::parked(after, limit)).await
    }

    fn pool(&self) -> PoolUsage {
        self.parts.leases.usage()
    }

    fn insert_times(&self) -> Vec<(&'static str, HistogramSnapshot)> {
        self.parts.insert_times.snapshot()
    }

    async fn close(&self) {
        let closed = self
            .run(|parts| async move {
                parts.leases.close().await;
                parts.writer.lock().await.close().await;
                Ok(())
            })
            .await;
        if let Err(error) = closed {
            tracing::warn!(%error, "the store did not close in order");
        }
        self.driver.stop();
    }

    fn life(&self) -> Option<&dyn LifeReads> {
        Some(self)
    }

    fn raw_tables(&self) -> Option<&dyn RawTables> {
        Some(self)
    }
}

#[async_trait]
impl Asks for MysqlStore {
    async fn ask<T: Send + 'static>(&self, query: query::Query<T>) -> Result<Vec<T>, StoreError> {
        self.rows(query).await
    }

    async fn ask_orders(&self, query: query::Query<StoredOrder>) -> Result<Vec<StoredOrder>, StoreError> {
        Ok(self.run(|parts| async move { reads::orders(&parts.leases, query).await }).await?.orders)
    }
}

#[async_trait]
impl RawTables for MysqlStore {
    async fn begin_copy(&self, seq: u64) -> Result<(), StoreError> {
        self.run(move |parts| async move { parts.writer.lock().await.begin_copy(seq).await }).await
    }

    async fn read_table(
        &self,
        table: &'static Table,
        after: u64,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        self.rows(query::raw_rows(table, after, limit)).await
    }

    async fn write_table(&self, table: &'static Table, rows: Vec<RawRow>) -> Result<(), StoreError> {
        self.run(move |parts| async move { parts.writer.lock().await.write_table(table, &rows).await }).await
    }

    async fn finish_copy(&self, identity: Vec<RawRow>, checkpoints: Vec<RawRow>) -> Result<(), StoreError> {
        self.run(
            move |parts| async move { parts.writer.lock().await.finish_copy(&identity, &checkpoints).await },
        )
        .await
    }
}

/// Shows every now and then that the writer's session is there, until the store is gone. A writer that is busy does so
/// by itself.
async fn stay(parts: Weak<Parts>, limits: Limits) {
    loop {
        tokio::time::sleep(limits.ping_every).await;
        let Some(parts) = parts.upgrade() else { return };
        if let Ok(mut writer) = parts.writer.try_lock() {
            writer.stay().await;
        }
    }
}

/// Said by a driver that has been stopped.
fn stopped() -> StoreError {
    closed()
}
