//! The stores: the journal written out to SQL, and everything that memory needs to start again at a checkpoint.
//!
//! Both stores hold the same tables (`docs/schema.md`). Only the engine writes; others read.

mod batch;
mod books;
mod rows;
mod server_settings;

mod open;

mod checkpoint;
mod copy;
mod decode;
mod gate;
mod insert_times;
mod life_reads;
mod migration;
mod query;
mod snapshot;
mod sql_time;
mod table;
mod write;

mod mysql;
mod sqlite;

pub use batch::{
    DigitalWrite, EventRow, KeyRow, LifeWrites, ORDER_ID_COUNTER, OrderRow, OrderWrite, PARKED_REASON_MAX,
    ParkedRow, ProductWrite, StockWrite, WriteBatch, credit_note_counter, invoice_counter, timer_of,
};
pub use books::{Account, Amounts, BooksPart, Day, Ledger, Sums};
pub use copy::{RawRow, RawTables, copy};
pub use decode::RawValue;
pub use life_reads::LifeReads;
pub use mysql::{PlainFeed, Recorded};
pub use open::{StoreConfig, city_key, open};
pub use rows::{
    AssignmentRow, CallbackRow, CatalogueChunk, CataloguePage, Checkpoint, CopyProgress, CouponUses,
    DigitalRow, EffectRow, LedgerTotal, LicenceRow, OpenOrder, OrderFilter, OrderPage, PaymentRow,
    PaymentStatus, PoolUsage, ProductRow, ReferralLedgerRow, RefundRow, RefundStatus, SellerLedgerRow,
    SellerPage, StoreState, StoredOrder,
};
pub use server_settings::{DatabaseSettings, ServerSettings, settings};
pub use table::{Kind, Table};

use crate::histogram::HistogramSnapshot;
use crate::model::{NodeId, OrderId, ProductId, SellerId, Timestamp};
use async_trait::async_trait;
use std::collections::BTreeMap;
use tokio::sync::mpsc::Sender;

/// Why a store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Away, busy, locked, timed out: the same call may succeed later. Nothing of it is in force.
    #[error("the database did not answer: {0}")]
    Unavailable(String),
    /// The database refuses the data of the batch (too long, out of range …); repeating does not help.
    #[error("the database refuses the data: {0}")]
    Refused(String),
    /// An engine with a higher epoch has taken the store over, or another engine holds its lock.
    #[error("another engine owns this database: {0}")]
    Fenced(String),
    /// The store's checkpoint is lower than the caller's: it was restored from an older copy.
    #[error(
        "the database is at {found}, this engine had written it up to {expected}: was it restored from a backup?"
    )]
    Behind {
        /// Sequence that the store has.
        found: u64,
        /// Sequence that the caller had written.
        expected: u64,
    },
    /// Something that must not happen: a duplicate of our own key, a row that does not parse.
    #[error("the database is not what this engine left there: {0}")]
    Broken(String),
    /// The URL, the server's version, its settings, its tables or the access rights cannot be worked with, until somebody
    /// changes them. Nothing of the call is in force.
    #[error("{0}")]
    Configuration(String),
}

