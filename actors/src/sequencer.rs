//! **The journal thread**: the one place that knows the order of things.
//!
//! - Owns: the next sequence, order id and invoice numbers, the time, the group under construction.
//! - Hears: priced journeys from the shards, changes from the catalogue, finished syncs from the disk thread.
//! - Tells, when a group is durable and in this order: recent orders, burnt keys, the memory tail (from which the
//!   write-behind reads), the order book, the shards, and last the reply sinks.
//! - Bound: its channel holds what admission lets in; one group is being built while one is being synced.
//! - Death: the first failed write or sync poisons the journal; everybody who waits is told that the outcome is
//!   unknown, and the process ends. A panic ends the process.
//!
//! Smart batching: a group is whatever arrived while the last one was being synced; no timer ever holds one back.
//! The disk has a thread of its own ([`disk`]) only so that the next group is built, and the last one published, while
//! a sync is under way; there is one sync stream.

mod disk;
mod group;
mod numbers;

pub use numbers::Numbers;

use crate::admission::Admission;
use crate::api::CheckoutOutcome;
use crate::doorbell::Doorbell;
use crate::failure::Failure;
use crate::idempotency::IdempotencyTable;
use crate::journey::Journey;
use crate::recent::{BacklogIndex, RecentOrders};
use crate::reply::{Answer, tell};
use crate::shard::hot::Slot;
use crate::shard::{ShardInput, Surroundings};
use crate::tail::{Group, Tail};
use crossbeam_channel::{Receiver, Sender, select};
use disk::{Disk, Done};
use floodgate_persistence::journal::{FrameBuilder, FramePosition, JournalError, JournalHandle, Writer};
use floodgate_persistence::model::{Event, OrderPlaced, Record, Timestamp};
use floodgate_persistence::planted::{self, Planted};
use group::{Building, Gather, Waiting, answer};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// Most events of one group: bounds the memory of the two buffers and the work of publishing.
const GROUP_EVENTS_MAX: usize = 16 * 1024;

/// Most bytes of one group's frame, well below the limit of the format and of a segment.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How often the journal's room is looked at when nothing happens, so that shedding ends once there is room again.
const ROOM_CHECK: Duration = Duration::from_millis(100);

/// A journey that became an order, but for what the journal gives it.
pub struct PricedJourney {
    /// The journey, with what it took and where its answer goes.
    pub journey: Box<Journey>,
    /// The order; nobody else has it yet.
    pub order: Arc<OrderPlaced>,
}

/// What the journal thread hears.
pub enum JournalInput {
    /// Orders to place.
    Orders(Vec<PricedJourney>),
    /// Other events, to be journalled together; answered with their records when they are durable. The answer is
    /// dropped when the journal fails.
    Events(Vec<Event>, oneshot::Sender<Arc<Vec<Record>>>),
    /// Run between two groups, with the last durable sequence; must not block.
    Mark(Box<dyn FnOnce(u64) + Send>),
    /// Hash over the counters.
    StateHash(oneshot::Sender<u64>),
    /// Sync what came before, then end.
    Stop,
}

/// The way to the journal thread.
#[derive(Clone)]
pub struct JournalDoor {
    inbox: Sender<JournalInput>,
}

impl JournalDoor {
    /// A door, and what the thread takes out of it.
    pub fn new() -> (Self, Receiver<JournalInput>) {
        let (inbox, outbox) = crossbeam_channel::unbounded();
        (Self { inbox }, outbox)
    }

    /// Hands something in. Never blocks. The thread outlives all who send, but for the end of the process.
    pub fn send(&self, input: JournalInput) {
        if let Err(refused) = self.inbox.send(input)
            && let JournalInput::Orders(orders) = refused.0
        {
            orders.into_iter().for_each(PricedJourney::outcome_unknown);
        }
    }
}

