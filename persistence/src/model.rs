//! The nouns that survive a crash: they are journalled, stored and answered. Standard library, serde and bincode
//! only; no decision is taken here.

mod catalogue;
mod event;
mod ids;
mod money;
mod order;
mod time;

pub use catalogue::{Product, ProductPut, Seller, StockChange};
pub use event::{Event, EventKind, Record, StockAdjusted};
pub use ids::{CustomerId, ID_MAX, IdempotencyClaim, NodeId, OrderId, ProductId, SellerId};
pub use money::{Currency, Money};
pub use order::{InvoiceNumber, OrderLine, OrderPlaced, OrderStatus, PaymentMethod, SellerShare};
pub use time::Timestamp;
