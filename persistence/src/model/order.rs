use super::{
    Currency, CustomerId, IdempotencyClaim, Money, OrderId, ProductId, Referral, SellerId, Timestamp,
};
use bincode::{Decode, Encode};
use std::fmt;
use std::sync::Arc;

/// Where an order stands. The numbers are journalled and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum OrderStatus {
    /// Placed, waiting for money; expires.
    PendingPayment,
    /// Cash on delivery: goes out without money.
    Confirmed,
    /// All money is there.
    Paid,
    /// All sellers' parts have gone out.
    Fulfilled,
    /// Ended before it went out.
    Cancelled,
    /// Some money went back.
    PartiallyRefunded,
    /// All money went back.
    Refunded,
}

impl OrderStatus {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::PendingPayment,
        Self::Confirmed,
        Self::Paid,
        Self::Fulfilled,
        Self::Cancelled,
        Self::PartiallyRefunded,
        Self::Refunded,
    ];

    /// The name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Confirmed => "confirmed",
            Self::Paid => "paid",
            Self::Fulfilled => "fulfilled",
            Self::Cancelled => "cancelled",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
        }
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// How the customer wants to pay, as the checkout said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PaymentMethod {
    /// Nothing said: pay later.
    Later,
    /// A card token came with the checkout.
    Card,
    /// Cash on delivery.
    CashOnDelivery,
}

impl PaymentMethod {
    /// The name in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::Card => "card",
            Self::CashOnDelivery => "cod",
        }
    }

    /// The method of a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Later, Self::Card, Self::CashOnDelivery].into_iter().find(|method| method.as_str() == name)
    }
}

/// `<prefix>-<year>-<number>`: gapless within prefix and year.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct InvoiceNumber {
    /// `orders.invoice_prefix` at the time of the order.
    pub prefix: Arc<str>,
    /// UTC year of the order's time.
    pub year: u16,
    /// 1, 2, 3 … within the series.
    pub number: u64,
}

impl fmt::Display for InvoiceNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}-{:010}", self.prefix, self.year, self.number)
    }
}

impl InvoiceNumber {
    /// The number that `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, '-');
        let number = parts.next()?.parse().ok()?;
        let year = parts.next()?.parse().ok()?;
        Some(Self { prefix: parts.next()?.into(), year, number })
    }
}

/// One line of an order: all that was true when it was sold, never read again from the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OrderLine {
    /// 1, 2, 3 … in the order of the request.
    pub line: u16,
    /// What was sold.
    pub product_id: ProductId,
    /// Who sold it.
    pub seller_id: SellerId,
    /// Its name then.
    pub name: Box<str>,
    /// Pieces, at least 1.
    pub quantity: u32,
    /// Price of one piece then.
    pub unit_price: Money,
    /// Taken off the line.
    pub discount: Money,
    /// `quantity` × `unit_price` − `discount`.
    pub line_total: Money,
    /// Delivered as a download.
    pub digital: bool,
    /// Pieces this line took from counted stock: `quantity`, or 0 where stock was not counted.
    pub stock_taken: u32,
}

/// One seller's part of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SellerShare {
    /// The seller.
    pub seller_id: SellerId,
    /// Sum of the seller's `line_total`.
    pub subtotal: Money,
    /// The marketplace's part.
    pub commission: Money,
    /// `subtotal` − `commission`.
    pub payout: Money,
}

/// An order was placed: results only, so that replay needs no catalogue, no clock and no rule.
///
/// The time of the order is its record's time. The journal thread fills `order_id`, `invoice` and `expires_at`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OrderPlaced {
    /// Key.
    pub order_id: OrderId,
    /// Gapless number.
    pub invoice: InvoiceNumber,
    /// The status it began with.
    pub status: OrderStatus,
    /// Who bought.
    pub customer_id: CustomerId,
    /// Currency of all amounts.
    pub currency: Currency,
    /// As given, trimmed.
    pub city: Option<Box<str>>,
    /// As given.
    pub email: Option<Box<str>>,
    /// At least one.
    pub lines: Vec<OrderLine>,
    /// One for each seller, in the order of their first line.
    pub sellers: Vec<SellerShare>,
    /// Σ quantity × unit price.
    pub subtotal: Money,
    /// Σ discount of the lines.
    pub discount: Money,
    /// Once an order.
    pub shipping: Money,
    /// On subtotal − discount.
    pub tax: Money,
    /// subtotal − discount + shipping + tax.
    pub total: Money,
    /// Coupon code that was used.
    pub coupon: Option<Box<str>>,
    /// Referral code that was given.
    pub referral_code: Option<Box<str>>,
    /// What its owner gets; `None`: there is no code, or it is the customer's own.
    pub referral: Option<Referral>,
    /// The request's `delivery` object as JSON text, as given. Personal data: never logged.
    pub delivery: Option<Box<str>>,
    /// How the customer wants to pay.
    pub payment_method: PaymentMethod,
    /// When it expires unless it is paid; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// The idempotency key that this order burnt.
    pub idempotency: Option<IdempotencyClaim>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_go_there_and_back() {
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::parse(status.as_str()), Some(status));
        }
        let invoice = InvoiceNumber { prefix: "A-B".into(), year: 2026, number: 17 };
        assert_eq!(invoice.to_string(), "A-B-2026-0000000017");
        assert_eq!(InvoiceNumber::parse("A-B-2026-0000000017"), Some(invoice));
        assert_eq!(InvoiceNumber::parse("2026-1"), None);
    }
}
