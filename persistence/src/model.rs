//! The nouns that survive a crash: they are journalled, stored and answered. Standard library, serde and bincode
//! only; no decision is taken here.

mod catalogue;
mod effect;
mod event;
mod history;
mod ids;
mod life;
mod money;
mod order;
mod terms;
mod time;

pub use catalogue::{Product, ProductPut, Seller, StockChange};
pub use effect::{
    CourierChange, CourierChanged, DigitalChange, DigitalChanged, DigitalGood, EffectKey, EffectKind,
    EffectOutcome, EffectTried,
};
pub use event::{Event, EventKind, Record, StockAdjusted};
pub use history::HistoryKind;
pub use ids::{CourierId, CustomerId, ID_MAX, IdempotencyClaim, NodeId, OrderId, ProductId, SellerId};
pub use life::{
    Bucket, CancelReason, Captured, CouponReturn, FirstAnswer, LedgerEntry, LineRefund, OrderChange,
    OrderChanged, OrderLife, PaidBy, PartLife, PartRefund, PaymentAttempt, Referral, ReferralMove, Refund,
    StockReturn, StrayPayment,
};
pub use money::{Currency, Money};
pub use order::{InvoiceNumber, OrderLine, OrderPlaced, OrderStatus, PaymentMethod, SellerShare};
pub use terms::{Coupon, CouponValue, Courier, Licence, ReferralCode, ShippingRate, TaxRate};
pub use time::Timestamp;