/// A database that the engine writes its journal out to. One writer (`apply`, by the write-behind), many readers.
///
/// Every call either happens wholly or leaves nothing, and returns within the configured connect and query limits.
/// Dropping a returned future is safe: a connection in an unknown state is thrown away, not reused.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// What and where, for logs and `/admin/status`; never a password.
    fn describe(&self) -> String;

    /// Brings the schema up to this version. Refuses a schema newer than it knows.
    async fn migrate(&self) -> Result<(), StoreError>;

    /// Whose data this is and how far it is written.
    async fn state(&self) -> Result<StoreState, StoreError>;

    /// Becomes the one writer: takes the named lock (held as long as the writer's connection lives), gives an empty
    /// store the identity, and raises the checkpoint's epoch. [`StoreError::Fenced`] where the lock is held or the
    /// epoch is not higher than the store's. Waits, up to a minute, for a lock whose holder does nothing: an engine whose
    /// host is gone.
    async fn take_over(&self, node: NodeId, epoch: u64) -> Result<(), StoreError>;

    /// Writes a batch and moves the checkpoint from `batch.from` to `batch.to`, in one transaction; the checkpoint
    /// by compare-and-set on sequence and epoch, first. A batch whose commit was done but not answered is found out
    /// and counts as written. A retry of parked events ([`WriteBatch::is_retry`]) only holds the checkpoint where it
    /// is, and takes their rows out of `parked_events`; where all of them are gone, it was written before.
    async fn apply(&self, batch: &WriteBatch) -> Result<(), StoreError>;

    /// The named counters (`order_id`, `invoice:<prefix>-<year>`) as of the checkpoint: the last number given.
    async fn counters(&self) -> Result<BTreeMap<String, u64>, StoreError>;

    /// Idempotency keys below `before_seq`, newest first, at most `limit`.
    async fn keys(&self, before_seq: u64, limit: usize) -> Result<Vec<KeyRow>, StoreError>;

    /// Orders with a timer running, by rising id above `after`, at most `limit`.
    async fn open_orders(&self, after: u64, limit: usize) -> Result<Vec<OpenOrder>, StoreError>;

    /// Number of products.
    async fn product_count(&self) -> Result<u64, StoreError>;

    /// Products by rising id above `after`, at most `limit`, with the checkpoint seen in the same snapshot.
    async fn products_page(&self, after: u64, limit: usize) -> Result<CataloguePage, StoreError>;

    /// The products among `ids` that exist, with the checkpoint seen in the same snapshot.
    async fn products_by_id(&self, ids: &[ProductId]) -> Result<CataloguePage, StoreError>;

    /// Products whose `updated_at` is at or after `since`, by rising id above `after`, at most `limit`.
    async fn products_changed(
        &self,
        since: Timestamp,
        after: u64,
        limit: usize,
    ) -> Result<CataloguePage, StoreError>;

    /// Sellers by rising id above `after`, at most `limit`, with the checkpoint seen in the same snapshot.
    async fn sellers_page(&self, after: u64, limit: usize) -> Result<SellerPage, StoreError>;

    /// The sellers among `ids` that exist, with the checkpoint seen in the same snapshot.
    async fn sellers_by_id(&self, ids: &[SellerId]) -> Result<SellerPage, StoreError>;

    /// Hands the whole catalogue to `chunks`, read in one snapshot; at least one part comes, be it empty. Takes as long
    /// as it takes, each question within the query limit, on a connection of its own: other callers are not held up.
    /// Ends with an error when the receiver is dropped.
    async fn catalogue_snapshot(&self, chunks: Sender<CatalogueChunk>) -> Result<(), StoreError> {
        drop(chunks);
        Err(StoreError::Configuration("this store gives no snapshot of its whole catalogue".to_owned()))
    }

    /// Hands the store's books to `parts`, read in one snapshot: stock of all products, sums of the orders from
    /// `first_order` on (`None`: of none), and what is parked. As [`Self::catalogue_snapshot`] in time and connections.
    async fn books(&self, first_order: Option<OrderId>, parts: Sender<BooksPart>) -> Result<(), StoreError> {
        drop((first_order, parts));
        Err(StoreError::Configuration("this store keeps no books".to_owned()))
    }

    /// One order, with its lines and shares.
    async fn order(&self, id: OrderId) -> Result<Option<StoredOrder>, StoreError>;

    /// Orders that match, newest first, with the checkpoint seen in the same snapshot.
    async fn orders(&self, filter: &OrderFilter) -> Result<OrderPage, StoreError>;

    /// The history of an order, by rising sequence and, within an event, in the order of its lines.
    async fn order_events(&self, id: OrderId) -> Result<Vec<EventRow>, StoreError>;

    /// The stock adjustment journalled as `seq`, for the answer to a repeated idempotency key.
    async fn stock_adjustment(&self, seq: u64) -> Result<Option<crate::model::Record>, StoreError>;

    /// Parked events with a sequence above `after`, by rising sequence, at most `limit`.
    async fn parked(&self, after: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError>;

    /// Connections open and waiting.
    fn pool(&self) -> PoolUsage;

    /// How long the inserts of [`apply`](Self::apply) took, in nanoseconds, by table; empty: this store does not say.
    fn insert_times(&self) -> Vec<(&'static str, HistogramSnapshot)> {
        Vec::new()
    }

    /// Releases the named lock and closes the connections.
    async fn close(&self);

    /// What happens to orders, and the terms; `None`: the store keeps none of it.
    fn life(&self) -> Option<&dyn LifeReads> {
        None
    }

    /// The tables themselves, for [`copy`]; `None`: the store cannot be copied.
    fn raw_tables(&self) -> Option<&dyn RawTables> {
        None
    }
}
