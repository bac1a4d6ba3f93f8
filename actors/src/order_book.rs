//! **Order book**: owns the open orders, those whose timer runs.
//!
//! - Owns: one small entry an open order ([`OpenOrders`]).
//! - Hears: every durable group, through its channel; questions.
//! - Tells: admission, how many orders are open.
//! - Bound: `orders.open_max`, kept by admission; its channel holds [`GROUPS_MAX`] groups, and it waits for nobody,
//!   so the journal thread that fills it never waits long.
//! - Death: a panic ends the process; recovery is replay.
//!
//! It is the door for every later command on an order: events of an order go through here, so its life (payment,
//! cancellation, expiry) joins as commands on [`OpenOrders`] and further arms of its `apply`.

use crate::admission::Admission;
use crate::boot::name_thread;
use crate::doorbell::{Doorbell, Ring};
use crate::tail::Group;
use actix::prelude::*;
use crossbeam_channel::Receiver;
use floodgate_persistence::model::{Event, OrderId, OrderStatus, Record, Timestamp};
use floodgate_persistence::store::{OpenOrder, timer_of};
use hashbrown::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Groups between the journal thread and the order book.
pub const GROUPS_MAX: usize = 1024;

/// Groups handled before the mailbox gets its turn again.
const GROUPS_PER_TURN: usize = 64;

/// The open orders.
#[derive(Default)]
pub struct OpenOrders {
    orders: HashMap<OrderId, (OrderStatus, Timestamp)>,
}

impl OpenOrders {
    /// Takes an order over from the store.
    pub fn restore(&mut self, order: OpenOrder) {
        self.orders.insert(order.order_id, (order.status, order.timer_at));
    }

    /// A durable event.
    pub fn apply(&mut self, record: &Record) {
        if let Event::OrderPlaced(order) = &record.event
            && let Some(timer_at) = timer_of(order)
        {
            self.orders.insert(order.order_id, (order.status, timer_at));
        }
    }

    /// Number of open orders.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Hash over all open orders and their timers.
    pub fn state_hash(&self) -> u64 {
        let hash_of = |entry: (&OrderId, &(OrderStatus, Timestamp))| {
            let mut hasher = DefaultHasher::new();
            entry.hash(&mut hasher);
            hasher.finish()
        };
        self.orders.iter().map(hash_of).fold(0, u64::wrapping_add)
    }
}

/// The actor.
pub struct OrderBook {
    open: OpenOrders,
    groups: Receiver<Arc<Group>>,
    bell: Arc<Doorbell>,
    admission: Arc<Admission>,
}

impl OrderBook {
    /// With the orders that recovery found open.
    pub fn new(
        open: OpenOrders,
        groups: Receiver<Arc<Group>>,
        bell: Arc<Doorbell>,
        admission: Arc<Admission>,
    ) -> Self {
        admission.set_open_orders(open.len());
        Self { open, groups, bell, admission }
    }
}

impl Actor for OrderBook {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        name_thread("order-book");
        self.bell.connect(ctx.address().recipient());
        ctx.notify(Ring);
    }
}

impl Handler<Ring> for OrderBook {
    type Result = ();

    fn handle(&mut self, _: Ring, _: &mut Self::Context) {
        self.bell.quiet();
        for group in self.groups.try_iter().take(GROUPS_PER_TURN) {
            group.records.iter().for_each(|record| self.open.apply(record));
        }
        self.admission.set_open_orders(self.open.len());
        if !self.groups.is_empty() {
            self.bell.ring();
        }
    }
}

/// Asks for the hash over all open orders. Answered after the groups that came before.
#[derive(Message)]
#[rtype(result = "u64")]
pub struct HashOpenOrders;

impl Handler<HashOpenOrders> for OrderBook {
    type Result = u64;

    fn handle(&mut self, _: HashOpenOrders, _: &mut Self::Context) -> u64 {
        self.groups
            .try_iter()
            .for_each(|group| group.records.iter().for_each(|record| self.open.apply(record)));
        self.open.state_hash()
    }
}
