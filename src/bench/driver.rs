//! The load: one thread that sends carts in and takes answers out, without a runtime.
//!
//! Closed loop: the next cart when one is answered. Open loop: carts at fixed times, latency from the time at which a
//! cart should have gone, so that a stalled engine cannot hide behind a stalled load.

use super::books::{Acknowledged, Answered};
use super::carts::Carts;
use super::letters::Letters;
use super::settings::{BenchError, Pace};
use super::threads::CpuTimes;
use floodgate_actors::{Answer, CheckoutOutcome, Engine, PlacedOrder, Port, ReplySink, ReplyTo};
use hdrhistogram::Histogram;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Carts sent between two looks at the clock.
const SENDS_A_CLOCK: u32 = 16;

/// Of so many answers one is kept whole for the audit.
const SAMPLE_EVERY: u64 = 64;

/// Pause after the engine had no room.
const SHED_PAUSE: Duration = Duration::from_millis(1);

/// Longest sleep without an answer, so that the end of the time is not slept through.
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// How long the last answers may take.
const DRAIN_WITHIN: Duration = Duration::from_secs(20);

/// Slots of the open loop: more than this under way is shed.
const OPEN_SLOTS: usize = 60_000;

/// What came of a load.
pub struct Outcome {
    /// What was answered as placed.
    pub acknowledged: Acknowledged,
    /// Orders answered in the measured time.
    pub orders: u64,
    /// Carts sent, or wanted to be sent, in the measured time.
    pub offered: u64,
    /// When the measured time began.
    pub began: Instant,
    /// When it ended.
    pub ended: Instant,
    /// CPU time of it.
    pub cpu: CpuTimes,
    /// Nanoseconds to the answer, of all carts sent in the measured time.
    pub latency: Histogram<u64>,
    /// Nanoseconds by which the load itself was late.
    pub lateness: Histogram<u64>,
    /// Times the engine had no room.
    pub shed: u64,
    /// Answers other than placed.
    pub not_placed: u64,
}

/// A cart under way.
#[derive(Clone, Copy)]
struct Slot {
    number: u64,
    sent: Instant,
}

/// Where the load stands.
enum Phase {
    Warming { until: Instant },
    Measuring { until: Instant, cpu: CpuTimes, orders: u64 },
    Draining { until: Instant },
}

/// The load.
pub struct Driver {
    engine: Engine,
    port: Port,
    carts: Carts,
    pace: Pace,
    letters: Arc<Letters>,
    sink: Arc<dyn ReplySink>,
    slots: Vec<Slot>,
    free: Vec<u64>,
    next_number: u64,
    clock: Instant,
    sends: u32,
    phase: Phase,
    measure: Duration,
    /// When the open loop began.
    origin: Instant,
    /// Carts of the open loop whose time has come.
    due: u64,
    outcome: Outcome,
}

impl Driver {
    /// For the thread that calls this.
    pub fn new(
        engine: Engine,
        port: Port,
        carts: Carts,
        pace: Pace,
        measure: Duration,
    ) -> Result<Self, BenchError> {
        let now = Instant::now();
        let letters = Arc::new(Letters::new());
        let slots = match pace {
            Pace::Closed { in_flight } => in_flight,
            Pace::Open { .. } => OPEN_SLOTS,
        };
        Ok(Self {
            engine,
            port,
            carts,
            pace,
            sink: Arc::clone(&letters) as Arc<dyn ReplySink>,
            letters,
            slots: vec![Slot { number: 0, sent: now }; slots],
            free: (0..slots as u64).rev().collect(),
            next_number: 0,
            clock: now,
            sends: 0,
            phase: Phase::Warming { until: now + measure / 4 },
            measure,
            origin: now,
            due: 0,
            outcome: Outcome::empty(now)?,
        })
    }

    /// Runs to its end: everything sent is answered.
    pub fn run(mut self) -> Result<Outcome, BenchError> {
        let mut arrived = Vec::with_capacity(self.slots.len());
        loop {
            self.clock = Instant::now();
            self.go_on()?;
            let pause = self.send();
            self.letters.take(&mut arrived);
            if !arrived.is_empty() {
                self.clock = Instant::now();
                arrived.drain(..).for_each(|(token, answer)| self.settle(token, answer));
                continue;
            }
            match self.phase {
                Phase::Draining { .. } if self.under_way() == 0 => return Ok(self.outcome),
                Phase::Draining { until } if self.clock > until => {
                    return Err(BenchError::Stuck { under_way: self.under_way(), waited: DRAIN_WITHIN });
                }
                _ => std::thread::park_timeout(pause),
            }
        }
    }

