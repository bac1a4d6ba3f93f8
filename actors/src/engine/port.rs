//! A worker's own door to the hot path.

use super::Inner;
use crate::admission::Permit;
use crate::api::{CheckoutCommand, CheckoutOutcome, PlacedOrder, QuoteOutcome, Unavailable};
use crate::idempotency::{Burnt, ClaimResult};
use crate::journey::{Journey, Purpose};
use crate::phases::{Stopwatch, Trail};
use crate::recent::RecentOrder;
use crate::reply::{Answer, ReplyTo, Waiters};
use crate::shard::ShardInput;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A worker's own door to the hot path. Answers come back to it in batches with one wake-up.
#[derive(Clone)]
pub struct Port {
    inner: Arc<Inner>,
    waiters: Arc<Waiters>,
    /// Checkouts that came in masses: one in so many is measured.
    in_masses: Arc<AtomicU64>,
}

/// What a claim of its key makes of a checkout.
enum Begin {
    Travel,
    Answer(CheckoutOutcome),
    Again(Burnt),
}

impl Port {
    /// A port whose answers are handed on by a task of the current runtime.
    pub(super) fn open(inner: Arc<Inner>) -> Self {
        let waiters = Arc::new(Waiters::default());
        let handing_on = Arc::clone(&waiters);
        tokio::spawn(async move { handing_on.hand_on().await });
        Self { inner, waiters, in_masses: Arc::default() }
    }

    /// Places an order: answered when it is durable. Dropping the future does not stop the checkout.
    pub async fn checkout(&self, command: CheckoutCommand, permit: Permit) -> CheckoutOutcome {
        self.checkout_on(&Trail::begin(), command, permit).await
    }

    /// [`checkout`](Self::checkout), for a caller who wants to know where the time went.
    pub async fn checkout_on(
        &self,
        trail: &Arc<Trail>,
        command: CheckoutCommand,
        permit: Permit,
    ) -> CheckoutOutcome {
        match self.begin(&command) {
            Begin::Answer(outcome) => outcome,
            Begin::Again(burnt) => {
                drop(permit);
                self.answer_again(burnt).await
            }
            Begin::Travel => {
                let (reply, answer) = self.waiters.one();
                let watch = Stopwatch::Shared(Arc::clone(trail));
                self.send(command, Purpose::Checkout, watch, (reply, permit));
                checkout_outcome(answer.await.ok())
            }
        }
    }

    /// Places many orders, each on its own; answers in the order of the commands. The permit is for all of them.
    pub async fn checkout_batch(
        &self,
        commands: Vec<CheckoutCommand>,
        mut permit: Permit,
    ) -> Vec<CheckoutOutcome> {
        let begins: Vec<Begin> = commands.iter().map(|command| self.begin(command)).collect();
        let travelling = begins.iter().filter(|begin| matches!(begin, Begin::Travel)).count();
        let (replies, answers) = self.waiters.batch(travelling);
        let to_send = commands.into_iter().zip(&begins).filter(|(_, begin)| matches!(begin, Begin::Travel));
        for ((command, _), reply) in to_send.zip(replies) {
            let watch = self.watch_one_in_many();
            self.send(command, Purpose::Checkout, watch, (reply, permit.split_one()));
        }
        drop(permit);
        let answers = if travelling == 0 { Vec::new() } else { answers.await.unwrap_or_default() };
        let mut answers = answers.into_iter();
        let mut outcomes = Vec::with_capacity(begins.len());
        for begin in begins {
            outcomes.push(match begin {
                Begin::Travel => checkout_outcome(answers.next().flatten()),
                Begin::Answer(outcome) => outcome,
                Begin::Again(burnt) => self.answer_again(burnt).await,
            });
        }
        outcomes
    }

    /// Places an order without a future: the answer goes to `reply`. For callers that have no runtime, such as the
    /// in-process benchmark. A key that was burnt before is answered from memory only; an order that has left memory
    /// is answered with «unknown».
    pub fn submit(&self, command: CheckoutCommand, permit: Permit, reply: ReplyTo) {
        match self.begin(&command) {
            Begin::Travel => {
                self.send(command, Purpose::Checkout, self.watch_one_in_many(), (reply, permit));
            }
            Begin::Answer(outcome) => reply.deliver(Answer::Checkout(outcome)),
            Begin::Again(burnt) => reply.deliver(Answer::Checkout(self.remembered(burnt))),
        }
    }

    /// Judges and prices, takes nothing.
    pub async fn quote(&self, command: CheckoutCommand, permit: Permit) -> QuoteOutcome {
        let (reply, answer) = self.waiters.one();
        self.send(command, Purpose::Quote, Stopwatch::Off, (reply, permit));
        match answer.await {
            Ok(Answer::Quote(outcome)) => outcome,
            _ => QuoteOutcome::Unavailable(Unavailable::NotReady),
        }
    }

    fn watch_one_in_many(&self) -> Stopwatch {
        Stopwatch::sampled(self.in_masses.fetch_add(1, Ordering::Relaxed))
    }

    fn begin(&self, command: &CheckoutCommand) -> Begin {
        match command.idempotency.map(|claim| self.inner.rest.keys.claim(claim)) {
            None | Some(ClaimResult::Claimed) => Begin::Travel,
            Some(ClaimResult::InProgress) => Begin::Answer(CheckoutOutcome::KeyInProgress),
            Some(ClaimResult::Reused) => Begin::Answer(CheckoutOutcome::KeyReused),
            Some(ClaimResult::Burnt(burnt)) => Begin::Again(burnt),
        }
    }

    /// Nothing is awaited between the claim and this, so a caller that goes away leaves no key behind.
    fn send(
        &self,
        command: CheckoutCommand,
        purpose: Purpose,
        watch: Stopwatch,
        answer_to: (ReplyTo, Permit),
    ) {
        let journey = Journey::new(command, purpose, self.inner.config.currency, watch, answer_to);
        let shards = &self.inner.running.around.shards;
        match journey.next_shard(None, shards.len()).and_then(|first| shards.get(usize::from(first))) {
            Some(door) => door.send(ShardInput::Journey(journey)),
            None => journey.refuse(&self.inner.rest.keys),
        }
    }

    fn remembered(&self, burnt: Burnt) -> CheckoutOutcome {
        match burnt.order_id.and_then(|id| self.inner.rest.recent.get(id)) {
            Some(RecentOrder { placed: order, seq, at, .. }) => {
                CheckoutOutcome::Placed(PlacedOrder { order, seq, at, replayed: true })
            }
            None => CheckoutOutcome::Unknown,
        }
    }

    async fn answer_again(&self, burnt: Burnt) -> CheckoutOutcome {
        let order = match burnt.order_id {
            Some(id) => self.inner.find_order(id).await,
            None => Ok(None),
        };
        match order {
            Ok(Some(order)) => CheckoutOutcome::Placed(PlacedOrder {
                order: order.placed,
                seq: order.seq,
                at: order.at,
                replayed: true,
            }),
            Ok(None) => {
                tracing::error!(seq = burnt.seq, "an idempotency key names an order that is nowhere");
                CheckoutOutcome::Unknown
            }
            Err(_) => CheckoutOutcome::Unavailable(Unavailable::NotReady),
        }
    }
}

/// No answer means that the journal thread is gone: the outcome is not known.
fn checkout_outcome(answer: Option<Answer>) -> CheckoutOutcome {
    match answer {
        Some(Answer::Checkout(outcome)) => outcome,
        Some(Answer::Quote(_)) | None => CheckoutOutcome::Unknown,
    }
}
