//! Folds journal records into the rows of one transaction. Which event becomes which rows is decided here, once,
//! for all stores.

mod life;

pub use life::{DigitalWrite, LifeWrites, OrderWrite};

use crate::journal::record_bytes;
use crate::model::{
    Event, HistoryKind, IdempotencyClaim, InvoiceNumber, OrderChange, OrderChanged, OrderId, OrderPlaced,
    OrderStatus, Product, ProductId, Record, Seller, SellerId, StockAdjusted, StockChange, Timestamp,
};
use crate::planted::{self, Planted};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An order to insert, with its lines, shares and first event.
#[derive(Clone, Debug)]
pub struct OrderRow {
    /// Sequence of the placing.
    pub seq: u64,
    /// Time of the placing.
    pub at: Timestamp,
    /// The order.
    pub order: Arc<OrderPlaced>,
}

/// What the batch does to one product's counted stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StockWrite {
    /// Counting began in this batch: `delta` is the whole stock, not a change of it.
    pub counting_began: bool,
    /// Sum of all deltas.
    pub delta: i64,
}

/// What the batch does to one product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductWrite {
    /// New terms, with the time of the change; `updated_at` moves only with these.
    pub terms: Option<(Product, Timestamp)>,
    /// Its stock.
    pub stock: StockWrite,
}

/// A row of an order's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The order.
    pub order_id: OrderId,
    /// Sequence of the event.
    pub seq: u64,
    /// What happened.
    pub kind: HistoryKind,
    /// When.
    pub at: Timestamp,
    /// The record's bytes as the journal has them, with the first line of an event; `None` with its further lines, and
    /// for a placing, which the orders say.
    pub data: Option<Box<[u8]>>,
}

/// A burnt idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Sequence of the event that burnt it.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Key and body.
    pub claim: IdempotencyClaim,
    /// The order that the event belongs to; `None`: a stock adjustment.
    pub order_id: Option<OrderId>,
}

/// An event that the database refused, as it lies in `parked_events`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedRow {
    /// Sequence of the event.
    pub seq: u64,
    /// The order it belongs to; `None`: none.
    pub order_id: Option<OrderId>,
    /// What the database said; at most [`PARKED_REASON_MAX`] characters.
    pub reason: Box<str>,
    /// The record's bytes as the journal has them.
    pub event: Box<[u8]>,
    /// When it was parked.
    pub parked_at: Timestamp,
}

/// Longest reason, in characters.
pub const PARKED_REASON_MAX: usize = 500;

/// Everything that one transaction of the write-behind writes.
#[derive(Clone, Debug, Default)]
pub struct WriteBatch {
    /// The checkpoint before; the first record has sequence `from` + 1.
    pub from: u64,
    /// The checkpoint after.
    pub to: u64,
    /// The engine's epoch.
    pub epoch: u64,
    /// Time of the last record.
    pub at: Timestamp,
    /// By rising order id.
    pub orders: Vec<OrderRow>,
    /// One entry a touched product, by rising id.
    pub products: BTreeMap<ProductId, ProductWrite>,
    /// Last state of each touched seller.
    pub sellers: BTreeMap<SellerId, Seller>,
    /// Corrections by hand, by rising sequence.
    pub adjustments: Vec<(u64, Timestamp, StockAdjusted)>,
    /// Burnt keys, by rising sequence.
    pub keys: Vec<KeyRow>,
    /// History, by rising sequence.
    pub events: Vec<EventRow>,
    /// Last value of each touched counter.
    pub counters: BTreeMap<String, u64>,
    /// Lines of all orders: what the transaction's size goes by.
    pub lines: usize,
    /// The invoice series of the last order, with the name of its counter.
    pub series: Option<(Arc<str>, u16, String)>,
    /// What happens to orders after they were placed, and the terms for it.
    pub life: LifeWrites,
    /// Keys with a sequence up to this are out of the window and may be deleted.
    pub forget_keys_to: u64,
    /// Events whose rows are not written, by rising sequence.
    pub parked: Vec<ParkedRow>,
    /// Products whose terms are parked, by this batch or before: what moves of their stock moves in `parked_stock` too.
    pub parked_products: BTreeSet<ProductId>,
    /// A retry: these events, parked up to now, are written by this batch and no longer parked. Such a batch moves
    /// no checkpoint (`from` = `to`) and no stock.
    pub unparked: Vec<u64>,
}

/// Name of the counter of order ids.
pub const ORDER_ID_COUNTER: &str = "order_id";

