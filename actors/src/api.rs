//! What goes in and out of the [`Engine`](crate::Engine): plain data, no HTTP and no actor in it.

pub use crate::engine::CacheCounts;
pub use crate::shard::demand::TakenProduct;

mod status;

pub use status::{EngineStatus, JournalStatus, Readiness, ShardStatus, WriterStatus};

use crate::rules::{CartItem, Pointer, Problem, ProblemCode, Refusal};
use floodgate_persistence::journal::JournalConfig;
use floodgate_persistence::model::{
    Currency, CustomerId, EventKind, HistoryKind, IdempotencyClaim, Money, OrderId, OrderPlaced, OrderStatus,
    PaymentMethod, ProductId, SellerId, Timestamp,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Everything that the engine can be told at its start.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Number of shards, at least 1.
    pub shards: usize,
    /// Most checkouts between admission and answer; bounds every mailbox.
    pub in_flight_max: usize,
    /// Currency of a checkout that names none.
    pub currency: Currency,
    /// Prefix of invoice numbers.
    pub invoice_prefix: Arc<str>,
    /// Order id of the very first order of a store.
    pub first_order_id: u64,
    /// How long an unpaid order lives.
    pub payment_window: Duration,
    /// Most open orders; above it new ones are refused with 503.
    pub open_orders_max: usize,
    /// How long an idempotency key is remembered.
    pub idempotency_window: Duration,
    /// Most idempotency keys remembered.
    pub keys_max: usize,
    /// Newest changed orders kept in memory.
    pub recent_orders_max: usize,
    /// Age at which a product is refreshed from the store: the smaller of product and digital TTL.
    pub product_ttl: Duration,
    /// Age at which a seller is refreshed from the store.
    pub seller_ttl: Duration,
    /// Where the catalogue cache file lies; `None`: none is written or read.
    pub cache_file: Option<PathBuf>,
    /// Free bytes of disk below which checkouts are shed; 0: never for that.
    pub disk_reserve: u64,
    /// Where the store's file lies, if it has one.
    pub store_dir: Option<PathBuf>,
    /// The journal.
    pub journal: JournalConfig,
}

/// A checkout or quote, of the right shape but not yet judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutCommand {
    /// Who buys.
    pub customer_id: CustomerId,
    /// `None`: the configured currency.
    pub currency: Option<Currency>,
    /// Trimmed.
    pub city: Option<Box<str>>,
    /// As given.
    pub email: Option<Box<str>>,
    /// In the order of the request.
    pub items: Vec<CartItem>,
    /// Coupon code.
    pub coupon: Option<Box<str>>,
    /// Referral code.
    pub referral_code: Option<Box<str>>,
    /// The total that the customer saw.
    pub expected_total: Option<Money>,
    /// The `delivery` object as JSON text, as given.
    pub delivery: Option<Box<str>>,
    /// How the customer wants to pay.
    pub payment_method: PaymentMethod,
    /// The idempotency key, if there is one. Quotes have none.
    pub idempotency: Option<IdempotencyClaim>,
}

impl CheckoutCommand {
    /// Appends the problems that can be told without looking at any product. Coupons and referral codes are not
    /// known to this engine yet, and no gateway is connected: what names one is refused, not ignored.
    pub(crate) fn problems_without_catalogue(&self, problems: &mut Vec<Problem>) {
        let mut wrong = |is_wrong: bool, field, code| {
            if is_wrong {
                problems.push(Problem { pointer: Pointer::Field(field), code });
            }
        };
        wrong(self.coupon.is_some(), "coupon", ProblemCode::UnknownCoupon);
        wrong(self.referral_code.is_some(), "referral_code", ProblemCode::UnknownReferral);
        wrong(self.payment_method == PaymentMethod::Card, "payment", ProblemCode::PaymentNotAvailable);
        let negative_total = self.expected_total.is_some_and(|total| total < Money::ZERO);
        wrong(negative_total, "expected_total", ProblemCode::AmountOutOfRange);
    }
}

/// The answer to a checkout.
#[derive(Clone, Debug)]
pub enum CheckoutOutcome {
    /// Journalled and synced.
    Placed(PlacedOrder),
    /// Judged, refused, nothing taken.
    Refused(Box<Refusal>),
    /// The same key is being worked on right now.
    KeyInProgress,
    /// The same key was used with another body.
    KeyReused,
    /// Not taken: nothing was sold. Try again later.
    Unavailable(Unavailable),
    /// Taken, but the journal failed or did not answer in time: repeat with the same key to find out.
    Unknown,
}

/// An order as it was first answered.
#[derive(Clone, Debug)]
pub struct PlacedOrder {
    /// The order.
    pub order: Arc<OrderPlaced>,
    /// Its sequence in the journal.
    pub seq: u64,
    /// Its time.
    pub at: Timestamp,
    /// It was placed by an earlier request with the same key.
    pub replayed: bool,
}

/// The answer to a quote.
#[derive(Clone, Debug)]
pub enum QuoteOutcome {
    /// Judged and priced; ids and invoice number mean nothing.
    Quoted(Arc<OrderPlaced>),
    /// What a checkout would be refused with.
    Refused(Box<Refusal>),
    /// Not judged.
    Unavailable(Unavailable),
}

