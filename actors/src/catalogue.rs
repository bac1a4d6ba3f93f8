//! **Catalogue**: brings products and sellers into the shards, from the store and from admin calls.
//!
//! - Owns: the queue of changes, the waiting misses, the warm-up and the refresh under way.
//! - Hears: journeys that miss something, admin changes, read-throughs, the clock.
//! - Tells: the shards (rows, changes), the journal (events of changes), the askers.
//! - Bound: waiting journeys by admission, changes by the bodies of the admin calls under way. One read of the store
//!   and one round of changes at a time ([`changes`]), so that no older row can overtake a newer one.
//! - Death: a panic ends the process; recovery is replay.
//!
//! A read that began before an admin change and comes back after it is no danger: the shards compare what the read
//! saw with the change (see [`HotProducts::load`](crate::shard::hot::HotProducts::load)).

mod changes;
mod reads;

pub use changes::{AskMemory, ChangeResult, MakeChange, MakeChanges};
pub use reads::ReadThrough;

use crate::api::{Unavailable, WarmupJob, WarmupScope, WarmupState};
use crate::boot::name_thread;
use crate::doorbell::Ring;
use crate::journey::{Journey, Missing};
use crate::reply::tell;
use crate::shard::{Rows, ShardInput, Surroundings};
use crate::snapshots::Snapshots;
use actix::prelude::*;
use crossbeam_channel::Receiver;
use floodgate_persistence::model::{ProductId, SellerId, Timestamp};
use floodgate_persistence::store::{Store, StoreError};
use parking_lot::Mutex;
use reads::{Purpose, Read, ReadDone, Table};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often changed rows are looked for.
const POLL_EVERY: Duration = Duration::from_secs(10);

/// Ids after which a read of misses takes no further checkout in: invented ids of one client must not make a query that
/// the database refuses to everybody.
const MISSES_MAX: usize = 4_000;

/// How far each look for changed rows reaches back before the last one, for transactions that commit late and clocks
/// that differ.
const POLL_OVERLAP_MS: i64 = 10_000;

/// How long after a start from the cache file all products are read again. What others changed in a proper way
/// (`updated_at`) is looked for at once, so this sweep can wait until the start is over.
const SWEEP_AFTER: Duration = Duration::from_secs(60);

/// When a cache file is written for the first time, where one is due.
const FIRST_SNAPSHOT_AFTER: Duration = Duration::from_secs(300);

/// How often it is looked whether a cache file is due.
const SNAPSHOT_CHECK_EVERY: Duration = Duration::from_secs(3600);

/// Figures of the catalogue, for status and metrics.
pub struct CatalogueFigures {
    /// Known products and sellers that had to be fetched.
    pub misses: AtomicU64,
    /// Ids asked for that do not exist.
    pub unknown: AtomicU64,
    /// The last warm-up.
    pub warmup: Mutex<Option<WarmupRecord>>,
    /// When all products were last read from the store, in ms since 1970.
    pub products_read_at: AtomicI64,
    /// When all sellers were last read from the store, in ms since 1970.
    pub sellers_read_at: AtomicI64,
}

/// A warm-up, with its clock.
#[derive(Clone, Debug)]
pub struct WarmupRecord {
    job: WarmupJob,
    began: Instant,
}

impl WarmupRecord {
    /// A warm-up that begins now.
    pub fn begin(total: u64) -> Self {
        let job =
            WarmupJob { state: WarmupState::Running, loaded: 0, total, elapsed: Duration::ZERO, error: None };
        Self { job, began: Instant::now() }
    }

    /// It came to its end.
    pub fn end(&mut self, error: Option<String>) {
        self.job.elapsed = self.began.elapsed();
        self.job.state = if error.is_none() { WarmupState::Done } else { WarmupState::Failed };
        self.job.error = error;
    }

    /// Rows were loaded.
    pub fn add(&mut self, rows: u64) {
        self.job.loaded += rows;
        self.job.total = self.job.total.max(self.job.loaded);
    }

    /// As it is now.
    pub fn job(&self) -> WarmupJob {
        let mut job = self.job.clone();
        if job.state == WarmupState::Running {
            job.elapsed = self.began.elapsed();
        }
        job
    }
}