impl WriteBatch {
    /// An empty batch that goes on after `from`.
    pub fn new(from: u64, epoch: u64) -> Self {
        Self { from, to: from, epoch, ..Self::default() }
    }

    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.to == self.from && self.unparked.is_empty()
    }

    /// Whether it writes what was parked, instead of what is new in the journal.
    pub fn is_retry(&self) -> bool {
        !self.unparked.is_empty()
    }

    /// Adds the next record. Records come without a gap: a caller that skips one loses it, so that is refused.
    pub fn push(&mut self, record: &Record) {
        self.step(record);
        self.push_rows(record);
        self.push_ours(record);
    }

    /// Adds the next record without its rows: `row` is kept in their place. What is the engine's own (stock, keys,
    /// counters) is written all the same.
    pub fn park(&mut self, record: &Record, row: ParkedRow) {
        self.step(record);
        self.push_ours(record);
        if let Event::ProductPut(put) = &record.event {
            self.parked_products.insert(put.product.id);
        }
        self.parked.push(row);
    }

    /// Adds a record that was parked before: its rows, and nothing that was written when it was parked. Records come
    /// by rising sequence.
    pub fn unpark(&mut self, record: &Record) {
        self.at = record.at;
        self.push_rows(record);
        self.unparked.push(record.seq);
    }

    fn step(&mut self, record: &Record) {
        assert_eq!(record.seq, self.to + 1, "records of a batch follow each other");
        self.to = record.seq;
        self.at = record.at;
    }

    /// What others read of the record: the rows that the database may refuse.
    fn push_rows(&mut self, record: &Record) {
        match &record.event {
            Event::EngineStarted { .. } => {}
            Event::ProductPut(put) => {
                self.products.entry(put.product.id).or_default().terms =
                    Some((put.product.clone(), record.at));
            }
            Event::SellerPut(seller) => {
                self.sellers.insert(seller.id, (**seller).clone());
            }
            Event::StockAdjusted(adjusted) => {
                self.adjustments.push((record.seq, record.at, (**adjusted).clone()));
            }
            Event::OrderPlaced(order) => {
                self.lines += order.lines.len();
                self.orders.push(OrderRow { seq: record.seq, at: record.at, order: Arc::clone(order) });
            }
            _ => {}
        }
        self.life.push_rows(record);
        self.push_history(record);
    }

    fn push_history(&mut self, record: &Record) {
        let Some(order_id) = record.event.order_id() else { return };
        // What was journalled can be encoded.
        let bytes = || record_bytes(record).ok().map(Into::into);
        let mut data = record.event.placed_id().is_none().then(bytes).flatten();
        for kind in HistoryKind::of(&record.event) {
            self.events.push(EventRow { order_id, seq: record.seq, kind, at: record.at, data: data.take() });
        }
    }

    /// What the engine itself lives on: stock, counters, keys.
    fn push_ours(&mut self, record: &Record) {
        match &record.event {
            Event::EngineStarted { .. } | Event::SellerPut(_) => {}
            Event::ProductPut(put) => {
                let write = self.products.entry(put.product.id).or_default();
                match put.stock {
                    StockChange::Unchanged => {}
                    StockChange::Delta(delta) => write.stock.delta += delta,
                    StockChange::Counted(quantity) => {
                        write.stock = StockWrite { counting_began: true, delta: quantity };
                    }
                }
            }
            Event::StockAdjusted(adjusted) => {
                self.products.entry(adjusted.product_id).or_default().stock.delta += adjusted.delta;
            }
            Event::OrderPlaced(order) => self.take_stock_and_count(order),
            Event::OrderChanged(changed) => self.give_stock_back_and_count(changed),
            _ => {}
        }
        self.life.push_ours(record);
        if let Some(claim) = record.event.idempotency() {
            self.keys.push(KeyRow {
                seq: record.seq,
                at: record.at,
                claim,
                order_id: record.event.order_id(),
            });
        }
    }

    fn take_stock_and_count(&mut self, order: &Arc<OrderPlaced>) {
        for line in &order.lines {
            if line.stock_taken > 0 {
                let stock = &mut self.products.entry(line.product_id).or_default().stock;
                let before = if planted::is(Planted::StockDeltaLost) { 0 } else { stock.delta };
                stock.delta = before - i64::from(line.stock_taken);
            }
        }
        self.set_counter(ORDER_ID_COUNTER, order.order_id.get());
        self.set_invoice_counter(&order.invoice);
    }

    fn give_stock_back_and_count(&mut self, changed: &OrderChanged) {
        for back in &changed.stock {
            let stock = &mut self.products.entry(back.product_id).or_default().stock;
            stock.delta += i64::from(back.quantity);
        }
        if let OrderChange::Refunded { credit_note, .. } = &changed.change {
            self.set_counter(&credit_note_counter(&credit_note.prefix, credit_note.year), credit_note.number);
        }
    }

    /// Builds the counter's name only when the series changes, which is twice a year.
    fn set_invoice_counter(&mut self, invoice: &InvoiceNumber) {
        let is_last = |(prefix, year, _): &&(Arc<str>, u16, String)| {
            *year == invoice.year && (Arc::ptr_eq(prefix, &invoice.prefix) || *prefix == invoice.prefix)
        };
        if self.series.as_ref().filter(is_last).is_none() {
            let name = invoice_counter(&invoice.prefix, invoice.year);
            self.series = Some((Arc::clone(&invoice.prefix), invoice.year, name));
        }
        if let Some((prefix, year, name)) = self.series.take() {
            self.set_counter(&name, invoice.number);
            self.series = Some((prefix, year, name));
        }
    }

    fn set_counter(&mut self, name: &str, value: u64) {
        match self.counters.get_mut(name) {
            Some(counter) => *counter = value,
            None => {
                self.counters.insert(name.to_owned(), value);
            }
        }
    }
}

/// Name of the counter of an invoice series.
pub fn invoice_counter(prefix: &str, year: u16) -> String {
    format!("invoice:{prefix}-{year}")
}

/// Name of the counter of a series of credit notes.
pub fn credit_note_counter(prefix: &str, year: u16) -> String {
    format!("credit_note:{prefix}-{year}")
}

/// Whether an order placed with this status has a running timer, and until when.
pub fn timer_of(order: &OrderPlaced) -> Option<Timestamp> {
    order.expires_at.filter(|_| order.status == OrderStatus::PendingPayment)
}
