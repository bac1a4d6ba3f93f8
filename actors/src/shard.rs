//! **Shard**: the one owner of a slice of the products.
//!
//! - Owns: terms and stock of its products ([`hot`]), a copy of all sellers ([`sellers`]), ids known not to exist.
//! - Hears: journeys from workers, other shards and the catalogue; durable facts from the journal; changes and rows
//!   from the catalogue; questions.
//! - Tells: the next shard, the journal, the catalogue; the reply sink of a journey.
//! - Bound: its channel holds at most what admission lets in, plus one message for each journal group under way.
//! - Death: a panic ends the process; recovery is replay.

pub mod hot;
pub mod sellers;

use crate::api::{ProductInput, ProductView, QuoteOutcome, ShardStatus, Unavailable};
use crate::boot::name_thread;
use crate::doorbell::{Doorbell, Ring};
use crate::idempotency::IdempotencyTable;
use crate::journey::{AfterReturn, Journey, Missing, Purpose, ShardIndex, Stage, Taken, shard_of};
use crate::reply::{Answer, tell};
use crate::rules::{OfferedStock, PricingTerms, RefusalCode, judge_line, price};
use crate::sequencer::{JournalDoor, JournalInput, PricedJourney};
use actix::prelude::*;
use crossbeam_channel::{Receiver, Sender};
use floodgate_persistence::model::{Event, ProductId, Record, SellerId, StockChange};
use floodgate_persistence::planted::{self, Planted};
use floodgate_persistence::store::ProductRow;
use hot::{ChangeRefusal, HotProducts, Slot};
use sellers::HotSellers;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Items handled before the mailbox gets its turn again.
const ITEMS_PER_TURN: usize = 1024;

/// Items whose products are touched before the first of them is handled. With many products each look-up misses the
/// cache; side by side the misses overlap.
const ITEMS_AHEAD: usize = 64;

/// How long an id that the store did not know is not asked for again.
const ABSENT_FOR: Duration = Duration::from_secs(5);

/// Most absent ids remembered; beyond it all are forgotten, which costs a query each.
const ABSENT_MAX: usize = 65_536;

/// What a shard hears, in one order.
pub enum ShardInput {
    /// A checkout or quote.
    Journey(Box<Journey>),
    /// Orders are durable: what they took is sold.
    Settled(Vec<(Slot, u32)>),
    /// Changes of the catalogue to prepare: each becomes an event, or a reason why not.
    Prepare(Vec<Change>, oneshot::Sender<Vec<Result<Event, ChangeRefusal>>>),
    /// Changes of the catalogue are durable.
    Changed(Arc<Vec<Record>>, oneshot::Sender<()>),
    /// Rows read from the store.
    Load(Arc<Rows>, oneshot::Sender<()>),
    /// A question.
    Ask(Question),
}

/// A change of the catalogue.
#[derive(Clone, Debug)]
pub enum Change {
    /// A product row.
    Put(Box<ProductInput>),
    /// A seller row; the same for all shards.
    Seller(Box<floodgate_persistence::model::Seller>),
    /// A correction of stock.
    Adjust(Box<floodgate_persistence::model::StockAdjusted>),
}

impl Change {
    /// The product it is about.
    pub fn product_id(&self) -> Option<ProductId> {
        match self {
            Self::Put(input) => Some(input.product.id),
            Self::Seller(_) => None,
            Self::Adjust(adjusted) => Some(adjusted.product_id),
        }
    }
}

/// Rows read from the store in one snapshot, for all shards.
#[derive(Default)]
pub struct Rows {
    /// The checkpoint that the snapshot saw.
    pub as_of_seq: u64,
    /// Products of all shards.
    pub products: Vec<ProductRow>,
    /// Sellers.
    pub sellers: Vec<floodgate_persistence::model::Seller>,
    /// Products that were asked for and do not exist.
    pub absent_products: Vec<ProductId>,
    /// Sellers that were asked for and do not exist.
    pub absent_sellers: Vec<SellerId>,
}

/// What a shard is asked.
pub enum Question {
    /// A product; `None` twice: unknown, and known not to exist.
    Product(ProductId, oneshot::Sender<Lookup>),
    /// Which of these products are not hot.
    Missing(Vec<ProductId>, oneshot::Sender<Vec<ProductId>>),
    /// Durable stock of all products; `None`: not counted.
    Stock(oneshot::Sender<Vec<(ProductId, Option<i64>)>>),
    /// How it is.
    Status(oneshot::Sender<ShardStatus>),
    /// Hash over products, and over sellers.
    StateHash(oneshot::Sender<(u64, u64)>),
}

