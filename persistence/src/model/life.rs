use super::{
    Currency, CustomerId, IdempotencyClaim, InvoiceNumber, Money, OrderId, OrderPlaced, OrderStatus,
    ProductId, SellerId, Timestamp,
};
use bincode::{Decode, Encode};

/// Where an order stands after an event: everything that the next command on it needs besides the order as it was
/// placed. Each event of an order carries it whole, so that the last event says all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct OrderLife {
    /// The status.
    pub status: OrderStatus,
    /// Until when it waits for its money; `None`: no timer runs.
    pub timer_at: Option<Timestamp>,
    /// The money that came.
    pub captured: Option<Captured>,
    /// Payment attempts begun so far: the number of the last one.
    pub attempts: u32,
    /// The attempt whose outcome is not known yet; one at a time.
    pub attempt: Option<PaymentAttempt>,
    /// What the first attempt of a checkout with a token came to, as its asker was told; see [`FirstAnswer`].
    pub first_answer: FirstAnswer,
    /// Refunds begun so far: the number of the last one.
    pub refunds: u32,
    /// Refunds whose outcome is not known yet.
    pub open_refunds: Vec<Refund>,
    /// What went back of each line, by rising line; lines of which nothing went back are not here.
    pub refunded_lines: Vec<LineRefund>,
    /// Shipping that went back.
    pub refunded_shipping: Money,
    /// Tax that went back.
    pub refunded_tax: Money,
    /// All that went back: lines, shipping and tax.
    pub refunded_total: Money,
    /// Parts of which something happened to the seller alone, by rising seller.
    pub parts: Vec<PartLife>,
    /// When the last part went out.
    pub fulfilled_at: Option<Timestamp>,
    /// Why it ended early.
    pub cancelled: Option<CancelReason>,
    /// Payments that came when none was due, and are given back; by their number of refund.
    pub stray_payments: Vec<StrayPayment>,
}

/// Money that came for an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Captured {
    /// How.
    pub by: PaidBy,
    /// The gateway's name for it; empty for cash and for orders that cost nothing.
    pub payment_id: Box<str>,
    /// The order's total.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

/// How money came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum PaidBy {
    /// Through the gateway.
    Card,
    /// To the courier or seller.
    Cash,
    /// The total was 0.
    Nothing,
}

impl PaidBy {
    /// The name in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Cash => "cash",
            Self::Nothing => "nothing",
        }
    }
}

/// A payment attempt under way: journalled before the gateway is called, sent again under its number after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct PaymentAttempt {
    /// 1, 2, 3 … within the order; the gateway's key is `<order_id>-<number>`.
    pub number: u32,
    /// What the gateway is given.
    pub token: Box<str>,
    /// When it was journalled.
    pub at: Timestamp,
}

/// What the checkout that placed an order was answered with, for the same answer under the same key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub enum FirstAnswer {
    /// 201 with the status that it was placed with: no token, or undecided in time.
    #[default]
    Placed,
    /// Not answered yet: the first attempt is under way.
    Waiting,
    /// 201 and `paid`.
    Paid,
    /// 402.
    Declined,
}

/// What goes back of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct LineRefund {
    /// Number of the line.
    pub line: u16,
    /// Pieces; 0 where only an amount went back.
    pub quantity: u32,
    /// Of its `line_total`.
    pub amount: Money,
}

/// A refund: what goes back and how it is spread.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Refund {
    /// 1, 2, 3 … within the order; the gateway's key is `<order_id>-r<number>`.
    pub number: u32,
    /// Of which payment; empty for cash.
    pub payment_id: Box<str>,
    /// How the money came, and goes back.
    pub by: PaidBy,
    /// All of it: lines, shipping and tax.
    pub amount: Money,
    /// By rising line.
    pub lines: Vec<LineRefund>,
    /// Of the shipping.
    pub shipping: Money,
    /// Of the tax.
    pub tax: Money,
    /// What each seller's part bears, by rising seller.
    pub parts: Vec<PartRefund>,
    /// What the owner of the referral code bears.
    pub referral: Money,
    /// Pieces that return to counted stock once the money went back.
    pub restock: Vec<StockReturn>,
    /// Why, at most 500 characters.
    pub reason: Box<str>,
}

