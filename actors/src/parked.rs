//! Events that the database refused: kept as bytes in `parked_events`, decoded here for everybody who reads.
//!
//! What is here is the store's table, loaded at the start and moved along by the write-behind alone. It is bounded by
//! [`PARKED_MAX`].

use crate::recent::RecentOrder;
use floodgate_persistence::journal::record_from_bytes;
use floodgate_persistence::model::{
    Event, EventKind, OrderId, OrderStatus, ProductId, Record, SellerId, Timestamp,
};
use floodgate_persistence::store::{ParkedRow, ProductRow, Store, StoreError};
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most parked events. With at most ten refused a minute this is most of a day without an operator; with some 1 KiB
/// each it is 10 MiB of memory. Beyond it the writer stops and the journal keeps the rest.
pub const PARKED_MAX: usize = 10_000;

/// Rows of a page while loading.
const PAGE_ROWS: usize = 1_000;

/// What an event is about. Events of one subject are written in their order, so after a parked one the rest waits too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An order.
    Order(OrderId),
    /// The terms of a product.
    Product(ProductId),
    /// A seller.
    Seller(SellerId),
    /// The terms of one kind (coupons, prices …): rare enough that all of a kind wait.
    Terms(EventKind),
    /// Nothing but itself.
    Alone(u64),
}

impl Subject {
    /// The subject of a record.
    pub fn of(record: &Record) -> Self {
        match (&record.event, record.event.order_id()) {
            (_, Some(order_id)) => Self::Order(order_id),
            (Event::ProductPut(put), _) => Self::Product(put.product.id),
            (Event::SellerPut(seller), _) => Self::Seller(seller.id),
            (
                Event::CouponPut(_)
                | Event::ShippingPut(_)
                | Event::TaxPut(_)
                | Event::ReferralPut(_)
                | Event::CourierPut(_)
                | Event::LicencePut(_),
                _,
            ) => Self::Terms(record.event.kind()),
            _ => Self::Alone(record.seq),
        }
    }
}

/// A parked event.
#[derive(Debug)]
pub struct ParkedEvent {
    /// What happened.
    pub record: Record,
    /// What the database said.
    pub reason: Box<str>,
    /// When it was parked.
    pub parked_at: Timestamp,
}

#[derive(Default)]
struct Tables {
    by_seq: BTreeMap<u64, Arc<ParkedEvent>>,
    by_subject: HashMap<Subject, BTreeSet<u64>>,
}

/// All parked events.
#[derive(Default)]
pub struct ParkedEvents {
    tables: RwLock<Tables>,
    /// So that reads cost one load as long as there are none.
    count: AtomicUsize,
}

