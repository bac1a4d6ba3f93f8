use super::{
    Coupon, Courier, CourierChanged, DigitalChanged, EffectTried, IdempotencyClaim, Licence, OrderChanged,
    OrderId, OrderPlaced, ProductId, ProductPut, ReferralCode, Seller, ShippingRate, TaxRate, Timestamp,
};
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
    /// Something happened to an order after it was placed.
    OrderChanged(Arc<OrderChanged>),
    /// A coupon was created or replaced.
    CouponPut(Box<Coupon>),
    /// A price of shipping was created or replaced.
    ShippingPut(Box<ShippingRate>),
    /// A tax was created or replaced.
    TaxPut(Box<TaxRate>),
    /// A referral code was created or replaced.
    ReferralPut(Box<ReferralCode>),
    /// A courier was created or replaced.
    CourierPut(Box<Courier>),
    /// A licence key was put into its product's pool.
    LicencePut(Box<Licence>),
    /// A courier was found for an order, or is waited for.
    CourierChanged(Box<CourierChanged>),
    /// Digital goods of an order were handed out, wait for keys, were revoked or downloaded.
    DigitalChanged(Box<DigitalChanged>),
    /// An effect was tried.
    EffectTried(Box<EffectTried>),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// [`Event::OrderChanged`]
    OrderChanged,
    /// [`Event::CouponPut`]
    CouponPut,
    /// [`Event::ShippingPut`]
    ShippingPut,
    /// [`Event::TaxPut`]
    TaxPut,
    /// [`Event::ReferralPut`]
    ReferralPut,
    /// [`Event::CourierPut`]
    CourierPut,
    /// [`Event::LicencePut`]
    LicencePut,
    /// [`Event::CourierChanged`]
    CourierChanged,
    /// [`Event::DigitalChanged`]
    DigitalChanged,
    /// [`Event::EffectTried`]
    EffectTried,
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
            Self::OrderChanged => "order_changed",
            Self::CouponPut => "coupon_put",
            Self::ShippingPut => "shipping_put",
            Self::TaxPut => "tax_put",
            Self::ReferralPut => "referral_put",
            Self::CourierPut => "courier_put",
            Self::LicencePut => "licence_put",
            Self::CourierChanged => "courier_changed",
            Self::DigitalChanged => "digital_changed",
            Self::EffectTried => "effect_tried",
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
            Self::OrderChanged(_) => EventKind::OrderChanged,
            Self::CouponPut(_) => EventKind::CouponPut,
            Self::ShippingPut(_) => EventKind::ShippingPut,
            Self::TaxPut(_) => EventKind::TaxPut,
            Self::ReferralPut(_) => EventKind::ReferralPut,
            Self::CourierPut(_) => EventKind::CourierPut,
            Self::LicencePut(_) => EventKind::LicencePut,
            Self::CourierChanged(_) => EventKind::CourierChanged,
            Self::DigitalChanged(_) => EventKind::DigitalChanged,
            Self::EffectTried(_) => EventKind::EffectTried,
        }
    }

    /// The order it belongs to.
    pub fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::OrderPlaced(order) => Some(order.order_id),
            Self::OrderChanged(changed) => Some(changed.order_id),
            Self::CourierChanged(changed) => Some(changed.order_id),
            Self::DigitalChanged(changed) => Some(changed.order_id),
            Self::EffectTried(tried) => tried.order_id,
            _ => None,
        }
    }

    /// The order that it placed.
    pub fn placed_id(&self) -> Option<OrderId> {
        match self {
            Self::OrderPlaced(order) => Some(order.order_id),
            _ => None,
        }
    }

    /// The idempotency key that it burnt.
    pub fn idempotency(&self) -> Option<IdempotencyClaim> {
        match self {
            Self::OrderPlaced(order) => order.idempotency,
            Self::OrderChanged(changed) => changed.idempotency,
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