/// What a refund takes from one seller's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct PartRefund {
    /// The seller.
    pub seller_id: SellerId,
    /// Of its `subtotal`; = `commission` + `payout`.
    pub subtotal: Money,
    /// Commission given up by the marketplace.
    pub commission: Money,
    /// Payout given up by the seller.
    pub payout: Money,
}

/// What happened to one seller's part of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct PartLife {
    /// The seller.
    pub seller_id: SellerId,
    /// It went out.
    pub fulfilled: bool,
    /// Of its `subtotal`, given back.
    pub refunded: Money,
    /// Of its `commission`, given back.
    pub commission_reversed: Money,
    /// Of its `payout`, given back.
    pub payout_reversed: Money,
}

/// A payment that succeeded when none was due.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct StrayPayment {
    /// The gateway's name for it.
    pub payment_id: Box<str>,
    /// What came.
    pub amount: Money,
    /// Its currency.
    pub currency: Currency,
    /// Number of the refund that gives it back.
    pub refund: u32,
    /// It went back.
    pub refunded: bool,
}

/// Who or what ended an order early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum CancelReason {
    /// The shop, for its customer.
    Customer,
    /// An operator or seller.
    Admin,
    /// Nobody paid in time.
    Expired,
}

impl CancelReason {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Customer, Self::Admin, Self::Expired];

    /// The name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Admin => "admin",
            Self::Expired => "expired",
        }
    }

    /// The reason of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// Pieces that an event gives back to counted stock (rule ii).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct StockReturn {
    /// Whose stock.
    pub product_id: ProductId,
    /// Pieces, at least 1.
    pub quantity: u32,
}

/// A use of a coupon that an event gives back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CouponReturn {
    /// Whose use.
    pub code: Box<str>,
    /// Who used it.
    pub customer_id: CustomerId,
}

/// Where a seller's or referrer's money stands. Every cent is in one of them; it moves by two rows, one below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Bucket {
    /// The order was placed.
    Pending,
    /// Theirs: a seller's by fulfilment, a referrer's by payment.
    Earned,
    /// Taken back by cancellation or refund.
    Reversed,
}

impl Bucket {
    /// The name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Earned => "earned",
            Self::Reversed => "reversed",
        }
    }

    /// The bucket of a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Earned, Self::Reversed].into_iter().find(|bucket| bucket.as_str() == name)
    }
}

/// A row of a seller's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LedgerEntry {
    /// Whose.
    pub seller_id: SellerId,
    /// Which bucket.
    pub bucket: Bucket,
    /// More or less.
    pub amount: Money,
}

/// A referrer's share of an order, agreed when it was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Referral {
    /// Who earns.
    pub customer_id: CustomerId,
    /// `referral.rate_bps` of subtotal − discount, rounded half up once an order.
    pub amount: Money,
}

/// What an event moves of a referrer's share.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReferralMove {
    /// The code of the order.
    pub code: Box<str>,
    /// Who earns.
    pub customer_id: CustomerId,
    /// Out of which bucket.
    pub from: Bucket,
    /// Into which.
    pub to: Bucket,
    /// How much, above zero.
    pub amount: Money,
}

