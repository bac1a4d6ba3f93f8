mod life;

pub use life::*;

use crate::model::{NodeId, OrderId, OrderLife, OrderPlaced, OrderStatus, Product, Seller, Timestamp};
use bincode::{Decode, Encode};

/// Whose data a store holds, and how far it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreState {
    /// `None`: no engine has written here yet.
    pub node: Option<NodeId>,
    /// The checkpoint of consumer `store`; all zero when nothing was written.
    pub checkpoint: Checkpoint,
}

/// How far the journal is in the store, and by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// All records up to and including this one are in the store.
    pub seq: u64,
    /// The engine that wrote it.
    pub epoch: u64,
}

/// A product as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProductRow {
    /// Its terms.
    pub product: Product,
    /// Counted stock as of the checkpoint; `None`: not counted.
    pub stock: Option<i64>,
}

/// Products read in one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CataloguePage {
    /// The checkpoint that the same snapshot saw.
    pub as_of_seq: u64,
    /// By rising id.
    pub products: Vec<ProductRow>,
}

/// Sellers read in one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SellerPage {
    /// The checkpoint that the same snapshot saw.
    pub as_of_seq: u64,
    /// By rising id.
    pub sellers: Vec<Seller>,
}

/// A part of the whole catalogue, all read in one snapshot: all sellers first, then all products, by rising id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogueChunk {
    /// The checkpoint that the snapshot saw; the same in every part.
    pub as_of_seq: u64,
    /// The next sellers.
    pub sellers: Vec<Seller>,
    /// The next products.
    pub products: Vec<ProductRow>,
}

/// An order whose timer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// Key.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: OrderStatus,
    /// When its timer ends.
    pub timer_at: Timestamp,
}

/// An order as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOrder {
    /// As it was placed.
    pub placed: OrderPlaced,
    /// Sequence of the placing.
    pub seq: u64,
    /// Time of the placing.
    pub at: Timestamp,
    /// Where it stands now; `placed.status` is where it began.
    pub status: OrderStatus,
    /// Sequence of the last event that changed it.
    pub last_seq: u64,
    /// All that the next command on it needs.
    pub life: OrderLife,
}

/// Which orders to list. All conditions given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Of this customer.
    pub customer_id: Option<u64>,
    /// With a line of this seller.
    pub seller_id: Option<u64>,
    /// In this status.
    pub status: Option<OrderStatus>,
    /// To this city, compared trimmed and case-folded.
    pub city: Option<String>,
    /// Placed at or after.
    pub from: Option<Timestamp>,
    /// Placed before.
    pub to: Option<Timestamp>,
    /// Only orders with a smaller id: where the last page ended.
    pub below: Option<OrderId>,
    /// At most this many.
    pub limit: usize,
}

/// A page of orders, newest (largest id) first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderPage {
    /// The checkpoint that the same snapshot saw.
    pub as_of_seq: u64,
    /// At most `limit`.
    pub orders: Vec<StoredOrder>,
}

/// Connections of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolUsage {
    /// Largest number of connections.
    pub max: usize,
    /// Connections in use now.
    pub in_use: usize,
    /// Callers waiting for one.
    pub waiting: usize,
}

/// How far `store copy` is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyProgress {
    /// The table being copied.
    pub table: &'static str,
    /// Rows of it copied so far.
    pub rows: u64,
}
