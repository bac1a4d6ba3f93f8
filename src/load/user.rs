//! A user: comes, asks for something at moments that were drawn beforehand, and goes.

use super::books::Acknowledged;
use super::carts::Carts;
use super::settings::Settings;
use super::tally::{Ended, Ending, Operation, Tally};
use super::tier::Presence;
use super::wire::{Call, Lost, Reply, Target, Wire};
use crate::bench::{Random, mix, real};
use parking_lot::Mutex;
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Of a hundred requests: what they are. A user without an order looks at a product instead of one.
const MIX: [(Operation, u64); 5] = [
    (Operation::Checkout, 50),
    (Operation::Quote, 10),
    (Operation::Product, 20),
    (Operation::Order, 15),
    (Operation::List, 5),
];

/// What all users of a thread share.
pub struct Shared {
    /// Whom they ask.
    pub target: Arc<Target>,
    /// What they buy.
    pub carts: Arc<Carts>,
    /// Mean time between two requests of one of them.
    pub think: Duration,
    /// How long after the end of their time requests that were due are still sent.
    pub grace: Duration,
    /// The start of the run.
    pub start: Instant,
    /// How many are there.
    pub there: Arc<AtomicUsize>,
    /// What they have seen.
    pub tally: Arc<Mutex<Tally>>,
}

/// One of them.
pub struct User {
    number: u32,
    presence: Presence,
    random: Random,
    wire: Wire,
    carts_made: u32,
    last_order: Option<u64>,
    shared: Arc<Shared>,
}

#[derive(Deserialize)]
struct Placed {
    order_id: u64,
    total: i64,
}

#[derive(Deserialize)]
struct Problem<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
}

impl User {
    /// Not yet there.
    pub fn new(number: u32, presence: Presence, settings: &Settings, shared: Arc<Shared>) -> Self {
        let random = Random::new(mix(settings.seed) ^ mix(u64::from(number) + 1));
        let wire = Wire::new(Arc::clone(&shared.target));
        Self { number, presence, random, wire, carts_made: 0, last_order: None, shared }
    }

    /// From coming to going.
    pub async fn live(mut self) {
        let start = self.shared.start;
        sleep_until(start + self.presence.from).await;
        self.shared.there.fetch_add(1, Ordering::Relaxed);
        let give_up = start + self.presence.until + self.shared.grace;
        let mut due = self.presence.from + self.gap();
        while due < self.presence.until {
            sleep_until(start + due).await;
            if Instant::now() < give_up {
                self.act(due).await;
            } else {
                self.shared.tally.lock().unsent += 1;
            }
            due += self.gap();
        }
        sleep_until(start + self.presence.until).await;
        self.shared.there.fetch_sub(1, Ordering::Relaxed);
    }

    /// Exponentially distributed, so that the arrivals of all users are a Poisson process.
    #[expect(clippy::float_arithmetic, reason = "a random time")]
    fn gap(&mut self) -> Duration {
        let uniform = real(self.random.bits() >> 11) / real(1 << 53);
        self.shared.think.mul_f64(-(1.0 - uniform).ln())
    }

    async fn act(&mut self, due: Duration) {
        let operation = self.choose();
        let call = self.call(operation);
        let sent = Instant::now();
        let result = self.wire.send(&call).await;
        let since_sent = sent.elapsed();
        let since_due = self.shared.start.elapsed().saturating_sub(due);
        let (ending, status) = match &result {
            Ok(reply) => (Ending::of(reply.status), reply.status),
            Err(_) => (Ending::Failed, 0),
        };
        let code = (ending != Ending::Answered).then(|| code_of(&result));
        let code = code.as_deref().map(|code| (status, code));
        let ended = Ended { operation, ending, code, due_at: due, since_due, since_sent };
        let shared = Arc::clone(&self.shared);
        let mut tally = shared.tally.lock();
        tally.ended(&ended);
        if operation == Operation::Checkout {
            self.settle(&result, &mut tally);
        }
    }

    fn choose(&mut self) -> Operation {
        let mut chance = self.random.below(100);
        for (operation, share) in MIX {
            if chance < share {
                return match operation {
                    Operation::Order if self.last_order.is_none() => Operation::Product,
                    operation => operation,
                };
            }
            chance -= share;
        }
        Operation::Product
    }

    fn call(&mut self, operation: Operation) -> Call {
        let carts = &self.shared.carts;
        match operation {
            Operation::Checkout => {
                let number = self.carts_made;
                self.carts_made += 1;
                checkout(carts, self.number, number)
            }
            Operation::Quote => {
                let cart = carts.cart(self.number, self.carts_made);
                Call::post("/v1/quotes".to_owned(), carts.body(self.number, &cart), None)
            }
            Operation::Product => Call::get(format!("/v1/products/{}", carts.any(&mut self.random))),
            Operation::Order => Call::get(format!("/v1/orders/{}", self.last_order.unwrap_or_default())),
            Operation::List => {
                Call::get(format!("/v1/orders?customer_id={}&limit=10", carts.customer(self.number)))
            }
        }
    }

    /// Writes into the books what is known now about the cart that was sent last.
    fn settle(&mut self, result: &Result<Reply, Lost>, tally: &mut Tally) {
        let number = self.carts_made.saturating_sub(1);
        match outcome_of(self.number, number, result) {
            Outcome::Placed(acknowledged) => {
                self.last_order = Some(acknowledged.order_id);
                tally.acknowledged.push(acknowledged);
            }
            Outcome::NotPlaced => {}
            Outcome::Unknown => tally.unresolved.push((self.number, number)),
        }
    }
}

/// What became of a cart.
pub enum Outcome {
    /// It is an order.
    Placed(Acknowledged),
    /// It is not, and was answered so, or it was never sent.
    NotPlaced,
    /// Nobody knows.
    Unknown,
}

/// What an answer, or none, says about a cart.
pub fn outcome_of(user: u32, number: u32, result: &Result<Reply, Lost>) -> Outcome {
    match result {
        Ok(reply) if reply.status == 201 => match serde_json::from_slice::<Placed>(&reply.body) {
            Ok(Placed { order_id, total }) => Outcome::Placed(Acknowledged { user, number, order_id, total }),
            Err(_) => Outcome::Unknown,
        },
        Ok(reply) if Ending::of(reply.status) != Ending::Failed || reply.status < 500 => Outcome::NotPlaced,
        Err(Lost::NotConnected) => Outcome::NotPlaced,
        _ => Outcome::Unknown,
    }
}

/// The checkout of a user's n-th cart, always with the same bytes and the same key.
pub fn checkout(carts: &Carts, user: u32, number: u32) -> Call {
    let cart = carts.cart(user, number);
    Call::post("/v1/checkouts".to_owned(), carts.body(user, &cart), Some(carts.key(user, number)))
}

fn code_of(result: &Result<Reply, Lost>) -> Cow<'static, str> {
    match result {
        Ok(reply) => {
            let problem = serde_json::from_slice::<Problem<'_>>(&reply.body);
            problem.map_or(Cow::Borrowed("unreadable"), |problem| Cow::Owned(problem.code.into_owned()))
        }
        Err(lost) => Cow::Borrowed(lost.as_str()),
    }
}
