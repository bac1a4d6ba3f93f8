//! Admin changes: one round at a time, each product at most once in a round, so that a row's stock is turned into a
//! delta only when the last change of that product is durable.
//!
//! A round: products that memory does not have are read from the store; each change is prepared on its shard, which
//! takes what it takes; all are journalled together; when they are durable every shard makes them hot; then the
//! askers are told.

use super::{Catalogue, load, reads::rows_of};
use crate::idempotency::IdempotencyTable;
use crate::journey::shard_of;
use crate::reconciliation::{MemoryStock, ask};
use crate::reply::tell;
use crate::sequencer::JournalInput;
use crate::shard::hot::ChangeRefusal;
use crate::shard::{Change, Question, ShardInput, Surroundings};
use actix::prelude::*;
use floodgate_persistence::model::{Event, IdempotencyClaim, ProductId, Record, Timestamp};
use floodgate_persistence::store::Store;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Most changes of a round: bounds the journal group that they become.
const ROUND_MAX: usize = 2_000;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeResult {
    /// Durable and hot in every shard.
    Done {
        /// Its sequence.
        seq: u64,
        /// Its time.
        at: Timestamp,
    },
    /// Not taken.
    Refused(ChangeRefusal),
    /// Not taken: the store was needed and did not answer.
    NotReady,
    /// The journal failed.
    Unknown,
}

/// Makes changes: those of one admin call, so that they share a round.
#[derive(Message)]
#[rtype(result = "()")]
pub struct MakeChanges(pub Vec<MakeChange>);

/// One change, and who made it.
pub struct MakeChange {
    /// What to change.
    pub change: Change,
    /// Told what became of it.
    pub done: oneshot::Sender<ChangeResult>,
}

/// Changes waiting for their round.
#[derive(Default)]
pub struct Queue {
    waiting: VecDeque<MakeChange>,
    /// Who wants to know memory's stock, between two rounds.
    askers: Vec<oneshot::Sender<MemoryStock>>,
    under_way: bool,
}

impl Handler<MakeChanges> for Catalogue {
    type Result = ();

    fn handle(&mut self, message: MakeChanges, ctx: &mut Self::Context) {
        self.changes.waiting.extend(message.0);
        self.begin_round(ctx);
    }
}

/// Asks for the durable stock of all hot products, when no change is under way.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AskMemory(pub oneshot::Sender<MemoryStock>);

impl Handler<AskMemory> for Catalogue {
    type Result = ();

    fn handle(&mut self, message: AskMemory, ctx: &mut Self::Context) {
        self.changes.askers.push(message.0);
        self.begin_round(ctx);
    }
}

impl Catalogue {
    /// Begins the next round, if none is under way: what came meanwhile goes together.
    fn begin_round(&mut self, ctx: &mut Context<Self>) {
        if self.changes.under_way {
            return;
        }
        if let Some(asker) = self.changes.askers.pop() {
            return self.ask_memory(asker, ctx);
        }
        let round = self.changes.next_round();
        if round.is_empty() {
            return;
        }
        self.changes.under_way = true;
        let (store, around) = (Arc::clone(&self.store), Arc::clone(&self.around));
        let run = async move { run_round(round, &*store, &around).await };
        ctx.spawn(run.into_actor(self).map(|(), actor, ctx| {
            actor.changes.under_way = false;
            actor.begin_round(ctx);
        }));
    }

    fn ask_memory(&mut self, asker: oneshot::Sender<MemoryStock>, ctx: &mut Context<Self>) {
        self.changes.under_way = true;
        let asked = ask(Arc::clone(&self.around));
        ctx.spawn(asked.into_actor(self).map(|stock, actor, ctx| {
            if let Some(stock) = stock {
                tell(asker, stock);
            }
            actor.changes.under_way = false;
            actor.begin_round(ctx);
        }));
    }
}

impl Queue {
    /// Changes of different products; what comes second for a product waits, and what comes behind it with it.
    fn next_round(&mut self) -> Vec<MakeChange> {
        let mut products = HashSet::new();
        let mut round = Vec::new();
        while round.len() < ROUND_MAX {
            let fresh = match self.waiting.front().map(|next| next.change.product_id()) {
                Some(Some(id)) => products.insert(id),
                Some(None) => true,
                None => false,
            };
            if !fresh {
                break;
            }
            round.extend(self.waiting.pop_front());
        }
        round
    }
}

/// Who made a change, and the key to let go if it is not taken: not the caller's to do, who may be gone by then.
struct Asker {
    done: oneshot::Sender<ChangeResult>,
    claim: Option<IdempotencyClaim>,
}