/// What the journal thread tells when a group is durable.
pub struct Audience {
    /// The newest orders.
    pub recent: Arc<RecentOrders>,
    /// Where unpersisted orders lie.
    pub backlog: Arc<BacklogIndex>,
    /// Burnt keys.
    pub keys: Arc<IdempotencyTable>,
    /// The newest records.
    pub tail: Arc<Tail>,
    /// Wakes the write-behind.
    pub writer_bell: Arc<Doorbell>,
    /// The order book's channel.
    pub book: Sender<Arc<Group>>,
    /// Wakes the order book.
    pub book_bell: Arc<Doorbell>,
    /// The shards.
    pub around: Arc<Surroundings>,
    /// Told how much room the journal has.
    pub admission: Arc<Admission>,
    /// Told when the journal fails.
    pub failure: Arc<Failure>,
    /// Figures.
    pub figures: Arc<JournalFigures>,
}

/// Figures of the journal thread, for `/admin/status` and metrics.
#[derive(Default)]
pub struct JournalFigures {
    /// Groups synced since the start.
    pub groups: AtomicU64,
    /// Events journalled since the start.
    pub events: AtomicU64,
    /// Bytes of frames written since the start.
    pub bytes: AtomicU64,
    /// Duration of the last write and sync, in microseconds.
    pub last_sync_us: AtomicU64,
    /// Sum of the durations of all writes and syncs, in microseconds.
    pub sync_us_sum: AtomicU64,
}

/// The thread.
pub struct Sequencer {
    inbox: Receiver<JournalInput>,
    disk: Disk<Building>,
    journal: JournalHandle,
    numbers: Numbers,
    next_seq: u64,
    last_at: Timestamp,
    building: Building,
    spare: Option<Building>,
    disk_busy: bool,
    stopping: bool,
    audience: Audience,
    settled: Vec<Vec<(Slot, u32)>>,
    /// Most bytes of a frame's body.
    frame_max: usize,
}

/// What the journal thread begins with.
pub struct SequencerStart {
    /// Appends to the journal.
    pub writer: Writer,
    /// Time of the last record.
    pub last_at: Timestamp,
    /// Counters of ids and invoice series.
    pub numbers: Numbers,
    /// Most bytes of a frame's body.
    pub frame_max: usize,
    /// The interval of a lazy sync mode.
    pub sync_idle: Option<Duration>,
}

impl Sequencer {
    /// Ready to run; starts the disk thread.
    pub fn new(
        start: SequencerStart,
        inbox: Receiver<JournalInput>,
        audience: Audience,
    ) -> std::io::Result<Self> {
        let shards = audience.around.shards.len();
        Ok(Self {
            inbox,
            journal: start.writer.handle(),
            building: Building::new(start.writer.frame_builder()),
            spare: Some(Building::new(start.writer.frame_builder())),
            next_seq: start.writer.next_seq(),
            disk: Disk::start(start.writer, start.sync_idle)?,
            numbers: start.numbers,
            last_at: start.last_at,
            disk_busy: false,
            stopping: false,
            settled: vec![Vec::new(); shards],
            frame_max: start.frame_max,
            audience,
        })
    }

    /// Runs until it is told to stop and everything is synced, or the journal fails. Returns the writer, and with it
    /// the journal's lock.
    pub fn run(mut self) -> Option<Writer> {
        self.look_at_room();
        while !(self.stopping && self.building.records.is_empty() && !self.disk_busy) {
            let room_for_more = self.has_room() && !self.stopping;
            let done = self.disk.done().clone();
            if room_for_more {
                let inbox = self.inbox.clone();
                select! {
                    recv(inbox) -> input => self.hear_all(input.unwrap_or(JournalInput::Stop)),
                    recv(done) -> result => self.synced(result.ok()),
                    default(ROOM_CHECK) => self.look_at_room(),
                }
            } else {
                let result = done.recv().ok();
                self.synced(result);
            }
            if self.audience.failure.has_failed() {
                return self.refuse_the_rest();
            }
            self.write_if_idle();
        }
        self.disk.finish()
    }

    fn has_room(&self) -> bool {
        let bytes_max = GROUP_BYTES_MAX.min(self.frame_max / 2);
        self.building.records.len() < GROUP_EVENTS_MAX && self.building.frame.bytes() < bytes_max
    }