impl CatalogueFigures {
    /// With everything read from the store at this moment.
    pub fn new(warmup: WarmupRecord, read_at: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            misses: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            warmup: Mutex::new(Some(warmup)),
            products_read_at: AtomicI64::new(read_at.0),
            sellers_read_at: AtomicI64::new(read_at.0),
        })
    }
}

/// The actor.
pub struct Catalogue {
    store: Arc<dyn Store>,
    around: Arc<Surroundings>,
    figures: Arc<CatalogueFigures>,
    product_ttl: Duration,
    seller_ttl: Duration,
    missed: Receiver<Box<Journey>>,
    #[expect(clippy::vec_box, reason = "journeys travel boxed; a vector of them moves pointers")]
    waiting: Vec<Box<Journey>>,
    asked: Vec<(ProductId, oneshot::Sender<Result<(), Unavailable>>)>,
    /// Pages still to read, in order.
    pages: VecDeque<Read>,
    reading: bool,
    polled_at: Timestamp,
    /// When the look under way began.
    poll_began: Option<Timestamp>,
    /// Memory came from a cache file: what others changed since then is to be read.
    came_from_file: bool,
    snapshots: Arc<Snapshots>,
    changes: changes::Queue,
}

impl Catalogue {
    /// With everything of the store hot.
    pub fn new(
        store: Arc<dyn Store>,
        around: Arc<Surroundings>,
        figures: Arc<CatalogueFigures>,
        ttls: (Duration, Duration),
        missed: Receiver<Box<Journey>>,
        snapshots: Arc<Snapshots>,
    ) -> Self {
        Self {
            store,
            around,
            figures,
            product_ttl: ttls.0,
            seller_ttl: ttls.1,
            missed,
            waiting: Vec::new(),
            asked: Vec::new(),
            pages: VecDeque::new(),
            reading: false,
            polled_at: Timestamp::now(),
            poll_began: None,
            came_from_file: false,
            snapshots,
            changes: changes::Queue::default(),
        }
    }

    /// Says that what is hot came from a cache file of this moment.
    pub fn catch_up_with_others(&mut self, read_at: Timestamp) {
        (self.polled_at, self.came_from_file) = (read_at, true);
    }

    /// Begins the next read, if none is under way: misses first, then pages.
    fn read_on(&mut self, ctx: &mut Context<Self>) {
        if self.reading {
            return;
        }
        let Some(read) = self.next_miss().or_else(|| self.pages.pop_front()) else { return };
        self.reading = true;
        let (store, around) = (Arc::clone(&self.store), Arc::clone(&self.around));
        let run = async move { read.run(&*store, &around).await };
        ctx.spawn(run.into_actor(self).map(|done, actor, ctx| {
            actor.reading = false;
            actor.read(done);
            actor.read_on(ctx);
        }));
    }

    /// One read for all that is missing now, whoever waits for it, up to [`MISSES_MAX`] ids: what is left waits for the
    /// next.
    fn next_miss(&mut self) -> Option<Read> {
        let mut ids = 0;
        let fitting = self.waiting.iter().take_while(|journey| {
            let before = ids;
            ids += journey.missing.len();
            before < MISSES_MAX
        });
        let journeys: Vec<_> = self.waiting.drain(..fitting.count()).collect();
        self.asked.retain(|(_, reply)| !reply.is_closed());
        let asked: Vec<_> = self.asked.drain(..self.asked.len().min(MISSES_MAX)).collect();
        if journeys.is_empty() && asked.is_empty() {
            return None;
        }
        let mut products: BTreeSet<ProductId> = asked.iter().map(|(id, _)| *id).collect();
        let mut sellers = BTreeSet::<SellerId>::new();
        for missing in journeys.iter().flat_map(|journey| &journey.missing) {
            match missing {
                Missing::Product(id) => products.insert(*id),
                Missing::Seller(id) => sellers.insert(*id),
            };
        }
        let (products, sellers) = (products.into_iter().collect(), sellers.into_iter().collect());
        let asked = asked.into_iter().map(|(_, reply)| reply).collect();
        Some(Read::Missing { products, sellers, purpose: Purpose::Misses { journeys, asked } })
    }

