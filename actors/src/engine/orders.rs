//! Reading orders: always what was acknowledged, wherever it is.

use super::{Engine, Inner, not_ready};
use crate::api::{EngineError, OrderEventView, OrderListView, OrderView};
use crate::parked::{Subject, status_after};
use crate::recent::RecentOrder;
use floodgate_persistence::journal::JournalError;
use floodgate_persistence::model::{
    Event, HistoryKind, OrderId, OrderPlaced, OrderStatus, Record, Timestamp,
};
use floodgate_persistence::store::{OrderFilter, StoreError, StoredOrder, city_key};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

impl Engine {
    /// An order: from memory, the journal or the store, whichever has it.
    pub async fn order(&self, id: OrderId) -> Result<Option<OrderView>, EngineError> {
        self.inner.find_order(id).await
    }

    /// The history of an order; `None`: no such order.
    pub async fn order_events(&self, id: OrderId) -> Result<Option<Vec<OrderEventView>>, EngineError> {
        let Some(order) = self.inner.find_order(id).await? else { return Ok(None) };
        let mut events = match read(self.inner.store.order_events(id)).await {
            Ok(rows) => rows
                .into_iter()
                .map(|row| OrderEventView { seq: row.seq, at: row.at, kind: row.kind })
                .collect(),
            Err(_) if !order.persisted => Vec::new(),
            Err(error) => return Err(error),
        };
        for parked in self.inner.running.parked.of(Subject::Order(id)) {
            events.retain(|event: &OrderEventView| event.seq != parked.record.seq);
            events.extend(history(&parked.record));
        }
        events.sort_by_key(|event| (event.seq, event.kind));
        if events.is_empty() {
            let event = Event::OrderPlaced(order.placed);
            events.extend(history(&Record { seq: order.seq, at: order.at, event }));
        }
        Ok(Some(events))
    }

    /// Orders that match: the store's page overlaid with what the store does not have yet.
    pub async fn orders(&self, filter: OrderFilter) -> Result<OrderListView, EngineError> {
        // Looked at before and after the store: what is parked or written between the two is in one of them.
        let parked_before = self.inner.running.parked.orders();
        let page = read(self.inner.store.orders(&filter)).await?;
        let parked = parked_before.into_iter().chain(self.inner.running.parked.orders());
        let (as_of, recent) = (page.as_of_seq, &self.inner.rest.recent);
        let page_is_full = page.orders.len() >= filter.limit;
        let floor = page.orders.last().map(|order| order.placed.order_id).filter(|_| page_is_full);
        let mut orders: BTreeMap<OrderId, OrderView> =
            page.orders.into_iter().map(|order| (order.placed.order_id, order.into())).collect();
        for order in orders.values_mut() {
            self.inner.overlay_parked(order);
        }
        let wanted = Wanted::new(&filter);
        // One more than a page tells whether another follows. All of them were placed after what the store has.
        let newest =
            recent.newest_after(as_of, filter.limit + 1, |placed, at| wanted.fits(placed, placed.status, at));
        for changed in newest.into_iter().chain(parked) {
            let id = changed.placed.order_id;
            orders.remove(&id);
            let fits = wanted.fits(&changed.placed, changed.status, changed.at);
            if fits && floor.is_none_or(|floor| id >= floor) {
                let mut order = view(changed, as_of);
                self.inner.overlay_parked(&mut order);
                orders.insert(id, order);
            }
        }
        let more = page_is_full || orders.len() > filter.limit;
        let orders: Vec<OrderView> = orders.into_values().rev().take(filter.limit).collect();
        let next_below = orders.last().map(|order| order.placed.order_id).filter(|_| more);
        let incomplete_as_of = recent.complete_after().filter(|after| *after > as_of).map(|_| as_of);
        Ok(OrderListView { orders, next_below, incomplete_as_of })
    }
}

/// How long a request waits for the store: below the limit of a request, so that the answer is «not ready», not a
/// time-out. What was asked goes on and ends within the store's own limits.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// A read of the store for a request.
pub(super) async fn read<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, EngineError> {
    match tokio::time::timeout(READ_LIMIT, read).await {
        Ok(result) => result.map_err(|error| unavailable(&error)),
        Err(_) => Err(unavailable(&StoreError::Unavailable("it did not answer in time".to_owned()))),
    }
}