    /// Takes what is there, up to the size of a group.
    fn hear_all(&mut self, first: JournalInput) {
        self.hear(first);
        while self.has_room() {
            match self.inbox.try_recv() {
                Ok(input) => self.hear(input),
                Err(_) => return,
            }
        }
    }

    fn hear(&mut self, input: JournalInput) {
        match input {
            JournalInput::Orders(orders) => {
                let at = self.clock();
                orders.into_iter().for_each(|priced| self.number(priced, at));
            }
            JournalInput::Events(events, done) => self.append_events(events, done),
            JournalInput::Mark(run) => run(self.audience.tail.durable_seq()),
            JournalInput::StateHash(reply) => tell(reply, self.numbers.state_hash()),
            JournalInput::Stop => self.stopping = true,
        }
    }

    /// Never before the last record's time, whatever the wall clock does.
    fn clock(&mut self) -> Timestamp {
        let least = if planted::is(Planted::ClockGoesBack) { Timestamp::default() } else { self.last_at };
        self.last_at = least.max(Timestamp::now());
        self.last_at
    }

    /// Gives an order its id, its invoice number and its times.
    fn number(&mut self, priced: PricedJourney, at: Timestamp) {
        let PricedJourney { journey, mut order } = priced;
        match Arc::get_mut(&mut order) {
            Some(order) => self.numbers.give(order, at),
            None => unreachable!("an order is not shared before it is journalled"),
        }
        self.append(at, Event::OrderPlaced(order));
        self.building.waiting.push(Waiting::Order(journey));
    }

    fn append_events(&mut self, events: Vec<Event>, done: oneshot::Sender<Arc<Vec<Record>>>) {
        let at = self.clock();
        let gather = Arc::new(Mutex::new(Gather::new(events.len(), done)));
        for event in events {
            self.append(at, event);
            match self.building.waiting.last_mut() {
                Some(Waiting::Events { count, gather: same }) if Arc::ptr_eq(same, &gather) => *count += 1,
                _ => self.building.waiting.push(Waiting::Events { count: 1, gather: Arc::clone(&gather) }),
            }
        }
    }

    fn append(&mut self, at: Timestamp, event: Event) {
        if self.building.records.is_empty() {
            self.building.frame.begin(self.next_seq);
        }
        match self.building.frame.push(at, &event) {
            Ok(_) => {
                self.building.records.push(Record { seq: self.next_seq, at, event });
                self.next_seq += 1;
            }
            Err(JournalError::FrameFull { .. }) => {
                self.make_room();
                self.append(at, event);
            }
            // The API's limits bound every event far below a frame: one that does not fit is a broken invariant.
            Err(error) => panic!("an event cannot be encoded: {error}"),
        }
    }

    /// The frame is full: hands it to the disk, waiting for the one before it.
    fn make_room(&mut self) {
        if self.disk_busy {
            let done = self.disk.done().recv().ok();
            // Hands the full group over, before it tells who waits for the one that is done.
            self.synced(done);
        } else {
            self.write_if_idle();
        }
        if self.audience.failure.has_failed() {
            // Nobody will be told that these are durable, and the process is ending.
            self.take_building().outcome_unknown();
        }
        self.building.frame.begin(self.next_seq);
    }

    fn write_if_idle(&mut self) {
        if self.disk_busy || self.building.records.is_empty() {
            return;
        }
        let Some(next) = self.spare.take() else { unreachable!("an idle disk has given its group back") };
        let group = std::mem::replace(&mut self.building, next);
        self.disk_busy = true;
        self.audience.admission.set_disk_busy(true);
        self.disk.write(group);
    }

