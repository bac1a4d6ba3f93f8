//! Orders that are read right after they were placed: the newest in memory, and an index into the journal for those
//! that the store does not have yet.

use crate::tail::Group;
use floodgate_persistence::journal::FramePosition;
use floodgate_persistence::model::{Event, OrderId, OrderPlaced, OrderStatus, Record, Timestamp};
use parking_lot::{Mutex, RwLock};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An order in memory.
#[derive(Clone)]
pub struct RecentOrder {
    /// As it was placed.
    pub placed: Arc<OrderPlaced>,
    /// Sequence of the placing.
    pub seq: u64,
    /// Time of the placing.
    pub at: Timestamp,
    /// Where it stands now.
    pub status: OrderStatus,
    /// Sequence of its last event.
    pub last_seq: u64,
}

/// The newest orders, bounded by number: the groups as the journal has them, so that keeping an order costs nothing of
/// its own, and one look-up by id a binary search.
pub struct RecentOrders {
    newest: RwLock<Newest>,
    orders_max: usize,
}

#[derive(Default)]
struct Newest {
    stretches: VecDeque<Stretch>,
    orders: usize,
    has_forgotten: bool,
}

/// The orders of one group: their ids follow each other.
struct Stretch {
    first: OrderId,
    last: OrderId,
    group: Arc<Group>,
}

impl Stretch {
    fn of(group: &Arc<Group>) -> Option<Self> {
        let ids = || group.records.iter().filter_map(|record| record.event.placed_id());
        Some(Self { first: ids().next()?, last: ids().next_back()?, group: Arc::clone(group) })
    }

    fn orders(&self) -> usize {
        usize::try_from(self.last.get() - self.first.get() + 1).unwrap_or(usize::MAX)
    }

    fn find(&self, id: OrderId) -> Option<RecentOrder> {
        // Other events may lie between the orders, so this is where the order lies at the earliest.
        let earliest = usize::try_from(id.get().checked_sub(self.first.get())?).ok()?;
        let mut records = self.group.records.iter().skip(earliest);
        records.find(|record| record.event.placed_id() == Some(id)).and_then(RecentOrder::of)
    }
}

impl RecentOrder {
    /// The order that a record placed.
    pub fn of(record: &Record) -> Option<Self> {
        let Event::OrderPlaced(placed) = &record.event else { return None };
        Some(Self {
            placed: Arc::clone(placed),
            seq: record.seq,
            at: record.at,
            status: placed.status,
            last_seq: record.seq,
        })
    }
}

impl RecentOrders {
    /// Keeps the newest `orders_max`, and of the oldest group whatever is in it.
    pub fn new(orders_max: usize) -> Self {
        Self { newest: RwLock::default(), orders_max: orders_max.max(1) }
    }

    /// Takes in the orders of a synced group.
    pub fn push(&self, group: &Arc<Group>) {
        let Some(stretch) = Stretch::of(group) else { return };
        let mut newest = self.newest.write();
        newest.orders += stretch.orders();
        newest.stretches.push_back(stretch);
        let forgotten = newest.forget(self.orders_max);
        drop(newest);
        // Freed behind the lock: thousands of orders at a time.
        drop(forgotten);
    }

    /// The order, if it is among the newest.
    pub fn get(&self, id: OrderId) -> Option<RecentOrder> {
        let newest = self.newest.read();
        let place = newest.stretches.partition_point(|stretch| stretch.last < id);
        newest.stretches.get(place)?.find(id)
    }

    /// The newest orders with an event after `seq` that fit, newest first, at most `limit`. Looks no further than it has
    /// to, and clones only what it returns: it runs on a worker's thread, and the journal thread waits for it.
    pub fn newest_after(
        &self,
        seq: u64,
        limit: usize,
        fits: impl Fn(&OrderPlaced, Timestamp) -> bool,
    ) -> Vec<RecentOrder> {
        let newest = self.newest.read();
        let records = newest.stretches.iter().rev().flat_map(|stretch| stretch.group.records.iter().rev());
        let fitting = records.take_while(|record| record.seq > seq).filter(|record| match &record.event {
            Event::OrderPlaced(placed) => fits(placed, record.at),
            _ => false,
        });
        fitting.filter_map(RecentOrder::of).take(limit).collect()
    }

    /// All orders placed after this sequence are here; `None`: none has been forgotten.
    pub fn complete_after(&self) -> Option<u64> {
        let newest = self.newest.read();
        let oldest = newest.stretches.front().filter(|_| newest.has_forgotten)?;
        Some(oldest.group.first_seq().saturating_sub(1))
    }
}