/// The answer to a look for one product.
pub enum Lookup {
    /// It is hot.
    Hot(Box<ProductView>),
    /// The store did not have it a moment ago.
    Absent,
    /// Not in memory.
    Missing,
}

/// What a shard starts with.
#[derive(Default)]
pub struct ShardState {
    /// Its products.
    pub products: HotProducts,
    /// All sellers.
    pub sellers: HotSellers,
}

/// The way to one shard.
pub struct ShardDoor {
    inbox: Sender<ShardInput>,
    bell: Doorbell,
}

impl ShardDoor {
    /// A door, and what the shard takes out of it.
    pub fn new() -> (Self, Receiver<ShardInput>) {
        let (inbox, outbox) = crossbeam_channel::unbounded();
        (Self { inbox, bell: Doorbell::default() }, outbox)
    }

    /// Hands something in. Never blocks.
    pub fn send(&self, input: ShardInput) {
        // A closed channel or mailbox means that the shard is gone, and then so is the process in a moment: whoever
        // waits for an answer is told by the closing of its connection.
        if self.inbox.send(input).is_err() || !self.bell.ring() {
            tracing::error!("a message came for a shard that is gone");
        }
    }
}

/// What all shards know of the world.
pub struct Surroundings {
    /// All shards, by index.
    pub shards: Vec<ShardDoor>,
    /// The journal thread.
    pub journal: JournalDoor,
    /// Where journeys go that miss something.
    pub fetch: Sender<Box<Journey>>,
    /// Wakes the catalogue for them.
    pub fetch_bell: Doorbell,
    /// Keys to let go.
    pub keys: Arc<IdempotencyTable>,
    /// `orders.invoice_prefix`.
    pub invoice_prefix: Arc<str>,
    /// Look-ups of known products and sellers that memory answered.
    pub cache_hits: AtomicU64,
    /// What the database refused.
    pub parked: Arc<crate::parked::ParkedEvents>,
}

/// The actor.
pub struct Shard {
    index: ShardIndex,
    state: ShardState,
    absent: HashMap<Missed, Instant>,
    inbox: Receiver<ShardInput>,
    around: Arc<Surroundings>,
    /// Priced in this turn, handed to the journal in one message.
    priced: Vec<PricedJourney>,
    /// Items taken out of the channel and not handled yet; empty between turns, kept for its room.
    ahead: Vec<ShardInput>,
    hits: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Missed {
    Product(ProductId),
    Seller(SellerId),
}

impl Shard {
    /// The shard at `index`, with what recovery or warm-up found for it.
    pub fn new(
        index: ShardIndex,
        state: ShardState,
        inbox: Receiver<ShardInput>,
        around: Arc<Surroundings>,
    ) -> Self {
        Self {
            index,
            state,
            absent: HashMap::new(),
            inbox,
            around,
            priced: Vec::new(),
            ahead: Vec::new(),
            hits: 0,
        }
    }
}

impl Actor for Shard {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        name_thread(&format!("shard-{}", self.index));
        if let Some(door) = self.around.shards.get(usize::from(self.index)) {
            door.bell.connect(ctx.address().recipient());
        }
        ctx.notify(Ring);
    }
}

impl Handler<Ring> for Shard {
    type Result = ();

    fn handle(&mut self, _: Ring, _: &mut Self::Context) {
        let Some(door) = self.around.shards.get(usize::from(self.index)) else { return };
        door.bell.quiet();
        let around = Arc::clone(&self.around);
        for _ in 0..ITEMS_PER_TURN / ITEMS_AHEAD {
            let mut items = std::mem::take(&mut self.ahead);
            items.extend(self.inbox.try_iter().take(ITEMS_AHEAD));
            if items.is_empty() {
                break;
            }
            self.touch(&items);
            items.drain(..).for_each(|input| self.hear(input));
            self.ahead = items;
        }
        if !self.priced.is_empty() {
            around.journal.send(JournalInput::Orders(std::mem::take(&mut self.priced)));
        }
        around.cache_hits.fetch_add(std::mem::take(&mut self.hits), Ordering::Relaxed);
        if !self.inbox.is_empty()
            && let Some(door) = around.shards.get(usize::from(self.index))
        {
            door.bell.ring();
        }
    }
}