impl Asker {
    fn tell(self, result: ChangeResult) {
        tell(self.done, result);
    }

    fn refuse(self, keys: &IdempotencyTable, result: ChangeResult) {
        if let Some(claim) = self.claim {
            keys.let_go(claim);
        }
        self.tell(result);
    }
}

impl MakeChange {
    fn split(self) -> (Change, Asker) {
        let claim = match &self.change {
            Change::Adjust(adjusted) => adjusted.idempotency,
            Change::Put(_) | Change::Seller(_) => None,
        };
        (self.change, Asker { done: self.done, claim })
    }
}

async fn run_round(round: Vec<MakeChange>, store: &dyn Store, around: &Surroundings) {
    let ids: Vec<ProductId> = round.iter().filter_map(|make| make.change.product_id()).collect();
    let unread = read_unknown(&ids, store, around).await;
    let needs_unread = |make: &MakeChange| make.change.product_id().is_some_and(|id| unread.contains(&id));
    let (refused, round): (Vec<_>, Vec<_>) = round.into_iter().partition(needs_unread);
    for make in refused {
        make.split().1.refuse(&around.keys, ChangeResult::NotReady);
    }
    let (events, askers) = prepare(round, around).await;
    if events.is_empty() {
        return;
    }
    let Some(records) = journal(events, around).await else {
        return askers.into_iter().for_each(|asker| asker.tell(ChangeResult::Unknown));
    };
    make_hot(&records, around).await;
    for (asker, record) in askers.into_iter().zip(records.iter()) {
        asker.tell(ChangeResult::Done { seq: record.seq, at: record.at });
    }
}

/// Products that memory does not have may still be in the store, with a stock of their own. Returns those that could not
/// be looked for.
async fn read_unknown(ids: &[ProductId], store: &dyn Store, around: &Surroundings) -> HashSet<ProductId> {
    let mut unknown = Vec::new();
    for (shard, door) in (0..).zip(&around.shards) {
        let mine = ids.iter().copied().filter(|id| shard_of(*id, around.shards.len()) == shard).collect();
        let (reply, answer) = oneshot::channel();
        door.send(ShardInput::Ask(Question::Missing(mine, reply)));
        unknown.extend(answer.await.unwrap_or_default());
    }
    if unknown.is_empty() {
        return HashSet::new();
    }
    match rows_of(store, &unknown, &[]).await {
        Ok(mut rows) => {
            // An id that is about to be put must not be remembered as absent.
            rows.absent_products.clear();
            load(around, rows).await;
            HashSet::new()
        }
        Err(error) => {
            tracing::warn!(%error, "an admin change needs rows that cannot be read");
            unknown.into_iter().collect()
        }
    }
}

/// Prepares each change on its shard. Refused ones are answered here.
async fn prepare(round: Vec<MakeChange>, around: &Surroundings) -> (Vec<Event>, Vec<Asker>) {
    let mut by_shard = BTreeMap::<u16, (Vec<Change>, Vec<Asker>)>::new();
    for make in round {
        let (change, asker) = make.split();
        let shard = change.product_id().map_or(0, |id| shard_of(id, around.shards.len()));
        let (changes, askers) = by_shard.entry(shard).or_default();
        changes.push(change);
        askers.push(asker);
    }
    let (mut events, mut waiting) = (Vec::new(), Vec::new());
    for (shard, (changes, askers)) in by_shard {
        let Some(door) = around.shards.get(usize::from(shard)) else { continue };
        let (reply, prepared) = oneshot::channel();
        door.send(ShardInput::Prepare(changes, reply));
        for (result, asker) in prepared.await.unwrap_or_default().into_iter().zip(askers) {
            match result {
                Ok(event) => {
                    events.push(event);
                    waiting.push(asker);
                }
                Err(refusal) => asker.refuse(&around.keys, ChangeResult::Refused(refusal)),
            }
        }
    }
    (events, waiting)
}

async fn journal(events: Vec<Event>, around: &Surroundings) -> Option<Arc<Vec<Record>>> {
    let (done, records) = oneshot::channel();
    around.journal.send(JournalInput::Events(events, done));
    records.await.ok()
}

async fn make_hot(records: &Arc<Vec<Record>>, around: &Surroundings) {
    let mut hot = Vec::with_capacity(around.shards.len());
    for door in &around.shards {
        let (done, receiver) = oneshot::channel();
        door.send(ShardInput::Changed(Arc::clone(records), done));
        hot.push(receiver);
    }
    for receiver in hot {
        // A shard that is gone takes the process with it.
        drop(receiver.await);
    }
}
