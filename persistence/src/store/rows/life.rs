use crate::model::{
    Bucket, CourierChange, Currency, CustomerId, EffectKey, EffectOutcome, InvoiceNumber, Money, OrderId,
    PaidBy, ProductId, SellerId, Timestamp,
};

/// How a payment went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The outcome is not known yet.
    Started,
    /// The money is there.
    Paid,
    /// The gateway declined.
    Failed,
    /// It came when none was due, and is given back.
    Stray,
}

impl PaymentStatus {
    /// The name in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Stray => "stray",
        }
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Started, Self::Paid, Self::Failed, Self::Stray];
        all.into_iter().find(|status| status.as_str() == name)
    }
}

/// A payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Of which order.
    pub order_id: OrderId,
    /// The attempt; 0: none (cash, a callback, a stray payment).
    pub number: u32,
    /// Number of the refund that gives a stray payment back; 0: it is none.
    pub stray_refund: u32,
    /// How.
    pub by: PaidBy,
    /// How it went.
    pub status: PaymentStatus,
    /// The gateway's name for it.
    pub payment_id: Option<Box<str>>,
    /// What came.
    pub amount: Option<Money>,
    /// Its currency.
    pub currency: Currency,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When its outcome was known.
    pub ended_at: Option<Timestamp>,
}

/// How a refund went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    /// The outcome is not known yet.
    Started,
    /// The money went back.
    Refunded,
    /// The gateway refuses.
    Failed,
}

impl RefundStatus {
    /// The name in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
        }
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Started, Self::Refunded, Self::Failed].into_iter().find(|status| status.as_str() == name)
    }
}

/// A refund of an order, or of a stray payment of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRow {
    /// Of which order.
    pub order_id: OrderId,
    /// 1, 2, 3 … within the order.
    pub number: u32,
    /// How the money came, and goes back.
    pub by: PaidBy,
    /// How it went.
    pub status: RefundStatus,
    /// Of which payment; `None`: cash.
    pub payment_id: Option<Box<str>>,
    /// All of it.
    pub amount: Money,
    /// Its currency.
    pub currency: Currency,
    /// Why.
    pub reason: Box<str>,
    /// The gateway's name for it.
    pub refund_id: Option<Box<str>>,
    /// Its credit note; a stray payment's refund has none.
    pub credit_note: Option<InvoiceNumber>,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When its outcome was known.
    pub ended_at: Option<Timestamp>,
}

/// A row of a seller's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SellerLedgerRow {
    /// Sequence of the event.
    pub seq: u64,
    /// Whose.
    pub seller_id: SellerId,
    /// Which bucket.
    pub bucket: Bucket,
    /// Of which order.
    pub order_id: OrderId,
    /// Its currency.
    pub currency: Currency,
    /// More or less.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

/// A row of a referrer's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferralLedgerRow {
    /// Sequence of the event.
    pub seq: u64,
    /// Which bucket.
    pub bucket: Bucket,
    /// Of which order.
    pub order_id: OrderId,
    /// By which code.
    pub code: Box<str>,
    /// Whose.
    pub customer_id: CustomerId,
    /// Its currency.
    pub currency: Currency,
    /// More or less.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

/// What lies in a bucket of a ledger, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerTotal {
    /// The currency.
    pub currency: Currency,
    /// The bucket.
    pub bucket: Bucket,
    /// The sum.
    pub amount: Money,
}

/// How often a coupon was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponUses {
    /// Which coupon.
    pub code: Box<str>,
    /// By whom; 0: all customers together.
    pub customer_id: CustomerId,
    /// So often.
    pub uses: i64,
}

/// Who brings an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRow {
    /// Which order.
    pub order_id: OrderId,
    /// Where it stands.
    pub change: CourierChange,
    /// The order's city, trimmed and case-folded.
    pub city: Box<str>,
    /// Sequence of the event that it follows.
    pub cause: u64,
    /// Since when.
    pub at: Timestamp,
}

/// The digital goods of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigitalRow {
    /// Of which order.
    pub order_id: OrderId,
    /// Of which line.
    pub line: u16,
    /// Which product.
    pub product_id: ProductId,
    /// Units of it.
    pub units: u32,
    /// Units that still wait for a licence key.
    pub waiting: u32,
    /// Downloads so far.
    pub downloads: u32,
    /// When its links end.
    pub expires_at: Timestamp,
    /// When it was handed out first or again.
    pub delivered_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// A licence key and to whom it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenceRow {
    /// Whose pool.
    pub product_id: ProductId,
    /// The key itself.
    pub key: Box<str>,
    /// Sequence by which it came into the pool: the pool is emptied in this order.
    pub seq: u64,
    /// The order that got it.
    pub order_id: Option<OrderId>,
    /// The line of that order.
    pub line: Option<u16>,
    /// When.
    pub given_at: Option<Timestamp>,
}

/// An effect that did not succeed at the first try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectRow {
    /// Which effect.
    pub key: EffectKey,
    /// The order that it is about.
    pub order_id: Option<OrderId>,
    /// What is sent, in one word.
    pub subject: Box<str>,
    /// Tries so far.
    pub attempts: u32,
    /// How the last one went.
    pub outcome: EffectOutcome,
    /// When it went so.
    pub at: Timestamp,
}

/// A callback of the gateway that had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackRow {
    /// Sequence of its event.
    pub seq: u64,
    /// The first 16 bytes of SHA-256 over its id.
    pub callback: [u8; 16],
    /// Of which order.
    pub order_id: OrderId,
    /// When.
    pub at: Timestamp,
}