/// Something happened to an order after it was placed: results only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OrderChanged {
    /// Which order.
    pub order_id: OrderId,
    /// Its currency.
    pub currency: Currency,
    /// What.
    pub change: OrderChange,
    /// Where it stands now.
    pub after: OrderLife,
    /// Pieces given back to counted stock.
    pub stock: Vec<StockReturn>,
    /// A coupon's use given back.
    pub coupon: Option<CouponReturn>,
    /// What moved in the sellers' ledgers.
    pub ledger: Vec<LedgerEntry>,
    /// What moved for the referrer.
    pub referral: Option<ReferralMove>,
    /// The idempotency key that it burnt.
    pub idempotency: Option<IdempotencyClaim>,
    /// The gateway's callback that it came from: the first 16 bytes of SHA-256 over its id.
    pub callback: Option<[u8; 16]>,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum OrderChange {
    /// A payment attempt begins; it is in `after.attempt`.
    PaymentStarted,
    /// The money is there; see `after.captured`.
    Paid {
        /// The attempt that it came from; 0: none (cash, or a callback for an attempt that is over).
        attempt: u32,
    },
    /// The gateway declined.
    PaymentFailed {
        /// The attempt.
        attempt: u32,
    },
    /// It ended early.
    Cancelled {
        /// Who or what.
        by: CancelReason,
        /// In words, at most 500 characters; empty for an expiry.
        detail: Box<str>,
    },
    /// A refund begins.
    RefundStarted(Box<Refund>),
    /// The money went back.
    Refunded {
        /// What went back.
        refund: Box<Refund>,
        /// The gateway's name for it; empty for cash.
        refund_id: Box<str>,
        /// Its number in the gapless series of credit notes; given by the journal thread.
        credit_note: InvoiceNumber,
    },
    /// The gateway refuses to give back.
    RefundFailed(Box<Refund>),
    /// These sellers' parts went out.
    Fulfilled {
        /// By rising seller.
        sellers: Vec<SellerId>,
    },
    /// Money came when none was due; its refund begins.
    StrayPayment(Box<StrayPayment>),
    /// It went back.
    StrayRefunded(Box<StrayPayment>),
    /// The gateway refuses to give it back: somebody has to look.
    StrayRefundFailed(Box<StrayPayment>),
}

impl OrderLife {
    /// An order as it stands right after it was placed, at `at`.
    pub fn placed(order: &OrderPlaced, at: Timestamp) -> Self {
        let paid = order.status == OrderStatus::Paid;
        let captured =
            paid.then(|| Captured { by: PaidBy::Nothing, payment_id: "".into(), amount: order.total, at });
        Self {
            status: order.status,
            timer_at: order.expires_at.filter(|_| order.status == OrderStatus::PendingPayment),
            captured,
            attempts: 0,
            attempt: None,
            first_answer: FirstAnswer::Placed,
            refunds: 0,
            open_refunds: Vec::new(),
            refunded_lines: Vec::new(),
            refunded_shipping: Money::ZERO,
            refunded_tax: Money::ZERO,
            refunded_total: Money::ZERO,
            parts: Vec::new(),
            fulfilled_at: None,
            cancelled: None,
            stray_payments: Vec::new(),
        }
    }

    /// Whether something runs that the engine has to bring to its end: a timer, an attempt, a refund.
    pub fn is_unfinished(&self) -> bool {
        self.timer_at.is_some()
            || self.attempt.is_some()
            || !self.open_refunds.is_empty()
            || self.stray_payments.iter().any(|stray| !stray.refunded)
    }

    /// Where the part of a seller stands.
    pub fn part_status(&self, seller_id: SellerId, subtotal: Money) -> OrderStatus {
        let Some(part) = self.parts.iter().find(|part| part.seller_id == seller_id) else {
            return self.status_of_untouched_parts();
        };
        match part.refunded {
            _ if self.cancelled.is_some() => OrderStatus::Cancelled,
            refunded if refunded > Money::ZERO && refunded >= subtotal => OrderStatus::Refunded,
            refunded if refunded > Money::ZERO => OrderStatus::PartiallyRefunded,
            _ if part.fulfilled => OrderStatus::Fulfilled,
            _ => self.status_of_untouched_parts(),
        }
    }

    /// Where the parts stand of which nothing happened to the seller alone.
    pub fn status_of_untouched_parts(&self) -> OrderStatus {
        match self.status {
            OrderStatus::PartiallyRefunded | OrderStatus::Refunded | OrderStatus::Fulfilled
                if self.captured.is_some() =>
            {
                OrderStatus::Paid
            }
            status => status,
        }
    }
}
