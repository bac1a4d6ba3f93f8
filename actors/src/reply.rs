//! How an answer finds its way back: an order knows a sink and a token, never a future. Nobody's hanging up can
//! cancel it.

use crate::api::{CheckoutOutcome, QuoteOutcome};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::{Notify, oneshot};

/// Tells one who may have gone away in the meantime; then nobody is left to care.
pub fn tell<T>(waiter: oneshot::Sender<T>, what: T) {
    drop(waiter.send(what).err());
}

/// The answer to a travelling cart.
pub enum Answer {
    /// To a checkout.
    Checkout(CheckoutOutcome),
    /// To a quote.
    Quote(QuoteOutcome),
}

/// Takes answers, from any thread, without blocking.
pub trait ReplySink: Send + Sync {
    /// Hands over the answer to the request that was given `token`.
    fn deliver(&self, token: u64, answer: Answer);
}

/// Where the answer to one request goes.
pub struct ReplyTo {
    sink: Arc<dyn ReplySink>,
    token: u64,
}

impl ReplyTo {
    /// To `sink`, as `token`.
    pub fn new(sink: Arc<dyn ReplySink>, token: u64) -> Self {
        Self { sink, token }
    }

    /// Answers.
    pub fn deliver(self, answer: Answer) {
        self.sink.deliver(self.token, answer);
    }
}

/// The answers for one worker: put in by any thread, taken out by the worker in batches with one wake-up.
#[derive(Default)]
pub struct Letterbox {
    letters: Mutex<Vec<(u64, Answer)>>,
    arrived: Notify,
}

impl ReplySink for Letterbox {
    fn deliver(&self, token: u64, answer: Answer) {
        let mut letters = self.letters.lock();
        let was_empty = letters.is_empty();
        letters.push((token, answer));
        drop(letters);
        if was_empty {
            self.arrived.notify_one();
        }
    }
}

/// Who waits for an answer.
enum Waiter {
    One(oneshot::Sender<Answer>),
    PartOf { batch: Arc<Mutex<Batch>>, place: usize },
}

struct Batch {
    answers: Vec<Option<Answer>>,
    missing: usize,
    done: Option<oneshot::Sender<Vec<Option<Answer>>>>,
}

/// A worker's side of its letterbox.
#[derive(Default)]
pub struct Waiters {
    box_: Arc<Letterbox>,
    waiting: Mutex<Slots>,
}

/// Waiters by token. A token is a slot and the slot's turn, so that a late answer cannot meet the next user of the
/// slot.
#[derive(Default)]
struct Slots {
    slots: Vec<(u32, Option<Waiter>)>,
    free: Vec<u32>,
}

impl Slots {
    fn add(&mut self, waiter: Waiter) -> u64 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let Some((turn, place)) = self.slots.get_mut(slot as usize) else { return u64::MAX };
        *place = Some(waiter);
        (u64::from(*turn) << 32) | u64::from(slot)
    }

    fn remove(&mut self, token: u64) -> Option<Waiter> {
        let (turn, slot) = ((token >> 32) as u32, token & 0xffff_ffff);
        let (current, place) = self.slots.get_mut(usize::try_from(slot).ok()?)?;
        if *current != turn {
            return None;
        }
        *current = current.wrapping_add(1);
        self.free.push(u32::try_from(slot).ok()?);
        place.take()
    }
}

impl Waiters {
    /// A reply address and the future answer for one request.
    pub fn one(&self) -> (ReplyTo, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let token = self.waiting.lock().add(Waiter::One(sender));
        (ReplyTo::new(self.sink(), token), receiver)
    }

    /// Reply addresses and the future answers, in the same order, for `count` requests.
    pub fn batch(&self, count: usize) -> (Vec<ReplyTo>, oneshot::Receiver<Vec<Option<Answer>>>) {
        let (sender, receiver) = oneshot::channel();
        let answers = (0..count).map(|_| None).collect();
        let batch = Arc::new(Mutex::new(Batch { answers, missing: count, done: Some(sender) }));
        let mut waiting = self.waiting.lock();
        let replies = (0..count)
            .map(|place| waiting.add(Waiter::PartOf { batch: Arc::clone(&batch), place }))
            .map(|token| ReplyTo::new(self.sink(), token))
            .collect();
        (replies, receiver)
    }

    fn sink(&self) -> Arc<dyn ReplySink> {
        Arc::clone(&self.box_) as Arc<dyn ReplySink>
    }

    /// Hands answers on for as long as the worker lives.
    pub async fn hand_on(&self) {
        loop {
            self.box_.arrived.notified().await;
            let letters = std::mem::take(&mut *self.box_.letters.lock());
            for (token, answer) in letters {
                let waiter = self.waiting.lock().remove(token);
                if let Some(waiter) = waiter {
                    waiter.answer(answer);
                }
            }
        }
    }
}

impl Waiter {
    /// A waiter that went away misses its answer; the order stands all the same.
    fn answer(self, answer: Answer) {
        match self {
            Self::One(sender) => tell(sender, answer),
            Self::PartOf { batch, place } => {
                let mut batch = batch.lock();
                if let Some(slot) = batch.answers.get_mut(place) {
                    *slot = Some(answer);
                }
                batch.missing -= 1;
                if batch.missing == 0
                    && let Some(done) = batch.done.take()
                {
                    tell(done, std::mem::take(&mut batch.answers));
                }
            }
        }
    }
}