impl Shard {
    /// Brings the products of these items into the cache.
    fn touch(&self, items: &[ShardInput]) {
        let journeys = items.iter().filter_map(|item| match item {
            ShardInput::Journey(journey) => Some(journey),
            _ => None,
        });
        let products = &self.state.products;
        let slots: SmallVec<[Slot; 4 * ITEMS_AHEAD]> = journeys
            .flat_map(|journey| &journey.cart.lines)
            .filter_map(|line| products.slot(line.product_id))
            .collect();
        // The sum keeps the reads from being optimised away.
        std::hint::black_box(slots.iter().map(|slot| u32::from(products.touch(*slot))).sum::<u32>());
    }

    fn hear(&mut self, input: ShardInput) {
        match input {
            ShardInput::Journey(journey) => self.travel(journey),
            ShardInput::Settled(sold) => {
                for (slot, quantity) in sold {
                    self.state.products.settle(slot, quantity);
                }
            }
            ShardInput::Prepare(changes, done) => tell(done, self.prepare(changes)),
            ShardInput::Changed(records, done) => {
                self.commit(&records);
                tell(done, ());
            }
            ShardInput::Load(rows, done) => {
                self.load(&rows);
                tell(done, ());
            }
            ShardInput::Ask(question) => self.answer(question),
        }
    }

    fn travel(&mut self, mut journey: Box<Journey>) {
        match journey.stage {
            Stage::Looking => {
                self.look(&mut journey);
                match journey.next_shard(Some(self.index), self.around.shards.len()) {
                    Some(next) => self.pass_on(next, journey),
                    None => self.decide(journey),
                }
            }
            Stage::Returning(after) => self.give_back(journey, after),
        }
    }

    fn pass_on(&self, to: ShardIndex, journey: Box<Journey>) {
        match self.around.shards.get(usize::from(to)) {
            Some(door) => door.send(ShardInput::Journey(journey)),
            None => unreachable!("a journey only goes to shards that exist"),
        }
    }

    /// Looks at this shard's lines, and takes them as long as nothing is wrong with the whole.
    fn look(&mut self, journey: &mut Journey) {
        let shards = self.around.shards.len();
        for place in 0..journey.cart.lines.len() {
            let takes = journey.takes();
            let Some(line) = journey.cart.lines.get_mut(place) else { return };
            if shard_of(line.product_id, shards) != self.index {
                continue;
            }
            let slot = self.state.products.slot(line.product_id);
            match slot {
                Some(slot) => {
                    let mut offer = self.state.products.offer(slot);
                    self.hits += 1;
                    match self.state.sellers.terms(offer.seller_id) {
                        Some(terms) => {
                            self.hits += 1;
                            offer.seller_active = terms.active;
                            offer.commission_bps = terms.commission_bps;
                        }
                        None if self.is_unknown(journey.fetched, Missed::Seller(offer.seller_id)) => {}
                        None => journey.missing.push(Missing::Seller(offer.seller_id)),
                    }
                    line.offer = Some(offer);
                }
                None if self.is_unknown(journey.fetched, Missed::Product(line.product_id)) => {}
                None => {
                    journey.missing.push(Missing::Product(line.product_id));
                    continue;
                }
            }
            judge_line(line, journey.currency, &mut journey.problems);
            let counted =
                line.offer.as_ref().is_some_and(|offer| matches!(offer.stock, OfferedStock::Counted(_)));
            if let Some(slot) = slot.filter(|_| counted && takes && journey.problems.is_empty()) {
                self.state.products.take(slot, line.quantity);
                journey.taken.push(Taken { shard: self.index, slot, quantity: line.quantity });
            }
        }
    }

    fn is_unknown(&mut self, fetched: bool, missed: Missed) -> bool {
        fetched || self.absent.get(&missed).is_some_and(|until| *until > Instant::now())
    }

    /// All lines were looked at: sell, refuse, or fetch what is missing.
    fn decide(&mut self, mut journey: Box<Journey>) {
        if !journey.missing.is_empty() {
            return self.give_back(journey, AfterReturn::Fetch);
        }
        if journey.problems.iter().any(|problem| problem.code.refusal() == RefusalCode::ValidationFailed) {
            return self.give_back(journey, AfterReturn::Refuse);
        }
        let terms =
            PricingTerms { expected_total: journey.command.expected_total, ..PricingTerms::default() };
        let Journey { cart, problems, .. } = &mut *journey;
        let priced = price(cart, &terms, problems);
        match priced.filter(|_| journey.problems.is_empty()) {
            None => self.give_back(journey, AfterReturn::Refuse),
            Some(priced) => {
                let order = journey.order(priced, &self.around.invoice_prefix);
                match journey.purpose {
                    Purpose::Quote => journey.answer(Answer::Quote(QuoteOutcome::Quoted(order))),
                    Purpose::Checkout => self.priced.push(PricedJourney { journey, order }),
                }
            }
        }
    }

