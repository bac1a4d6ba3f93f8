//! The embedded store: one SQLite file in WAL mode, one thread that writes, a few that read.
//!
//! A call runs to its end on one of these threads, whether or not its caller still waits; a job whose caller has
//! gone before it began is skipped.

mod bind;
mod books;
mod connection;
mod error;
mod reads;
mod settings;
mod threads;
mod writer;

use super::gate::Gate;
use super::insert_times::InsertTimes;
use super::life_reads::Asks;
use super::query::{self, Dialect, Query};
use super::table::Table;
use super::{
    BooksPart, CatalogueChunk, CataloguePage, EventRow, KeyRow, LifeReads, OpenOrder, OrderFilter, OrderPage,
    ParkedRow, PoolUsage, RawRow, RawTables, SellerPage, Store, StoreConfig, StoreError, StoreState,
    StoredOrder, WriteBatch,
};
use crate::histogram::HistogramSnapshot;
use crate::model::{NodeId, OrderId, ProductId, Record, SellerId, Timestamp};
use async_trait::async_trait;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use threads::Threads;
use tokio::sync::mpsc::Sender;
use writer::Writer;

pub(super) use settings::settings;

/// Most threads that read: a local file gains nothing from more.
const READERS_MAX: usize = 4;

/// A SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    writer: Threads<Writer>,
    readers: Threads<Connection>,
    gate: Gate,
    query_timeout: Duration,
    insert_times: InsertTimes,
}

impl SqliteStore {
    /// Opens the file; creates it, and the directories above it, where it is not there.
    pub async fn open(path: &str, config: &StoreConfig) -> Result<Self, StoreError> {
        if path.is_empty() {
            return Err(StoreError::Configuration("store.url: sqlite:// is followed by no path".to_owned()));
        }
        let path = PathBuf::from(path);
        let busy = config.query_timeout;
        let readers = config.pool_max.min(READERS_MAX);
        let (write_path, read_path) = (path.clone(), path.clone());
        let insert_times = InsertTimes::default();
        let times = insert_times.clone();
        let open = move || Writer::open(&write_path, busy, times.clone());
        let writer = Threads::start("floodgate-sqlite", 1, open).await?;
        // The writer has made the file: the readers come after it.
        let opener = move || connection::open(&read_path, busy);
        let threads = Threads::start("floodgate-sqlite-r", readers, opener).await?;
        Ok(Self {
            path,
            writer,
            readers: threads,
            gate: Gate::new(readers),
            query_timeout: busy,
            insert_times,
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.gate.enter(self.query_timeout).await?;
        let held = move |connection: &mut Connection| {
            let _permit = permit;
            work(connection)
        };
        self.readers.run(self.query_timeout, held).await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(self.query_timeout, work).await
    }

    async fn rows<T: Send + 'static>(&self, query: Query<T>) -> Result<Vec<T>, StoreError> {
        self.read(move |connection| reads::rows(connection, &query)).await
    }

    async fn page<T: Send + 'static>(&self, query: Query<T>) -> Result<(u64, Vec<T>), StoreError> {
        self.read(move |connection| reads::page(connection, &query)).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn describe(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        self.write(Writer::migrate).await
    }

    async fn state(&self) -> Result<StoreState, StoreError> {
        self.read(reads::state).await
    }

    async fn take_over(&self, node: NodeId, epoch: u64) -> Result<(), StoreError> {
        self.write(move |writer| writer.take_over(node, epoch)).await
    }

    async fn apply(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let batch = batch.clone();
        self.write(move |writer| writer.apply(&batch)).await
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
        let (as_of_seq, products) = self.page(query::products_page(after, limit)).await?;
        Ok(CataloguePage { as_of_seq, products })
    }

    async fn products_by_id(&self, ids: &[ProductId]) -> Result<CataloguePage, StoreError> {
        let (as_of_seq, products) = self.page(query::products_by_id(ids)).await?;
        Ok(CataloguePage { as_of_seq, products })
    }

    async fn products_changed(
        &self,
        since: Timestamp,
        after: u64,
        limit: usize,
    ) -> Result<CataloguePage, StoreError> {
        let (as_of_seq, products) = self.page(query::products_changed(since, after, limit)).await?;
        Ok(CataloguePage { as_of_seq, products })
    }

    async fn sellers_page(&self, after: u64, limit: usize) -> Result<SellerPage, StoreError> {
        let (as_of_seq, sellers) = self.page(query::sellers_page(after, limit)).await?;
        Ok(SellerPage { as_of_seq, sellers })
    }

    async fn sellers_by_id(&self, ids: &[SellerId]) -> Result<SellerPage, StoreError> {
        let (as_of_seq, sellers) = self.page(query::sellers_by_id(ids)).await?;
        Ok(SellerPage { as_of_seq, sellers })
    }

    async fn catalogue_snapshot(&self, chunks: Sender<CatalogueChunk>) -> Result<(), StoreError> {
        let (path, busy) = (self.path.clone(), self.query_timeout);
        let thread = Threads::start("floodgate-sqlite-c", 1, move || connection::open(&path, busy)).await?;
        let read = thread.run(Duration::MAX, move |connection| reads::catalogue(connection, &chunks)).await;
        thread.stop().await;
        read
    }

    async fn books(&self, first_order: Option<OrderId>, parts: Sender<BooksPart>) -> Result<(), StoreError> {
        let (path, busy) = (self.path.clone(), self.query_timeout);
        let thread = Threads::start("floodgate-sqlite-b", 1, move || connection::open(&path, busy)).await?;
        let read = move |connection: &mut Connection| books::read(connection, first_order, &parts);
        let read = thread.run(Duration::MAX, read).await;
        thread.stop().await;
        read
    }

    async fn order(&self, id: OrderId) -> Result<Option<StoredOrder>, StoreError> {
        let page = self.read(move |connection| reads::orders(connection, &query::order(id))).await?;
        Ok(page.orders.into_iter().next())
    }

    async fn orders(&self, filter: &OrderFilter) -> Result<OrderPage, StoreError> {
        let query = query::orders(filter, Dialect::Sqlite);
        self.read(move |connection| reads::orders(connection, &query)).await
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
        self.gate.usage()
    }

    fn insert_times(&self) -> Vec<(&'static str, HistogramSnapshot)> {
        self.insert_times.snapshot()
    }

    async fn close(&self) {
        self.gate.close();
        self.readers.stop().await;
        self.writer.stop().await;
    }

    fn life(&self) -> Option<&dyn LifeReads> {
        Some(self)
    }

    fn raw_tables(&self) -> Option<&dyn RawTables> {
        Some(self)
    }
}

#[async_trait]
impl Asks for SqliteStore {
    async fn ask<T: Send + 'static>(&self, query: Query<T>) -> Result<Vec<T>, StoreError> {
        self.rows(query).await
    }

    async fn ask_orders(&self, query: Query<StoredOrder>) -> Result<Vec<StoredOrder>, StoreError> {
        Ok(self.read(move |connection| reads::orders(connection, &query)).await?.orders)
    }
}

#[async_trait]
impl RawTables for SqliteStore {
    async fn begin_copy(&self, seq: u64) -> Result<(), StoreError> {
        self.write(move |writer| writer.begin_copy(seq)).await
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
        self.write(move |writer| writer.write_table(table, &rows)).await
    }

    async fn finish_copy(&self, identity: Vec<RawRow>, checkpoints: Vec<RawRow>) -> Result<(), StoreError> {
        self.write(move |writer| writer.finish_copy(&identity, &checkpoints)).await
    }
}
