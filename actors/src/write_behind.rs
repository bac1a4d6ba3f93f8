//! **Write-behind**: writes the journal out to the store, in order, each event exactly once.
//!
//! - Owns: the cursor, which is the store's checkpoint.
//! - Hears: the doorbell, after each durable group; [`RetryParked`].
//! - Tells: the backlog index and the journal, what is no longer needed; [`WriterFigures`], how it stands.
//! - Bound: one batch under way, and the next one built meanwhile. The backlog is the journal: from memory while it keeps up ([`Tail`]), from the
//!   segments when it lags, never a queue.
//! - Death: the store keeps the checkpoint; the next start goes on there. A store that another engine took over, or that
//!   was set back to an older copy, ends the process. A store that is not what the engine left there stops the writer with an error
//!   for the operator; orders are taken on, and the journal keeps them. A store that refuses the data is asked by halves
//!   until the record is found ([`Bisection`]); that one is parked, and the rest goes on.

mod bisection;
mod parking;
mod source;

use crate::boot::name_thread;
use crate::doorbell::{Doorbell, Ring};
use crate::failure::Failure;
use crate::idempotency::IdempotencyTable;
use crate::parked::{ParkedEvents, Subject};
use crate::recent::BacklogIndex;
use crate::reply::tell;
use crate::tail::Tail;
use actix::prelude::*;
pub use source::{BATCH_LINES_MAX, BATCH_RECORDS_MAX};

use bisection::Bisection;
use floodgate_persistence::journal::{JournalError, JournalHandle};
use floodgate_persistence::model::Timestamp;
use floodgate_persistence::store::{Store, StoreError, WriteBatch};
use parking::Parking;
use parking_lot::Mutex;
use source::Source;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// First wait after a failed batch; doubled with each further failure.
const RETRY_FIRST: Duration = Duration::from_millis(100);

/// Longest wait between two tries.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// How the writer stands, for everybody to read.
pub struct WriterFigures {
    /// All records up to here are in the store.
    pub checkpoint: watch::Sender<u64>,
    /// Time of the oldest record that is not in the store, as far as known; in ms since 1970. 0: none.
    pub oldest_ms: AtomicU64,
    /// Since when the store takes nothing, and what it said last; `None`: it took the last batch.
    pub failing: Mutex<Option<(Instant, String)>>,
    /// What it does.
    pub state: Mutex<WriterState>,
    /// Batches written since the start.
    pub batches: AtomicU64,
    /// Orders written since the start.
    pub orders: AtomicU64,
    /// Tries that failed since the start.
    pub retries: AtomicU64,
}

/// What the writer does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriterState {
    /// Everything is in the store.
    #[default]
    Idle,
    /// A batch is under way.
    Writing,
    /// The store did not take the last try.
    Retrying(String),
    /// It does not go on; the journal keeps what follows.
    Stopped(String),
}

impl WriterFigures {
    /// With a store at `checkpoint`.
    pub fn new(checkpoint: u64) -> Arc<Self> {
        Arc::new(Self {
            checkpoint: watch::Sender::new(checkpoint),
            oldest_ms: AtomicU64::new(0),
            failing: Mutex::default(),
            state: Mutex::default(),
            batches: AtomicU64::new(0),
            orders: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        })
    }

    /// All records up to here are in the store.
    pub fn checkpoint_seq(&self) -> u64 {
        *self.checkpoint.borrow()
    }

    /// For how long the store has taken nothing, and why.
    pub fn trouble(&self) -> Option<(Duration, String)> {
        self.failing.lock().as_ref().map(|(since, why)| (since.elapsed(), why.clone()))
    }
}

/// What the writer works with.
pub struct WriterParts {
    /// Where it writes.
    pub store: Arc<dyn Store>,
    /// Where it reads when it keeps up.
    pub tail: Arc<Tail>,
    /// Where it reads when it lags.
    pub journal: JournalHandle,
    /// Told what the store has.
    pub backlog: Arc<BacklogIndex>,
    /// Asked which keys are out of the window.
    pub keys: Arc<IdempotencyTable>,
    /// Wakes it.
    pub bell: Arc<Doorbell>,
    /// Told when another engine took the store over.
    pub failure: Arc<Failure>,
    /// How it stands.
    pub figures: Arc<WriterFigures>,
    /// What is parked.
    pub parked: Arc<ParkedEvents>,
    /// This engine's fencing number.
    pub epoch: u64,
}

/// What is written next, and who waits for it.
struct Job {
    batch: WriteBatch,
    retry: Option<oneshot::Sender<RetryOutcome>>,
}

/// The actor.
pub struct WriteBehind {
    parts: Arc<WriterParts>,
    source: Option<Source>,
    /// To be tried again exactly as it is: its commit may have been done.
    again: Option<Job>,
    /// The next batch, built while the last one is being sent.
    ahead: Option<WriteBatch>,
    /// Retries of parked events that wait for their turn.
    asked: Vec<RetryParked>,
    bisection: Bisection,
    parking: Parking,
    busy: bool,
    retry_wait: Duration,
}

