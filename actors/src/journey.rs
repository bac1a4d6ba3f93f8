//! A checkout on its way: the message that travels from the worker over its shards to the journal.
//!
//! ```text
//! worker ─► looks ─► shard, ascending ─► … ─► last shard ─┬─ priced ────────────► journal ─► placed
//!                      ▲                                  ├─ problems ─► gives back ─► refused
//!                      └── catalogue ◄── gives back ◄─────┴─ misses
//! ```
//! It owns all it needs, so that nobody waits for it and no closed connection can stop it half-way.

use crate::admission::Permit;
use crate::api::{CheckoutCommand, CheckoutOutcome, QuoteOutcome, Unavailable};
use crate::idempotency::IdempotencyTable;
use crate::phases::{Phase, Phases, Stopwatch};
use crate::reply::{Answer, ReplyTo};
use crate::rules::{Cart, Priced, Problem, Refusal, build_cart};
use crate::shard::hot::Slot;
use floodgate_persistence::model::{
    Currency, IdempotencyClaim, InvoiceNumber, OrderId, OrderPlaced, OrderStatus, PaymentMethod, ProductId,
    SellerId,
};
use floodgate_persistence::planted::{self, Planted};
use smallvec::SmallVec;
use std::sync::Arc;

/// Place of a shard in the list of shards.
pub type ShardIndex = u16;

/// What a journey is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To take and to sell.
    Checkout,
    /// To look only.
    Quote,
}

/// Where a journey goes after it gave back what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterReturn {
    /// Answer its problems.
    Refuse,
    /// Fetch what was missing and begin again.
    Fetch,
}

/// Where a journey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Goes up through its shards.
    Looking,
    /// Goes down again and gives back.
    Returning(AfterReturn),
}

/// Pieces that a journey holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whose product.
    pub shard: ShardIndex,
    /// Which product.
    pub slot: Slot,
    /// Pieces.
    pub quantity: u32,
}

/// What memory did not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A product.
    Product(ProductId),
    /// A seller.
    Seller(SellerId),
}

/// A checkout or quote under way.
pub struct Journey {
    /// What was asked for.
    pub command: CheckoutCommand,
    /// To sell or to look.
    pub purpose: Purpose,
    /// Its currency.
    pub currency: Currency,
    /// Its lines; each shard fills in the offers of its own.
    pub cart: Cart,
    /// What was found wrong so far. Once there is something, nothing more is taken.
    pub problems: Vec<Problem>,
    /// What it holds.
    pub taken: SmallVec<[Taken; 8]>,
    /// What memory did not have.
    pub missing: SmallVec<[Missing; 2]>,
    /// It has been to the catalogue: what is missing now does not exist.
    pub fetched: bool,
    /// Where it is.
    pub stage: Stage,
    /// How long its phases take.
    watch: Stopwatch,
    /// Where its answer goes.
    reply: ReplyTo,
    /// Counts it as under way until it is dropped.
    _permit: Permit,
}

impl Journey {
    /// Packs what was asked for. Problems that need no catalogue are found here.
    pub fn new(
        command: CheckoutCommand,
        purpose: Purpose,
        default_currency: Currency,
        watch: Stopwatch,
        (reply, permit): (ReplyTo, Permit),
    ) -> Box<Self> {
        let mut problems = Vec::new();
        let cart = build_cart(&command.items, &mut problems);
        command.problems_without_catalogue(&mut problems);
        Box::new(Self {
            currency: command.currency.unwrap_or(default_currency),
            command,
            purpose,
            cart,
            problems,
            taken: SmallVec::new(),
            missing: SmallVec::new(),
            fetched: false,
            stage: Stage::Looking,
            watch,
            reply,
            _permit: permit,
        })
    }

    /// A phase of it ends now, and the next one begins.
    pub fn lap(&mut self, phases: &Phases, phase: Phase) {
        self.watch.lap(phases, phase);
    }

    /// Whether it still takes what it needs.
    pub fn takes(&self) -> bool {
        self.purpose == Purpose::Checkout && self.problems.is_empty() && self.missing.is_empty()
    }