    /// A read came back, its rows are hot.
    fn read(&mut self, done: ReadDone) {
        let ReadDone { purpose, result, next } = done;
        match purpose {
            Purpose::Misses { journeys, asked } => self.go_on_after_miss(journeys, asked, result),
            Purpose::Warmup => self.warmed(result, next),
            Purpose::Refresh(table) => self.refreshed(table, result, next),
            Purpose::Poll => self.polled(result, next),
        }
    }

    #[expect(clippy::vec_box, reason = "journeys travel boxed; a vector of them moves pointers")]
    fn go_on_after_miss(
        &mut self,
        journeys: Vec<Box<Journey>>,
        asked: Vec<oneshot::Sender<Result<(), Unavailable>>>,
        result: Result<reads::Loaded, StoreError>,
    ) {
        match result {
            Ok(loaded) => {
                self.figures.misses.fetch_add(loaded.rows, Ordering::Relaxed);
                self.figures.unknown.fetch_add(loaded.absent, Ordering::Relaxed);
                asked.into_iter().for_each(|reply| tell(reply, Ok(())));
                journeys.into_iter().for_each(|journey| self.send_again(journey));
            }
            Err(error) => {
                tracing::warn!(%error, "a product that is not in memory cannot be read");
                let why = Unavailable::NotReady;
                asked.into_iter().for_each(|reply| tell(reply, Err(why)));
                journeys.into_iter().for_each(|journey| journey.turn_away(&self.around.keys, why));
            }
        }
    }

    fn send_again(&self, mut journey: Box<Journey>) {
        journey.begin_again();
        let first = journey.next_shard(None, self.around.shards.len());
        match first.and_then(|first| self.around.shards.get(usize::from(first))) {
            Some(door) => door.send(ShardInput::Journey(journey)),
            None => journey.refuse(&self.around.keys),
        }
    }

    /// The next look reaches back to the last one that was whole.
    fn polled(&mut self, result: Result<reads::Loaded, StoreError>, next: Option<Read>) {
        match (result, next) {
            (Ok(_), Some(next)) => self.pages.push_back(next),
            (Ok(_), None) => self.polled_at = self.poll_began.take().unwrap_or(self.polled_at),
            (Err(error), _) => {
                self.poll_began = None;
                tracing::warn!(%error, "changed products cannot be read; trying again");
            }
        }
    }

    fn warmed(&mut self, result: Result<reads::Loaded, StoreError>, next: Option<Read>) {
        let mut warmup = self.figures.warmup.lock();
        let Some(record) = warmup.as_mut() else { return };
        match result {
            Ok(loaded) => {
                record.add(loaded.rows);
                let is_last = next.is_none() && !self.pages.iter().any(Read::is_warmup);
                if is_last {
                    record.end(None);
                    tracing::info!(rows = record.job.loaded, "warm-up done");
                }
                if let Some(next) = next {
                    self.pages.push_front(next);
                }
            }
            Err(error) => {
                self.pages.retain(|page| !page.is_warmup());
                tracing::warn!(%error, "warm-up failed");
                record.end(Some(error.to_string()));
            }
        }
    }

    fn refreshed(&mut self, table: Table, result: Result<reads::Loaded, StoreError>, next: Option<Read>) {
        match (result, next) {
            (Ok(_), Some(next)) => self.pages.push_back(next),
            (Ok(_), None) => {
                let read_at = match table {
                    Table::Products => &self.figures.products_read_at,
                    Table::Sellers => &self.figures.sellers_read_at,
                };
                read_at.store(Timestamp::now().0, Ordering::Relaxed);
            }
            (Err(error), _) => {
                tracing::warn!(%error, "the catalogue cannot be refreshed; sold from memory on")
            }
        }
    }

    fn refresh(&mut self, table: Table, ctx: &mut Context<Self>) {
        let under_way = self.pages.iter().any(|page| page.refreshes(table));
        if !under_way {
            self.pages.push_back(Read::page(table, Purpose::Refresh(table)));
        }
        self.read_on(ctx);
    }

    /// Reads what others changed in the database since the cache file was written.
    fn catch_up(&mut self, ctx: &mut Context<Self>) {
        tracing::info!(
            since = %self.polled_at,
            sweep_after_s = SWEEP_AFTER.as_secs(),
            "started from the cache file: reading what others changed since then, and soon everything"
        );
        self.poll(ctx);
        self.refresh(Table::Sellers, ctx);
        ctx.run_later(SWEEP_AFTER, |actor, ctx| actor.refresh(Table::Products, ctx));
    }

