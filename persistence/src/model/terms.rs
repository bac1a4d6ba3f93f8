use super::{CourierId, Currency, CustomerId, Money, ProductId, SellerId, Timestamp};
use bincode::{Decode, Encode};

/// What a coupon takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum CouponValue {
    /// Basis points (1/10,000) of each line, rounded half up a line; 1 … 10,000.
    Percent(u32),
    /// An amount, capped at the lines it counts for and shared among them by largest remainder.
    Fixed(Money),
}

/// A coupon and its conditions.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Coupon {
    /// Key; 1–64 of `[A-Za-z0-9._-]`, case-sensitive.
    pub code: Box<str>,
    /// What it takes off.
    pub value: CouponValue,
    /// Orders in this currency only.
    pub currency: Currency,
    /// Counts this seller's lines only, for its minimum too.
    pub seller_id: Option<SellerId>,
    /// Not before.
    pub starts_at: Option<Timestamp>,
    /// Not at or after.
    pub ends_at: Option<Timestamp>,
    /// Most orders, all customers together.
    pub max_uses: Option<u64>,
    /// Most orders of one customer.
    pub max_uses_per_customer: Option<u64>,
    /// Least sum of quantity × unit price of the lines it counts for.
    pub min_subtotal: Option<Money>,
}

/// What it costs to send an order to a city.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShippingRate {
    /// As given; `*`: elsewhere. The key is its trimmed and case-folded form together with the currency.
    pub city: Box<str>,
    /// Once an order.
    pub price: Money,
    /// Orders in this currency.
    pub currency: Currency,
    /// Nothing from this subtotal − discount on.
    pub free_over: Option<Money>,
}

/// The tax of orders to a city.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TaxRate {
    /// As given; `*`: elsewhere. The key is its trimmed and case-folded form.
    pub city: Box<str>,
    /// Basis points of subtotal − discount; 0 … 10,000.
    pub rate_bps: u32,
}

/// A code that brings its owner a share of the orders placed with it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReferralCode {
    /// Key; 1–64 of `[A-Za-z0-9._-]`, case-sensitive.
    pub code: Box<str>,
    /// Who earns; their own orders earn nothing.
    pub customer_id: CustomerId,
    /// Taken at all.
    pub active: bool,
}

/// Somebody who brings physical goods to the customers of a city.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Courier {
    /// Key.
    pub id: CourierId,
    /// 1–255 characters.
    pub name: Box<str>,
    /// At most 100 characters; compared trimmed and case-folded.
    pub city: Box<str>,
    /// Most orders at once.
    pub capacity: u32,
    /// Takes orders at all.
    pub active: bool,
}

/// A licence key of a product, to be given out once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Licence {
    /// Whose pool.
    pub product_id: ProductId,
    /// The key itself, 1–255 characters; unique within the product.
    pub key: Box<str>,
}
