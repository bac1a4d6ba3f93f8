//! What a thread's users have seen.

use super::books::Acknowledged;
use super::settings::LoadError;
use super::timing::{Timing, add, histogram, micros};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// Slices of time that a run is cut into for its charts, at the most.
const SLICES_MAX: u32 = 240;

/// What a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Buys a cart.
    Checkout,
    /// Asks what it would cost.
    Quote,
    /// Looks at a product.
    Product,
    /// Reads the order that was placed last.
    Order,
    /// Reads the customer's list of orders.
    List,
}

impl Operation {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 5] = [Self::Checkout, Self::Quote, Self::Product, Self::Order, Self::List];

    /// The call.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checkout => "POST /v1/checkouts",
            Self::Quote => "POST /v1/quotes",
            Self::Product => "GET /v1/products/{id}",
            Self::Order => "GET /v1/orders/{id}",
            Self::List => "GET /v1/orders",
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it was meant.
    Answered,
    /// The engine said no, in good order: sold out, not sellable, not there.
    Refused,
    /// The engine had too much to do, and took nothing.
    Shed,
    /// Anything else.
    Failed,
}

impl Ending {
    /// Of a status.
    pub const fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Answered,
            402 | 404 | 409 | 422 => Self::Refused,
            429 | 503 => Self::Shed,
            _ => Self::Failed,
        }
    }
}

/// How many requests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// As they were meant.
    pub answered: u64,
    /// With a refusal.
    pub refused: u64,
    /// With 429 or 503.
    pub shed: u64,
    /// Otherwise.
    pub failed: u64,
}

impl Counts {
    fn count(&mut self, ending: Ending) {
        match ending {
            Ending::Answered => self.answered += 1,
            Ending::Refused => self.refused += 1,
            Ending::Shed => self.shed += 1,
            Ending::Failed => self.failed += 1,
        }
    }

    /// Takes another's in.
    pub const fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.refused += other.refused;
        self.shed += other.shed;
        self.failed += other.failed;
    }

    /// All of them.
    pub const fn total(&self) -> u64 {
        self.answered + self.refused + self.shed + self.failed
    }
}

/// A piece of the run's time.
#[derive(Clone)]
pub struct Slice {
    /// Requests that were due in it.
    pub counts: Counts,
    /// Their latency from when they were due.
    pub due: Histogram<u64>,
}

/// A request that ended.
pub struct Ended<'a> {
    /// What was asked.
    pub operation: Operation,
    /// How it ended.
    pub ending: Ending,
    /// Status (0: no answer) and code, unless it was answered.
    pub code: Option<(u16, &'a str)>,
    /// When it was due, from the start of the run.
    pub due_at: Duration,
    /// Time from then to the end.
    pub since_due: Duration,
    /// Time from the sending to the end.
    pub since_sent: Duration,
}

/// All of it.
#[derive(Clone)]
pub struct Tally {
    /// By operation.
    pub timings: BTreeMap<Operation, Timing>,
    /// By operation.
    pub counts: BTreeMap<Operation, Counts>,
    /// By operation, status and code: whatever was not answered as it was meant.
    pub codes: BTreeMap<(Operation, u16, String), u64>,
    /// By time.
    pub slices: Vec<Slice>,
    /// Length of a slice.
    pub slice: Duration,
    /// Since somebody last looked: for the progress.
    pub recent: Slice,
    /// Orders that were acknowledged.
    pub acknowledged: Vec<Acknowledged>,
    /// Checkouts whose outcome is not known: user and number of the cart.
    pub unresolved: Vec<(u32, u32)>,
    /// Requests that were due and could not be sent before the end.
    pub unsent: u64,
}

impl Tally {
    /// Of a run that lasts so long.
    pub fn new(duration: Duration) -> Result<Self, LoadError> {
        let slice = (duration / SLICES_MAX).max(Duration::from_secs(1));
        let slices = duration.as_millis().div_ceil(slice.as_millis().max(1));
        let empty = Slice { counts: Counts::default(), due: histogram(2)? };
        let mut timings = BTreeMap::new();
        for operation in Operation::ALL {
            timings.insert(operation, Timing::new()?);
        }
        Ok(Self {
            timings,
            counts: Operation::ALL.into_iter().map(|operation| (operation, Counts::default())).collect(),
            codes: BTreeMap::new(),
            slices: vec![empty.clone(); usize::try_from(slices).unwrap_or(1)],
            slice,
            recent: empty,
            acknowledged: Vec::new(),
            unresolved: Vec::new(),
            unsent: 0,
        })
    }

    /// One more request.
    pub fn ended(&mut self, ended: &Ended<'_>) {
        let latency = micros(ended.since_due);
        if let Some(timing) = self.timings.get_mut(&ended.operation) {
            timing.record(ended.since_due, ended.since_sent);
        }
        if let Some(counts) = self.counts.get_mut(&ended.operation) {
            counts.count(ended.ending);
        }
        if let Some((status, code)) = ended.code {
            *self.codes.entry((ended.operation, status, code.to_owned())).or_default() += 1;
        }
        let place = ended.due_at.as_millis() / self.slice.as_millis().max(1);
        let slice = usize::try_from(place).ok().and_then(|place| self.slices.get_mut(place));
        for slice in slice.into_iter().chain([&mut self.recent]) {
            slice.counts.count(ended.ending);
            slice.due.saturating_record(latency);
        }
    }

    /// What came since the last look.
    pub fn take_recent(&mut self) -> Slice {
        let taken = self.recent.clone();
        self.recent.counts = Counts::default();
        self.recent.due.reset();
        taken
    }

    /// Takes another thread's in.
    pub fn add(&mut self, mut other: Self) {
        for (operation, timing) in &mut self.timings {
            other.timings.get(operation).into_iter().for_each(|more| timing.add(more));
        }
        for (operation, counts) in &mut self.counts {
            other.counts.get(operation).into_iter().for_each(|more| counts.add(more));
        }
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        for (slice, more) in self.slices.iter_mut().zip(&other.slices) {
            slice.counts.add(&more.counts);
            add(&mut slice.due, &more.due);
        }
        self.acknowledged.append(&mut other.acknowledged);
        self.unresolved.append(&mut other.unresolved);
        self.unsent += other.unsent;
    }
}