impl WriteBehind {
    /// Goes on after the checkpoint.
    pub fn new(parts: WriterParts) -> Self {
        let parts = Arc::new(parts);
        let source =
            Source::new(parts.figures.checkpoint_seq(), Arc::clone(&parts.tail), parts.journal.clone());
        Self {
            source: Some(source),
            again: None,
            ahead: None,
            asked: Vec::new(),
            bisection: Bisection::default(),
            parking: Parking::new(Arc::clone(&parts.parked)),
            busy: false,
            retry_wait: RETRY_FIRST,
            parts,
        }
    }

    /// Begins the next batch, if there is something to write and nothing under way.
    fn go_on(&mut self, ctx: &mut Context<Self>) {
        if self.busy || matches!(*self.parts.figures.state.lock(), WriterState::Stopped(_)) {
            return;
        }
        let Some(job) = self.next_job(ctx) else { return };
        self.busy = true;
        self.set_state(WriterState::Writing);
        let store = Arc::clone(&self.parts.store);
        self.parking.announce(&job.batch);
        // What follows a retry depends on whether it succeeds.
        if !job.batch.is_retry() {
            self.build_ahead();
        }
        let write = async move {
            let result = store.apply(&job.batch).await;
            (job, result)
        };
        ctx.spawn(write.into_actor(self).map(|(job, result), actor, ctx| actor.wrote(job, result, ctx)));
    }

    fn next_job(&mut self, ctx: &mut Context<Self>) -> Option<Job> {
        if let Some(job) = self.again.take().or_else(|| self.next_retry()) {
            return Some(job);
        }
        let batch = match self.ahead.take() {
            Some(batch) => Some(batch),
            None => self.read_batch(ctx),
        };
        let oldest = batch.as_ref().map(|batch| batch.events.first().map_or(batch.at, |event| event.at));
        let oldest_ms = oldest.map_or(0, |at| at.0.try_into().unwrap_or(0));
        self.parts.figures.oldest_ms.store(oldest_ms, Ordering::Relaxed);
        batch.map(|batch| Job { batch, retry: None })
    }

    /// The next parked subject that somebody wants written. What was built ahead may park later events of it: that is
    /// built again afterwards.
    fn next_retry(&mut self) -> Option<Job> {
        while let Some(RetryParked { seq, done }) = self.asked.pop() {
            let Some(event) = self.parts.parked.get(seq) else {
                tell(done, RetryOutcome::Unknown);
                continue;
            };
            let checkpoint = self.parts.figures.checkpoint_seq();
            self.build_again_from(checkpoint);
            let mut batch = WriteBatch::new(checkpoint, self.parts.epoch);
            for event in self.parts.parked.of(Subject::of(&event.record)) {
                batch.unpark(&event.record);
            }
            return Some(Job { batch, retry: Some(done) });
        }
        None
    }

    fn build_again_from(&mut self, seq: u64) {
        self.ahead = None;
        self.parking.forget_coming();
        if let Some(source) = self.source.as_mut() {
            source.rewind(seq);
        }
    }

    /// Reads the next records. A segment that cannot be opened now (no descriptors, say) may be opened later; damage
    /// stays.
    fn read_batch(&mut self, ctx: &mut Context<Self>) -> Option<WriteBatch> {
        let last = self.bisection.next().map_or(u64::MAX, |(_, to)| to);
        match self.source.as_mut()?.next_batch(self.parts.epoch, last, &mut self.parking) {
            Ok(Some(mut batch)) => {
                batch.forget_keys_to = self.parts.keys.forgotten_to();
                Some(batch)
            }
            Ok(None) => {
                self.set_state(WriterState::Idle);
                None
            }
            Err(error @ JournalError::Disk { .. }) => {
                self.wait_and_go_on(error.to_string(), ctx);
                None
            }
            Err(error) => {
                self.stop_writing(format!("the journal cannot be read: {error}"));
                None
            }
        }
    }

    /// The next batch is built while this one is on its way: the store works on threads of its own. What cannot be read
    /// now is tried again when it is needed.
    fn build_ahead(&mut self) {
        if self.ahead.is_some() || self.again.is_some() || self.bisection.next().is_some() {
            return;
        }
        let Some(source) = self.source.as_mut() else { return };
        if let Ok(Some(mut batch)) = source.next_batch(self.parts.epoch, u64::MAX, &mut self.parking) {
            batch.forget_keys_to = self.parts.keys.forgotten_to();
            self.ahead = Some(batch);
        }
    }