impl Newest {
    fn forget(&mut self, orders_max: usize) -> Vec<Stretch> {
        let mut forgotten = Vec::new();
        while let Some(oldest) = self.stretches.front()
            && self.orders - oldest.orders() >= orders_max
        {
            self.orders -= oldest.orders();
            self.has_forgotten = true;
            forgotten.extend(self.stretches.pop_front());
        }
        forgotten
    }
}

/// Where the frames after the checkpoint lie: 32 bytes a frame, so at most 32 bytes an order that the store does not
/// have yet.
#[derive(Default)]
pub struct BacklogIndex {
    frames: Mutex<VecDeque<FrameEntry>>,
    /// Of all frames.
    orders: AtomicU64,
}

#[derive(Clone, Copy)]
struct FrameEntry {
    last_seq: u64,
    last_order: OrderId,
    segment: u64,
    offset: u32,
    /// Orders in the frame; their ids follow each other.
    orders: u32,
}

impl BacklogIndex {
    /// Takes in a synced group.
    pub fn push(&self, group: &Group) {
        let orders = || group.records.iter().filter_map(|record| record.event.placed_id());
        let Some(last_order) = orders().next_back() else { return };
        let FramePosition { segment, offset } = group.position;
        let orders = u32::try_from(orders().count()).unwrap_or(u32::MAX);
        let entry = FrameEntry { last_seq: group.last_seq(), last_order, segment, offset, orders };
        self.orders.fetch_add(u64::from(entry.orders), Ordering::Relaxed);
        self.frames.lock().push_back(entry);
    }

    /// Orders in the frames that the store does not wholly have.
    pub fn orders(&self) -> u64 {
        self.orders.load(Ordering::Relaxed)
    }

    /// The store has everything up to here.
    pub fn forget_to(&self, checkpoint_seq: u64) {
        let mut frames = self.frames.lock();
        while let Some(written) = frames.front().copied().filter(|frame| frame.last_seq <= checkpoint_seq) {
            frames.pop_front();
            self.orders.fetch_sub(u64::from(written.orders), Ordering::Relaxed);
        }
        if frames.is_empty() {
            frames.shrink_to(1024);
        }
    }

    /// The frame that holds this order, if the store may not have it. Order ids rise with the sequence.
    pub fn frame_of(&self, id: OrderId) -> Option<FramePosition> {
        let frames = self.frames.lock();
        let place = frames.partition_point(|frame| frame.last_order < id);
        frames
            .get(place)
            .filter(|frame| frame.last_order.get() < id.get() + u64::from(frame.orders))
            .map(|frame| FramePosition { segment: frame.segment, offset: frame.offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_persistence::model::{Currency, CustomerId, InvoiceNumber, Money, PaymentMethod};
    use std::cell::Cell;

    fn record(id: u64) -> Record {
        let placed = OrderPlaced {
            order_id: OrderId(id),
            invoice: InvoiceNumber { prefix: "INV".into(), year: 2026, number: id },
            status: OrderStatus::PendingPayment,
            customer_id: CustomerId(id % 10),
            currency: Currency::new("USD").unwrap(),
            city: None,
            email: None,
            lines: Vec::new(),
            sellers: Vec::new(),
            subtotal: Money::ZERO,
            discount: Money::ZERO,
            shipping: Money::ZERO,
            tax: Money::ZERO,
            total: Money::ZERO,
            coupon: None,
            referral_code: None,
            referral: None,
            delivery: None,
            payment_method: PaymentMethod::Later,
            expires_at: None,
            idempotency: None,
        };
        Record { seq: id, at: Timestamp(0), event: Event::OrderPlaced(Arc::new(placed)) }
    }

    /// 100 orders in ten groups: after which sequence, of which customer, how many at most; what is found, and how many
    /// orders are looked at for it.
    #[test]
    fn a_list_looks_no_further_than_it_has_to() {
        let recent = RecentOrders::new(1_000);
        for first in (1..=100).step_by(10) {
            let records = (first..first + 10).map(record).collect();
            recent.push(&Arc::new(Group { position: FramePosition { segment: 0, offset: 0 }, records }));
        }
        for (after, customer, limit, found, looks) in [
            (0, 7, 2, vec![97, 87], 14),
            (90, 7, 2, vec![97], 10),
            (100, 7, 2, vec![], 0),
            (0, 99, 2, vec![], 100),
        ] {
            let looked = Cell::new(0);
            let orders = recent.newest_after(after, limit, |placed, _| {
                looked.set(looked.get() + 1);
                placed.customer_id.get() == customer
            });
            let ids: Vec<u64> = orders.iter().map(|order| order.placed.order_id.get()).collect();
            assert_eq!((ids, looked.get()), (found, looks), "customer {customer} after {after}");
        }
    }
}