    fn poll(&mut self, ctx: &mut Context<Self>) {
        if self.poll_began.is_some() {
            return;
        }
        self.poll_began = Some(Timestamp::now());
        let since = self.polled_at.plus_millis(-POLL_OVERLAP_MS);
        self.pages.push_back(Read::Changed { since, after: 0, purpose: Purpose::Poll });
        self.read_on(ctx);
    }
}

impl Actor for Catalogue {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        name_thread("catalogue");
        self.around.fetch_bell.connect(ctx.address().recipient());
        ctx.notify(Ring);
        ctx.run_interval(POLL_EVERY, |actor, ctx| actor.poll(ctx));
        ctx.run_interval(self.product_ttl, |actor, ctx| actor.refresh(Table::Products, ctx));
        ctx.run_interval(self.seller_ttl, |actor, ctx| actor.refresh(Table::Sellers, ctx));
        ctx.run_later(FIRST_SNAPSHOT_AFTER, |actor, _| actor.snapshots.write_if_due());
        ctx.run_interval(SNAPSHOT_CHECK_EVERY, |actor, _| actor.snapshots.write_if_due());
        if self.came_from_file {
            self.catch_up(ctx);
        }
    }
}

impl Handler<Ring> for Catalogue {
    type Result = ();

    fn handle(&mut self, _: Ring, ctx: &mut Self::Context) {
        self.around.fetch_bell.quiet();
        self.waiting.extend(self.missed.try_iter());
        self.read_on(ctx);
    }
}

impl Handler<ReadThrough> for Catalogue {
    type Result = ();

    fn handle(&mut self, message: ReadThrough, ctx: &mut Self::Context) {
        self.asked.push((message.id, message.done));
        self.read_on(ctx);
    }
}

/// Loads the hot catalogue from the store. Answered with the job, or with the one that runs.
#[derive(Message)]
#[rtype(result = "Result<WarmupJob, WarmupJob>")]
pub struct BeginWarmup {
    /// What to load.
    pub scope: WarmupScope,
    /// Products of the store, for the progress.
    pub total: u64,
}

impl Handler<BeginWarmup> for Catalogue {
    type Result = Result<WarmupJob, WarmupJob>;

    fn handle(&mut self, message: BeginWarmup, ctx: &mut Self::Context) -> Self::Result {
        let mut warmup = self.figures.warmup.lock();
        if let Some(running) = warmup.as_ref().map(WarmupRecord::job)
            && running.state == WarmupState::Running
        {
            return Err(running);
        }
        let record = WarmupRecord::begin(message.total);
        let job = record.job();
        *warmup = Some(record);
        drop(warmup);
        match message.scope {
            WarmupScope::All => {
                self.pages.push_back(Read::page(Table::Sellers, Purpose::Warmup));
                self.pages.push_back(Read::page(Table::Products, Purpose::Warmup));
            }
            WarmupScope::Some { products, sellers } => {
                for products in products.chunks(MISSES_MAX) {
                    let (products, sellers) = (products.to_vec(), Vec::new());
                    self.pages.push_back(Read::Missing { products, sellers, purpose: Purpose::Warmup });
                }
                for sellers in sellers.chunks(MISSES_MAX) {
                    let (products, sellers) = (Vec::new(), sellers.to_vec());
                    self.pages.push_back(Read::Missing { products, sellers, purpose: Purpose::Warmup });
                }
            }
        }
        self.read_on(ctx);
        Ok(job)
    }
}

/// Hands rows to every shard and waits until all have them.
async fn load(around: &Surroundings, mut rows: Rows) {
    around.parked.overlay_products(&mut rows.products);
    around.parked.overlay_sellers(&mut rows.sellers);
    let rows = Arc::new(rows);
    let mut loaded = Vec::with_capacity(around.shards.len());
    for door in &around.shards {
        let (done, receiver) = oneshot::channel();
        door.send(ShardInput::Load(Arc::clone(&rows), done));
        loaded.push(receiver);
    }
    for receiver in loaded {
        // A shard that is gone takes the process with it.
        drop(receiver.await);
    }
}