    /// Its next shard above `above` (or its first).
    pub fn next_shard(&self, above: Option<ShardIndex>, shards: usize) -> Option<ShardIndex> {
        let of_lines = self.cart.lines.iter().map(|line| shard_of(line.product_id, shards));
        of_lines.filter(|shard| above.is_none_or(|above| *shard > above)).min()
    }

    /// Begins again from its first shard, with everything there that exists.
    pub fn begin_again(&mut self) {
        assert!(self.taken.is_empty(), "a journey gives back before it fetches");
        self.fetched = true;
        self.stage = Stage::Looking;
        self.missing.clear();
        self.problems.clear();
        self.cart = build_cart(&self.command.items, &mut self.problems);
        self.command.problems_without_catalogue(&mut self.problems);
    }

    /// The order, but for what the journal gives: id, invoice number, time.
    pub fn order(&mut self, priced: Priced, invoice_prefix: &Arc<str>) -> Arc<OrderPlaced> {
        let command = &mut self.command;
        let status = match command.payment_method {
            _ if priced.total.0 == 0 => OrderStatus::Paid,
            PaymentMethod::CashOnDelivery => OrderStatus::Confirmed,
            PaymentMethod::Later | PaymentMethod::Card => OrderStatus::PendingPayment,
        };
        Arc::new(OrderPlaced {
            order_id: OrderId(0),
            invoice: InvoiceNumber { prefix: Arc::clone(invoice_prefix), year: 0, number: 0 },
            status,
            customer_id: command.customer_id,
            currency: self.currency,
            city: command.city.take(),
            email: command.email.take(),
            lines: priced.lines,
            sellers: priced.sellers,
            subtotal: priced.subtotal,
            discount: priced.discount,
            shipping: priced.shipping,
            tax: priced.tax,
            total: priced.total,
            coupon: command.coupon.take(),
            referral_code: command.referral_code.take(),
            referral: priced.referral,
            delivery: command.delivery.take(),
            payment_method: command.payment_method,
            expires_at: None,
            idempotency: command.idempotency,
        })
    }

    /// The key that it holds.
    pub fn idempotency(&self) -> Option<IdempotencyClaim> {
        self.command.idempotency
    }

    /// Ends with its problems; the key may be tried again.
    pub fn refuse(mut self: Box<Self>, keys: &IdempotencyTable) {
        let Some(refusal) = Refusal::new(std::mem::take(&mut self.problems)) else {
            unreachable!("a journey is refused for a reason");
        };
        let refusal = Box::new(refusal);
        let answer = match self.purpose {
            Purpose::Checkout => Answer::Checkout(CheckoutOutcome::Refused(refusal)),
            Purpose::Quote => Answer::Quote(QuoteOutcome::Refused(refusal)),
        };
        self.let_go_and_answer(keys, answer);
    }

    /// Ends without having been judged; the key may be tried again.
    pub fn turn_away(self: Box<Self>, keys: &IdempotencyTable, why: Unavailable) {
        let answer = match self.purpose {
            Purpose::Checkout => Answer::Checkout(CheckoutOutcome::Unavailable(why)),
            Purpose::Quote => Answer::Quote(QuoteOutcome::Unavailable(why)),
        };
        self.let_go_and_answer(keys, answer);
    }

    fn let_go_and_answer(self: Box<Self>, keys: &IdempotencyTable, answer: Answer) {
        assert!(self.taken.is_empty(), "a refused checkout leaves nothing taken");
        if let Some(claim) = self.idempotency().filter(|_| !planted::is(Planted::KeyKeptOnRefusal)) {
            keys.let_go(claim);
        }
        self.answer(answer);
    }

    /// Ends with an answer. The permit is given back after it.
    pub fn answer(self: Box<Self>, answer: Answer) {
        let journey = *self;
        journey.reply.deliver(answer);
    }
}

/// The owner of a product. Neighbouring ids lie on different shards.
pub fn shard_of(id: ProductId, shards: usize) -> ShardIndex {
    let shards = u64::try_from(shards).unwrap_or(1).max(1);
    ShardIndex::try_from(id.get() % shards).unwrap_or(0)
}
