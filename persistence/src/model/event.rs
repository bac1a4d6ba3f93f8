use super::{IdempotencyClaim, OrderId, OrderPlaced, ProductId, ProductPut, Seller, Timestamp};
use bincode::{Decode, Encode};
use std::sync::Arc;

/// Everything that can happen. One event is one fact with its results; state is events played forward.
///
/// The place of a variant is its number in the journal: variants are only ever added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// An engine took the journal over, with an epoch above all before it.
    EngineStarted {
        /// Fences older engines off the store.
        epoch: u64,
    },
    /// A product was created or its terms replaced.
    ProductPut(Box<ProductPut>),
    /// A seller was created or replaced.
    SellerPut(Box<Seller>),
    /// Counted stock was corrected by hand.
    StockAdjusted(Box<StockAdjusted>),
    /// An order was placed.
    OrderPlaced(Arc<OrderPlaced>),
}

/// Counted stock was corrected by hand.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StockAdjusted {
    /// Whose stock.
    pub product_id: ProductId,
    /// More or less pieces; never 0.
    pub delta: i64,
    /// Why, at most 500 characters.
    pub reason: Box<str>,
    /// The idempotency key that this adjustment burnt.
    pub idempotency: Option<IdempotencyClaim>,
}

/// The kind of an event, without its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// [`Event::EngineStarted`]
    EngineStarted,
    /// [`Event::ProductPut`]
    ProductPut,
    /// [`Event::SellerPut`]
    SellerPut,
    /// [`Event::StockAdjusted`]
    StockAdjusted,
    /// [`Event::OrderPlaced`]
    OrderPlaced,
}

impl EventKind {
    /// The name in answers, exports and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EngineStarted => "engine_started",
            Self::ProductPut => "product_put",
            Self::SellerPut => "seller_put",
            Self::StockAdjusted => "stock_adjusted",
            Self::OrderPlaced => "placed",
        }
    }
}

impl Event {
    /// Its kind.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::EngineStarted { .. } => EventKind::EngineStarted,
            Self::ProductPut(_) => EventKind::ProductPut,
            Self::SellerPut(_) => EventKind::SellerPut,
            Self::StockAdjusted(_) => EventKind::StockAdjusted,
            Self::OrderPlaced(_) => EventKind::OrderPlaced,
        }
    }

    /// The order it belongs to.
    pub fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::OrderPlaced(order) => Some(order.order_id),
            _ => None,
        }
    }

    /// The idempotency key that it burnt.
    pub fn idempotency(&self) -> Option<IdempotencyClaim> {
        match self {
            Self::OrderPlaced(order) => order.idempotency,
            Self::StockAdjusted(adjusted) => adjusted.idempotency,
            _ => None,
        }
    }
}

/// An event with its place and time in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// 1, 2, 3 … without a gap.
    pub seq: u64,
    /// Wall clock of the journal thread, never before the previous record's.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}