impl ParkedEvents {
    /// As the store has them.
    pub async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let parked = Self::default();
        let mut after = 0;
        loop {
            let rows = store.parked(after, PAGE_ROWS).await?;
            let Some(last) = rows.last() else { return Ok(parked) };
            after = last.seq;
            for row in rows {
                let record = record_from_bytes(row.seq, &row.event).ok_or_else(|| {
                    StoreError::Broken(format!("the parked event {} cannot be read", row.seq))
                })?;
                parked.add([(record, row)]);
            }
        }
    }

    /// The write-behind parks these.
    pub fn add(&self, rows: impl IntoIterator<Item = (Record, ParkedRow)>) {
        let mut tables = self.tables.write();
        for (record, row) in rows {
            tables.by_subject.entry(Subject::of(&record)).or_default().insert(record.seq);
            let event = ParkedEvent { reason: row.reason, parked_at: row.parked_at, record };
            tables.by_seq.insert(row.seq, Arc::new(event));
        }
        self.count.store(tables.by_seq.len(), Ordering::Release);
    }

    /// They are written, or were not parked after all.
    pub fn remove(&self, seqs: &[u64]) {
        let mut tables = self.tables.write();
        for seq in seqs {
            let Some(event) = tables.by_seq.remove(seq) else { continue };
            let subject = Subject::of(&event.record);
            if let Some(rest) = tables.by_subject.get_mut(&subject) {
                rest.remove(seq);
                if rest.is_empty() {
                    tables.by_subject.remove(&subject);
                }
            }
        }
        self.count.store(tables.by_seq.len(), Ordering::Release);
    }

    /// Number of parked events.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether an event of this subject is parked.
    pub fn holds(&self, subject: Subject) -> bool {
        self.len() > 0 && self.tables.read().by_subject.contains_key(&subject)
    }

    /// Everything parked of a subject, by rising sequence.
    pub fn of(&self, subject: Subject) -> Vec<Arc<ParkedEvent>> {
        if self.len() == 0 {
            return Vec::new();
        }
        let tables = self.tables.read();
        let seqs = tables.by_subject.get(&subject).into_iter().flatten();
        seqs.filter_map(|seq| tables.by_seq.get(seq)).map(Arc::clone).collect()
    }

    /// One parked event.
    pub fn get(&self, seq: u64) -> Option<Arc<ParkedEvent>> {
        self.tables.read().by_seq.get(&seq).map(Arc::clone)
    }

    /// Below a sequence, newest first, at most `limit`.
    pub fn page(&self, below: Option<u64>, limit: usize) -> Vec<Arc<ParkedEvent>> {
        let tables = self.tables.read();
        let below = tables.by_seq.range(..below.unwrap_or(u64::MAX));
        below.rev().take(limit).map(|(_, event)| Arc::clone(event)).collect()
    }

    /// Products whose terms are parked.
    pub fn products(&self) -> BTreeSet<ProductId> {
        let tables = self.tables.read();
        let product = |subject: &Subject| match subject {
            Subject::Product(id) => Some(*id),
            _ => None,
        };
        tables.by_subject.keys().filter_map(product).collect()
    }

    /// All of them, by rising sequence.
    pub fn all(&self) -> Vec<Arc<ParkedEvent>> {
        if self.len() == 0 {
            Vec::new()
        } else {
            self.tables.read().by_seq.values().map(Arc::clone).collect()
        }
    }

    /// The orders whose placing is parked, as they are now.
    pub fn orders(&self) -> Vec<RecentOrder> {
        let mut orders: BTreeMap<OrderId, RecentOrder> = BTreeMap::new();
        for event in self.all() {
            let Some(id) = event.record.event.order_id() else { continue };
            if let Some(order) = RecentOrder::of(&event.record) {
                orders.insert(id, order);
            } else if let Some(order) = orders.get_mut(&id) {
                order.status = status_after(order.status, &event.record.event);
                order.last_seq = event.record.seq;
            }
        }
        orders.into_values().collect()
    }

    /// The order whose placing is parked, as it is now.
    pub fn order(&self, id: OrderId) -> Option<RecentOrder> {
        let mut events = self.of(Subject::Order(id)).into_iter();
        let mut order = RecentOrder::of(&events.next()?.record)?;
        for event in events {
            order.status = status_after(order.status, &event.record.event);
            order.last_seq = event.record.seq;
        }
        Some(order)
    }

    /// Puts the terms that are parked over rows read from the store, which still have the old ones.
    pub fn overlay_products(&self, rows: &mut [ProductRow]) {
        if self.len() == 0 {
            return;
        }
        for row in rows {
            let parked = self.of(Subject::Product(row.product.id));
            if let Some(Event::ProductPut(put)) = parked.last().map(|event| &event.record.event) {
                row.product = put.product.clone();
            }
        }
    }

    /// As [`Self::overlay_products`].
    pub fn overlay_sellers(&self, rows: &mut [floodgate_persistence::model::Seller]) {
        if self.len() == 0 {
            return;
        }
        for row in rows {
            let parked = self.of(Subject::Seller(row.id));
            if let Some(Event::SellerPut(seller)) = parked.last().map(|event| &event.record.event) {
                *row = (**seller).clone();
            }
        }
    }
}

/// Where an order stands after an event of it.
pub fn status_after(status: OrderStatus, event: &Event) -> OrderStatus {
    match event {
        Event::OrderPlaced(order) => order.status,
        Event::OrderChanged(changed) => changed.after.status,
        _ => status,
    }
}