impl Inner {
    /// The newest orders are in memory; the rest of what the store does not have yet is in the journal or parked; all
    /// else is in the store.
    pub(super) async fn find_order(&self, id: OrderId) -> Result<Option<OrderView>, EngineError> {
        let checkpoint = self.running.writer.checkpoint_seq();
        let in_memory = self.rest.recent.get(id).map(|order| view(order, checkpoint));
        let mut found = match in_memory {
            Some(order) => Some(order),
            None => self.find_in_journal(id)?,
        };
        if found.is_none() {
            found = self.running.parked.order(id).map(|order| view(order, checkpoint));
        }
        if found.is_none() {
            found = read(self.store.order(id)).await?.map(OrderView::from);
        }
        Ok(found.map(|mut order| {
            self.overlay_parked(&mut order);
            order
        }))
    }

    /// An order with a parked event is not wholly in the store, and stands where that event brought it.
    fn overlay_parked(&self, order: &mut OrderView) {
        for parked in self.running.parked.of(Subject::Order(order.placed.order_id)) {
            order.persisted = false;
            if parked.record.seq > order.seq {
                order.status = status_after(order.status, &parked.record.event);
            }
        }
    }

    /// One frame is read from the page cache: some hundred microseconds on the worker's thread, for an order that has
    /// left memory before the store had it.
    fn find_in_journal(&self, id: OrderId) -> Result<Option<OrderView>, EngineError> {
        let Some(position) = self.rest.backlog.frame_of(id) else { return Ok(None) };
        let frame = match self.running.journal.read_at(position) {
            Ok(frame) => frame,
            // Its segment went between the look and the read, so the store has the order.
            Err(JournalError::NoSuchFrame { .. } | JournalError::NotRetained { .. }) => return Ok(None),
            Err(error) => {
                tracing::error!(%error, "an order cannot be read from the journal");
                return Err(not_ready());
            }
        };
        let checkpoint = self.running.writer.checkpoint_seq();
        let found = frame.records.into_iter().find(|record| record.event.placed_id() == Some(id));
        Ok(found.and_then(|record| match record.event {
            Event::OrderPlaced(placed) => {
                let status = placed.status;
                let persisted = record.seq <= checkpoint;
                Some(OrderView { placed, seq: record.seq, at: record.at, status, persisted })
            }
            _ => None,
        }))
    }
}

/// The lines of an event in the history of its order.
fn history(record: &Record) -> impl Iterator<Item = OrderEventView> {
    let (seq, at) = (record.seq, record.at);
    HistoryKind::of(&record.event).map(move |kind| OrderEventView { seq, at, kind })
}

fn unavailable(error: &StoreError) -> EngineError {
    tracing::warn!(%error, "the store cannot be read");
    not_ready()
}

fn view(order: RecentOrder, checkpoint: u64) -> OrderView {
    OrderView {
        persisted: order.last_seq <= checkpoint,
        placed: order.placed,
        seq: order.seq,
        at: order.at,
        status: order.status,
    }
}

impl From<StoredOrder> for OrderView {
    fn from(order: StoredOrder) -> Self {
        Self {
            placed: Arc::new(order.placed),
            seq: order.seq,
            at: order.at,
            status: order.status,
            persisted: true,
        }
    }
}

/// The conditions of the store's query, for an order in memory.
/// A filter, with what is computed of it once.
struct Wanted<'a> {
    filter: &'a OrderFilter,
    city: Option<String>,
}

impl<'a> Wanted<'a> {
    fn new(filter: &'a OrderFilter) -> Self {
        Self { filter, city: filter.city.as_deref().map(city_key) }
    }

    fn fits(&self, placed: &OrderPlaced, is_now: OrderStatus, placed_at: Timestamp) -> bool {
        let OrderFilter { customer_id, seller_id, status, city: _, from, to, below, limit: _ } = self.filter;
        let in_city = |city: &String| placed.city.as_deref().map(city_key).as_ref() == Some(city);
        customer_id.is_none_or(|id| placed.customer_id.get() == id)
            && seller_id.is_none_or(|id| placed.sellers.iter().any(|share| share.seller_id.get() == id))
            && status.is_none_or(|status| is_now == status)
            && from.is_none_or(|from| placed_at >= from)
            && to.is_none_or(|to| placed_at < to)
            && below.is_none_or(|below| placed.order_id < below)
            && self.city.as_ref().is_none_or(in_city)
    }
}