    fn under_way(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Goes on to the next phase when its time has come.
    fn go_on(&mut self) -> Result<(), BenchError> {
        let now = self.clock;
        match &self.phase {
            Phase::Warming { until } if now >= *until => {
                let cpu = CpuTimes::read()?;
                self.outcome.began = now;
                self.outcome.offered = 0;
                let orders = self.outcome.acknowledged.count();
                self.phase = Phase::Measuring { until: now + self.measure, cpu, orders };
            }
            Phase::Measuring { until, cpu, orders } if now >= *until => {
                self.outcome.cpu = CpuTimes::read()?.since(cpu);
                self.outcome.orders = self.outcome.acknowledged.count() - orders;
                self.outcome.ended = now;
                self.phase = Phase::Draining { until: now + DRAIN_WITHIN };
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends what is to be sent now; how long nothing need be done after it.
    fn send(&mut self) -> Duration {
        match (&self.phase, self.pace) {
            (Phase::Draining { .. }, _) => PAUSE_MAX,
            (_, Pace::Closed { .. }) => self.send_closed(),
            (_, Pace::Open { per_second }) => self.send_open(per_second.max(1)),
        }
    }

    fn send_closed(&mut self) -> Duration {
        while let Some(slot) = self.free.pop() {
            self.tick();
            if !self.submit(slot, self.clock) {
                self.free.push(slot);
                return SHED_PAUSE;
            }
            self.outcome.offered += 1;
        }
        PAUSE_MAX
    }

    fn send_open(&mut self, per_second: u64) -> Duration {
        loop {
            let nanos = u128::from(self.due) * 1_000_000_000 / u128::from(per_second);
            let intended = self.origin + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            if intended > self.clock {
                return (intended - self.clock).min(PAUSE_MAX);
            }
            self.tick();
            self.due += 1;
            self.outcome.offered += 1;
            let late = (self.clock - intended).as_nanos();
            self.outcome.lateness.saturating_record(u64::try_from(late).unwrap_or(u64::MAX));
            match self.free.pop() {
                Some(slot) if self.submit(slot, intended) => {}
                Some(slot) => self.free.push(slot),
                None => self.outcome.shed += 1,
            }
        }
    }

    /// Reading the clock for each cart would be a good part of the load's own cost.
    fn tick(&mut self) {
        self.sends += 1;
        if self.sends.is_multiple_of(SENDS_A_CLOCK) {
            self.clock = Instant::now();
        }
    }

    /// Sends the next cart; `false` where there is no room for it.
    fn submit(&mut self, slot: u64, sent: Instant) -> bool {
        let Ok(permit) = self.engine.admit(1) else {
            self.outcome.shed += 1;
            return false;
        };
        let number = self.next_number;
        self.next_number += 1;
        if let Some(place) = usize::try_from(slot).ok().and_then(|slot| self.slots.get_mut(slot)) {
            *place = Slot { number, sent };
        }
        let reply = ReplyTo::new(Arc::clone(&self.sink), slot);
        self.port.submit(self.carts.command(number), permit, reply);
        true
    }

    fn settle(&mut self, token: u64, answer: Answer) {
        let Some(slot) = usize::try_from(token).ok().and_then(|token| self.slots.get(token)).copied() else {
            return;
        };
        self.free.push(token);
        if !matches!(self.phase, Phase::Warming { .. }) && slot.sent >= self.outcome.began {
            let took = self.clock.saturating_duration_since(slot.sent).as_nanos();
            self.outcome.latency.saturating_record(u64::try_from(took).unwrap_or(u64::MAX));
        }
        match answer {
            Answer::Checkout(CheckoutOutcome::Placed(placed)) => {
                self.outcome.acknowledge(slot.number, &placed);
            }
            Answer::Checkout(_) | Answer::Quote(_) => self.outcome.not_placed += 1,
        }
    }
}

impl Outcome {
    fn empty(now: Instant) -> Result<Self, BenchError> {
        let histogram = || {
            Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)
                .map_err(|error| BenchError::Settings(format!("no histogram: {error}")))
        };
        Ok(Self {
            acknowledged: Acknowledged::default(),
            orders: 0,
            offered: 0,
            began: now,
            ended: now,
            cpu: CpuTimes::default(),
            latency: histogram()?,
            lateness: histogram()?,
            shed: 0,
            not_placed: 0,
        })
    }

    /// Looking into the order costs a cache miss, so that is done for a sample only.
    fn acknowledge(&mut self, number: u64, placed: &PlacedOrder) {
        self.acknowledged.add(number);
        if number.is_multiple_of(SAMPLE_EVERY) {
            let (order_id, total) = (placed.order.order_id, placed.order.total);
            self.acknowledged.keep(Answered { number, order_id, total, seq: placed.seq });
        }
    }
}