    fn wrote(&mut self, job: Job, result: Result<(), StoreError>, ctx: &mut Context<Self>) {
        self.busy = false;
        match result {
            Ok(()) => {
                self.retry_wait = RETRY_FIRST;
                self.advance(job);
                self.go_on(ctx);
            }
            Err(StoreError::Unavailable(why)) => {
                self.again = Some(job);
                self.wait_and_go_on(why, ctx);
            }
            Err(StoreError::Refused(why)) => {
                match job.retry {
                    Some(done) => tell(done, RetryOutcome::Refused(why)),
                    None => self.refused(&job.batch, &why),
                }
                self.go_on(ctx);
            }
            // A store that was set back is written again from the journal by the next start, as after a crash: what
            // memory holds goes with the checkpoint that is gone. One that is another engine's is left alone.
            Err(error @ (StoreError::Fenced(_) | StoreError::Behind { .. })) => {
                self.stop_writing(error.to_string());
                self.parts.failure.fail(&error.to_string());
            }
            Err(error) => self.stop_writing(error.to_string()),
        }
    }

    /// Nothing of the batch is in the store. It is halved down to the record, and that one is parked; what the database
    /// does not even take without its rows is beyond us.
    fn refused(&mut self, batch: &WriteBatch, why: &str) {
        self.parking.withdraw(batch);
        self.build_again_from(batch.from);
        self.bisection.refused((batch.from, batch.to));
        if batch.to - batch.from > 1 {
            return;
        }
        let parked = if self.parking.is_refused(batch.to) || !batch.parked.is_empty() {
            Err(format!("the database refuses event {} even without its rows: {why}", batch.to))
        } else {
            self.parking.refuse(batch.to, why)
        };
        if let Err(why) = parked {
            self.stop_writing(why);
        }
    }

    fn advance(&mut self, Job { batch, retry }: Job) {
        self.parking.written(&batch);
        if let Some(done) = retry {
            tracing::info!(events = batch.unparked.len(), "parked events are written");
            tell(done, RetryOutcome::Written(batch.unparked));
            return;
        }
        self.bisection.written((batch.from, batch.to));
        let figures = &self.parts.figures;
        figures.batches.fetch_add(1, Ordering::Relaxed);
        figures.orders.fetch_add(batch.orders.len() as u64, Ordering::Relaxed);
        *figures.failing.lock() = None;
        figures.checkpoint.send_replace(batch.to);
        self.parts.backlog.forget_to(batch.to);
        self.parts.journal.release(batch.to);
    }

    fn wait_and_go_on(&mut self, why: String, ctx: &mut Context<Self>) {
        self.parts.figures.retries.fetch_add(1, Ordering::Relaxed);
        let wait = jittered(self.retry_wait);
        tracing::warn!(why, wait_s = wait.as_secs_f64(), "a batch is not in the store yet; trying again");
        let mut failing = self.parts.figures.failing.lock();
        let since = failing.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        *failing = Some((since, why.clone()));
        drop(failing);
        self.set_state(WriterState::Retrying(why));
        self.busy = true;
        self.retry_wait = (self.retry_wait * 2).min(RETRY_MAX);
        ctx.run_later(wait, |actor, ctx| {
            actor.busy = false;
            actor.go_on(ctx);
        });
    }

    fn stop_writing(&mut self, why: String) {
        tracing::error!(why, "the write-behind stopped; orders are kept in the journal");
        self.source = None;
        self.ahead = None;
        for RetryParked { done, .. } in self.asked.drain(..) {
            tell(done, RetryOutcome::NotNow);
        }
        self.set_state(WriterState::Stopped(why));
    }

    fn set_state(&self, state: WriterState) {
        *self.parts.figures.state.lock() = state;
    }
}

/// Between half and the whole of `wait`, so that several engines do not come back at once. Any clock noise will do.
fn jittered(wait: Duration) -> Duration {
    let noise = u32::try_from(Timestamp::now().0.rem_euclid(1000)).unwrap_or(0);
    wait / 2 + wait / 2 * noise / 1000
}

impl Actor for WriteBehind {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        name_thread("write-behind");
        self.parts.bell.connect(ctx.address().recipient());
        ctx.notify(Ring);
    }
}

impl Handler<Ring> for WriteBehind {
    type Result = ();

    fn handle(&mut self, _: Ring, ctx: &mut Self::Context) {
        self.parts.bell.quiet();
        self.go_on(ctx);
    }
}

/// Writes everything that is parked of the subject of this event, in order, and touches no stock.
#[derive(Message)]
#[rtype(result = "()")]
pub struct RetryParked {
    /// The parked event.
    pub seq: u64,
    /// Told what became of it.
    pub done: oneshot::Sender<RetryOutcome>,
}

/// What became of a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryOutcome {
    /// These are in the tables now.
    Written(Vec<u64>),
    /// The database still refuses, for this reason.
    Refused(String),
    /// Nothing is parked under this number.
    Unknown,
    /// The store is away, or the writer stopped.
    NotNow,
}

impl Handler<RetryParked> for WriteBehind {
    type Result = ();

    fn handle(&mut self, retry: RetryParked, ctx: &mut Self::Context) {
        if self.source.is_none() || self.again.is_some() {
            return tell(retry.done, RetryOutcome::NotNow);
        }
        self.asked.push(retry);
        self.go_on(ctx);
    }
}
