//! Memory's side: the durable stock of all hot products at one place of the journal.

use crate::sequencer::JournalInput;
use crate::shard::{Question, ShardInput, Surroundings};
use floodgate_persistence::model::ProductId;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Counted stock of all hot products; 24 bytes a product, as long as it is compared.
#[derive(Debug, Default)]
pub struct MemoryStock {
    /// All records up to here are in it, and none after.
    pub as_of_seq: u64,
    /// By rising id; `None`: not counted.
    pub products: Vec<(ProductId, Option<i64>)>,
}

/// Asks all shards between two groups of the journal: the thread that settles what a group sold puts the question, so it
/// comes to each shard behind the groups before it and ahead of those after it. To be called while no change of the
/// catalogue is under way: what such a change takes is gone before its event is durable. `None`: the engine is ending.
pub async fn ask(around: Arc<Surroundings>) -> Option<MemoryStock> {
    let (reply, answers): (Vec<_>, Vec<_>) = around.shards.iter().map(|_| oneshot::channel()).unzip();
    let (tell, marked) = oneshot::channel();
    let shards = Arc::clone(&around);
    around.journal.send(JournalInput::Mark(Box::new(move |durable_seq| {
        for (door, reply) in shards.shards.iter().zip(reply) {
            door.send(ShardInput::Ask(Question::Stock(reply)));
        }
        crate::reply::tell(tell, durable_seq);
    })));
    let as_of_seq = marked.await.ok()?;
    let mut products = Vec::new();
    for answer in answers {
        products.append(&mut answer.await.ok()?);
    }
    products.sort_unstable_by_key(|(id, _)| *id);
    Some(MemoryStock { as_of_seq, products })
}