/// Why nothing was done; all mean «try again later».
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unavailable {
    /// As many checkouts are under way as the engine takes, or as many orders open.
    Overloaded,
    /// Starting, stopping, or the store is needed and away.
    NotReady,
    /// The journal has no room, or is poisoned.
    JournalUnavailable,
}

/// Why a call other than a checkout was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Nothing was done; try again later.
    #[error("not available: {0:?}")]
    Unavailable(Unavailable),
    /// Done or not: the journal failed while the call waited.
    #[error("the outcome is unknown")]
    Unknown,
    /// The same key is being worked on right now.
    #[error("the key is in progress")]
    KeyInProgress,
    /// The same key was used with another body.
    #[error("the key was used with another body")]
    KeyReused,
    /// The configuration switches it off; the text says which key.
    #[error("{0}")]
    SwitchedOff(&'static str),
    /// The database refuses a parked event as before; the text is what it said.
    #[error("still refused: {0}")]
    StillRefused(String),
}

/// A hot product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductView {
    /// Key.
    pub product_id: ProductId,
    /// Who sells it.
    pub seller_id: SellerId,
    /// Its name.
    pub name: Box<str>,
    /// Price of a piece.
    pub price: Money,
    /// Currency of the price.
    pub currency: Currency,
    /// A download.
    pub digital: bool,
    /// For sale.
    pub active: bool,
    /// Largest quantity in one order, where it is below the general limit.
    pub max_per_order: Option<u32>,
    /// Pieces that can be bought now; `None`: not counted.
    pub available: Option<i64>,
}

/// An order as it is now.
#[derive(Clone, Debug)]
pub struct OrderView {
    /// As it was placed.
    pub placed: Arc<OrderPlaced>,
    /// Sequence of the placing.
    pub seq: u64,
    /// Time of the placing.
    pub at: Timestamp,
    /// Where it stands now.
    pub status: OrderStatus,
    /// Everything of it is in the store.
    pub persisted: bool,
}

/// One entry of an order's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderEventView {
    /// Journal sequence.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: HistoryKind,
}

/// A page of orders.
#[derive(Clone, Debug, Default)]
pub struct OrderListView {
    /// Newest first.
    pub orders: Vec<OrderView>,
    /// More follow below this id.
    pub next_below: Option<OrderId>,
    /// `Some(n)`: orders journalled after `n` may be missing, because the backlog is longer than what is kept in
    /// memory.
    pub incomplete_as_of: Option<u64>,
}

/// A product row of a bulk upsert: of the right shape, not yet judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductInput {
    /// Its terms.
    pub product: floodgate_persistence::model::Product,
    /// Counted stock; `None`: not counted when new, unchanged when known.
    pub stock: Option<i64>,
}

/// Why a row of a bulk upsert was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRefusal {
    /// Place of the row in the call, from 0.
    pub row: usize,
    /// Stable name of the reason.
    pub code: &'static str,
    /// In words.
    pub detail: String,
}

/// What became of a bulk upsert. Durable and hot everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutOutcome {
    /// Rows taken.
    pub accepted: usize,
    /// Rows not taken.
    pub rejected: Vec<RowRefusal>,
}

/// What became of a stock adjustment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdjustOutcome {
    /// Durable and hot.
    Adjusted {
        /// Sequence in the journal.
        seq: u64,
        /// When.
        at: Timestamp,
        /// The delta that was journalled.
        delta: i64,
        /// The reason that was journalled.
        reason: Box<str>,
        /// Pieces that can be bought now.
        available: Option<i64>,
        /// It was done by an earlier request with the same key.
        replayed: bool,
    },
    /// No such product.
    UnknownProduct,
    /// The product's stock is not counted: give it a stock by `PUT /admin/products` first.
    NotCounted,
    /// It would go below zero (or does not fit).
    Insufficient {
        /// Pieces that can be taken.
        available: i64,
    },
}

/// An event that the database refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedView {
    /// Journal sequence, and its number in calls.
    pub seq: u64,
    /// The order it belongs to.
    pub order_id: Option<OrderId>,
    /// What happened.
    pub kind: EventKind,
    /// What the database said.
    pub reason: Box<str>,
    /// When it was parked.
    pub parked_at: Timestamp,
}

/// Parked events that are in the tables now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryView {
    /// The one that was asked for.
    pub seq: u64,
    /// Its order.
    pub order_id: Option<OrderId>,
    /// All that were written, by rising sequence.
    pub written: Vec<u64>,
}

/// What a warm-up loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarmupScope {
    /// All sellers and products.
    All,
    /// These only.
    Some {
        /// Products to load.
        products: Vec<ProductId>,
        /// Sellers to load.
        sellers: Vec<SellerId>,
    },
}

/// Where a warm-up stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmupState {
    /// Under way.
    Running,
    /// Loaded all.
    Done,
    /// Stopped by an error.
    Failed,
}

/// A warm-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmupJob {
    /// Where it stands.
    pub state: WarmupState,
    /// Rows loaded so far.
    pub loaded: u64,
    /// Rows to load.
    pub total: u64,
    /// Time since its start, or its whole time.
    pub elapsed: Duration,
    /// Why it failed.
    pub error: Option<String>,
}

/// A catalogue cache file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Where.
    pub file: PathBuf,
    /// Products in it.
    pub products: u64,
    /// Sellers in it.
    pub sellers: u64,
    /// The checkpoint that it goes with.
    pub as_of_seq: u64,
    /// Bytes.
    pub bytes: u64,
}