    /// Gives back what this shard gave, and sends the journey to the highest shard that still has something with it.
    fn give_back(&mut self, mut journey: Box<Journey>, after: AfterReturn) {
        journey.stage = Stage::Returning(after);
        let (mine, index) = (&mut self.state.products, self.index);
        journey.taken.retain(|taken| {
            let here = taken.shard == index;
            if here && !planted::is(Planted::HoldLeaked) {
                mine.give_back(taken.slot, taken.quantity);
            }
            !here
        });
        match journey.taken.iter().map(|taken| taken.shard).max() {
            Some(next) => self.pass_on(next, journey),
            None => self.end(journey, after),
        }
    }

    fn end(&self, journey: Box<Journey>, after: AfterReturn) {
        match after {
            AfterReturn::Refuse => journey.refuse(&self.around.keys),
            AfterReturn::Fetch => match self.around.fetch.send(journey) {
                Ok(()) => drop(self.around.fetch_bell.ring()),
                Err(back) => back.0.turn_away(&self.around.keys, Unavailable::NotReady),
            },
        }
    }

    fn prepare(&mut self, changes: Vec<Change>) -> Vec<Result<Event, ChangeRefusal>> {
        let products = &mut self.state.products;
        let prepare = |change| match change {
            Change::Put(input) => {
                let stock: StockChange = products.prepare_put(&input)?;
                let put = floodgate_persistence::model::ProductPut { product: input.product, stock };
                Ok(Event::ProductPut(Box::new(put)))
            }
            Change::Seller(seller) => Ok(Event::SellerPut(seller)),
            Change::Adjust(adjusted) => {
                products.prepare_adjust(adjusted.product_id, adjusted.delta)?;
                Ok(Event::StockAdjusted(adjusted))
            }
        };
        changes.into_iter().map(prepare).collect()
    }

    fn commit(&mut self, records: &[Record]) {
        let shards = self.around.shards.len();
        for record in records {
            match &record.event {
                Event::ProductPut(put) if shard_of(put.product.id, shards) == self.index => {
                    self.absent.remove(&Missed::Product(put.product.id));
                    self.state.products.commit_put(record.seq, put);
                }
                Event::StockAdjusted(adjusted) if shard_of(adjusted.product_id, shards) == self.index => {
                    self.state.products.commit_adjust(adjusted.product_id, adjusted.delta);
                }
                Event::SellerPut(seller) => {
                    self.absent.remove(&Missed::Seller(seller.id));
                    self.state.sellers.put(record.seq, seller);
                }
                _ => {}
            }
        }
    }

    fn load(&mut self, rows: &Rows) {
        let shards = self.around.shards.len();
        for row in rows.products.iter().filter(|row| shard_of(row.product.id, shards) == self.index) {
            self.absent.remove(&Missed::Product(row.product.id));
            self.state.products.load(row, rows.as_of_seq);
        }
        for seller in &rows.sellers {
            self.absent.remove(&Missed::Seller(seller.id));
            self.state.sellers.load(seller, rows.as_of_seq);
        }
        let products = rows.absent_products.iter().filter(|id| shard_of(**id, shards) == self.index);
        let products = products.copied().map(Missed::Product);
        let sellers = rows.absent_sellers.iter().copied().map(Missed::Seller);
        let until = Instant::now() + ABSENT_FOR;
        for missed in products.chain(sellers) {
            if self.absent.len() >= ABSENT_MAX {
                self.absent.clear();
            }
            self.absent.insert(missed, until);
        }
    }

    fn answer(&mut self, question: Question) {
        match question {
            Question::Product(id, reply) => {
                let lookup = match self.state.products.slot(id) {
                    Some(slot) => Lookup::Hot(Box::new(self.state.products.view(slot))),
                    None if self.is_unknown(false, Missed::Product(id)) => Lookup::Absent,
                    None => Lookup::Missing,
                };
                tell(reply, lookup);
            }
            Question::Missing(mut ids, reply) => {
                ids.retain(|id| self.state.products.slot(*id).is_none());
                tell(reply, ids);
            }
            Question::Stock(reply) => tell(reply, self.state.products.durable_stock()),
            Question::Status(reply) => tell(
                reply,
                ShardStatus {
                    products: self.state.products.len(),
                    sellers: self.state.sellers.len(),
                    queued: self.inbox.len(),
                    held: self.state.products.held_total(),
                },
            ),
            Question::StateHash(reply) => {
                tell(reply, (self.state.products.state_hash(), self.state.sellers.state_hash()));
            }
        }
    }
}
