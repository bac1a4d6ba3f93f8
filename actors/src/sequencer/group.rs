//! A group under way: its frame, its records, and who waits for them.

use crate::api::{CheckoutOutcome, PlacedOrder, Unavailable};
use crate::journey::Journey;
use crate::phases::{Phase, Phases};
use crate::reply::{Answer, tell};
use floodgate_persistence::journal::FrameBuilder;
use floodgate_persistence::model::{Event, Record};
use floodgate_persistence::planted::{self, Planted};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Who waits for one or more records of a group.
pub enum Waiting {
    /// The next record is this journey's order.
    Order(Box<Journey>),
    /// The next `count` records are part of what one caller journals.
    Events { count: usize, gather: Arc<Mutex<Gather>> },
}

/// Records of one caller, which may lie in more than one group.
pub struct Gather {
    records: Vec<Record>,
    total: usize,
    done: Option<oneshot::Sender<Arc<Vec<Record>>>>,
}

/// A group: its frame, its records, and who waits for them.
pub struct Building {
    /// Its bytes.
    pub frame: FrameBuilder,
    /// Its records.
    pub records: Vec<Record>,
    /// In the order of the records.
    pub waiting: Vec<Waiting>,
}

/// The records are durable: tells everybody who waits for them.
pub fn answer(records: &[Record], waiting: Vec<Waiting>, phases: &Phases) {
    let mut records = records;
    for waiting in waiting {
        let count = match &waiting {
            Waiting::Events { count, .. } => *count,
            Waiting::Order(_) => 1,
        };
        let (mine, rest) = records.split_at(count);
        records = rest;
        match waiting {
            Waiting::Events { gather, .. } => gather.lock().add(mine),
            Waiting::Order(mut journey) => {
                journey.taken.clear();
                let [Record { seq, at, event: Event::OrderPlaced(order) }] = mine else {
                    unreachable!("a journey waits for its order");
                };
                let placed = PlacedOrder { order: Arc::clone(order), seq: *seq, at: *at, replayed: false };
                journey.lap(phases, Phase::Journal);
                journey.answer(Answer::Checkout(CheckoutOutcome::Placed(placed)));
            }
        }
    }
}

impl Gather {
    /// A collector of `total` records for `done`.
    pub fn new(total: usize, done: oneshot::Sender<Arc<Vec<Record>>>) -> Self {
        Self { records: Vec::new(), total, done: Some(done) }
    }

    fn add(&mut self, records: &[Record]) {
        self.records.extend_from_slice(records);
        if self.records.len() == self.total
            && let Some(done) = self.done.take()
        {
            tell(done, Arc::new(std::mem::take(&mut self.records)));
        }
    }
}

impl Building {
    /// An empty group.
    pub fn new(frame: FrameBuilder) -> Self {
        Self { frame, records: Vec::new(), waiting: Vec::new() }
    }

    /// The journal is gone: nobody knows whether the records are in it.
    pub fn outcome_unknown(self) {
        for waiting in self.waiting {
            if let Waiting::Order(journey) = waiting {
                let refused = CheckoutOutcome::Unavailable(Unavailable::JournalUnavailable);
                let wrong = planted::is(Planted::UnknownToldAsRefused).then_some(refused);
                journey.answer(Answer::Checkout(wrong.unwrap_or(CheckoutOutcome::Unknown)));
            }
        }
    }
}