    fn synced(&mut self, done: Option<Done<Building>>) {
        self.disk_busy = false;
        self.audience.admission.set_disk_busy(false);
        let Some(Done { group, result, took }) = done else {
            return self.audience.failure.fail("the journal's disk thread is gone");
        };
        match result {
            Ok(position) => {
                self.count(&group, took);
                let Building { mut frame, records, waiting } = group;
                // Emptied here, not when it is used again: a frame that looks full takes nothing in.
                frame.begin(0);
                self.spare = Some(Building::new(frame));
                self.write_if_idle();
                self.publish(records, waiting, position);
                self.look_at_room();
            }
            Err(error) => {
                // Whoever waits is told first: the failure ends the process.
                group.outcome_unknown();
                self.take_building().outcome_unknown();
                self.audience.failure.fail(&format!("the journal failed: {error}"));
                self.look_at_room();
            }
        }
    }

    fn count(&self, group: &Building, took: Duration) {
        let figures = &self.audience.figures;
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        figures.groups.fetch_add(1, Ordering::Relaxed);
        figures.events.fetch_add(group.records.len() as u64, Ordering::Relaxed);
        figures.bytes.fetch_add(group.frame.bytes() as u64, Ordering::Relaxed);
        figures.last_sync_us.store(took_us, Ordering::Relaxed);
        figures.sync_us_sum.fetch_add(took_us, Ordering::Relaxed);
    }

    fn look_at_room(&self) {
        let journal = &self.journal;
        self.audience.admission.set_journal_room(
            journal.ready_bytes(),
            journal.over_budget(),
            journal.is_poisoned(),
        );
        // Poisoned between two groups: by a segment that could not be retired, or by a lazy sync.
        if journal.is_poisoned() && !self.audience.failure.has_failed() {
            self.audience.failure.fail("the journal is poisoned");
        }
    }

    fn take_building(&mut self) -> Building {
        let mut empty = Building::new(FrameBuilder::new(self.frame_max));
        empty.frame.begin(self.next_seq);
        std::mem::replace(&mut self.building, empty)
    }

    /// The group is durable: tells everybody, the askers last.
    fn publish(&mut self, records: Vec<Record>, waiting: Vec<Waiting>, position: FramePosition) {
        let group = Arc::new(Group { position, records });
        let audience = &self.audience;
        audience.backlog.push(&group);
        audience.recent.push(&group);
        if !planted::is(Planted::KeyNotBurnt) {
            audience.keys.burn(&group.records);
        }
        audience.tail.push(Arc::clone(&group));
        if audience.book.send(Arc::clone(&group)).is_ok() {
            audience.book_bell.ring();
        }
        audience.writer_bell.ring();
        self.settle(&waiting);
        answer(&group.records, waiting);
    }

    fn settle(&mut self, waiting: &[Waiting]) {
        for waiting in waiting {
            let Waiting::Order(journey) = waiting else { continue };
            for taken in &journey.taken {
                if let Some(sold) = self.settled.get_mut(usize::from(taken.shard)) {
                    sold.push((taken.slot, taken.quantity));
                }
            }
        }
        for (sold, door) in self.settled.iter_mut().zip(&self.audience.around.shards) {
            if !sold.is_empty() {
                let capacity = sold.len();
                door.send(ShardInput::Settled(std::mem::replace(sold, Vec::with_capacity(capacity))));
            }
        }
    }

    /// After a failure: whoever waits or still comes is told that the outcome is unknown, until the process ends.
    fn refuse_the_rest(mut self) -> Option<Writer> {
        self.take_building().outcome_unknown();
        if self.disk_busy
            && let Ok(done) = self.disk.done().recv()
        {
            done.group.outcome_unknown();
        }
        while let Ok(input) = self.inbox.recv() {
            match input {
                JournalInput::Orders(orders) => orders.into_iter().for_each(PricedJourney::outcome_unknown),
                JournalInput::Events(..) | JournalInput::Mark(_) | JournalInput::StateHash(_) => {}
                JournalInput::Stop => break,
            }
        }
        self.disk.finish()
    }
}

impl PricedJourney {
    /// The journal is gone: the order may or may not be in it. The key stays claimed, so that nobody is told
    /// otherwise before the process ends.
    fn outcome_unknown(self) {
        self.journey.answer(Answer::Checkout(CheckoutOutcome::Unknown));
    }
}
