//! The two decisions about the checkpoint row, for both stores: who may take a store over, and what it means that
//! a compare-and-set found no row.

use super::{Checkpoint, StoreError, StoreState, WriteBatch};
use crate::model::NodeId;

/// Name of the checkpoint of the write-behind.
pub const STORE: &str = "store";

/// Name of the row that marks a copy that has begun and not ended.
pub const COPY: &str = "copy";

/// What the compare-and-set of a batch means that met no row. `Ok`: the batch is in the store already; its commit
/// was done and only the answer was lost.
pub fn judge(batch: &WriteBatch, found: Option<Checkpoint>) -> Result<(), StoreError> {
    let Some(found) = found else {
        return Err(StoreError::Broken("it has no checkpoint: nobody took it over".to_owned()));
    };
    if found.epoch > batch.epoch {
        return Err(StoreError::Fenced(format!("its epoch is {}, ours {}", found.epoch, batch.epoch)));
    }
    if found.seq == batch.to && found.epoch == batch.epoch {
        return Ok(());
    }
    if found.seq < batch.from {
        return Err(StoreError::Behind { found: found.seq, expected: batch.from });
    }
    Err(StoreError::Broken(format!(
        "its checkpoint is {} of epoch {}, where {} to {} of epoch {} was to be written",
        found.seq, found.epoch, batch.from, batch.to, batch.epoch
    )))
}

/// What it means that a retry deleted so many of its parked events. `Ok(true)`: all of them are there, go on; `false`:
/// none, so it was written before, and only the answer was lost.
pub fn found_parked(batch: &WriteBatch, deleted: usize) -> Result<bool, StoreError> {
    match deleted {
        0 => Ok(false),
        all if all == batch.unparked.len() => Ok(true),
        some => Err(StoreError::Broken(format!(
            "of {} parked events only {some} are there: somebody else deleted the rest",
            batch.unparked.len()
        ))),
    }
}

/// Whether the engine `node` may take the store over with `epoch`; `Ok(true)`: the store is new and gets its
/// identity.
pub fn may_take_over(state: &StoreState, node: NodeId, epoch: u64) -> Result<bool, StoreError> {
    if let Some(owner) = state.node.filter(|owner| *owner != node) {
        return Err(StoreError::Broken(format!("it holds the data of engine {owner}, not of {node}")));
    }
    if epoch <= state.checkpoint.epoch {
        let known = state.checkpoint.epoch;
        return Err(StoreError::Fenced(format!("its epoch is {known} already, ours {epoch}")));
    }
    Ok(state.node.is_none())
}

/// What a running engine says that finds another store at its store's address.
pub fn foreign(found: Option<NodeId>, ours: NodeId) -> StoreError {
    match found {
        Some(found) => StoreError::Fenced(format!("it holds the data of engine {found}, not of {ours}")),
        None => StoreError::Broken("it is empty, and was ours before".to_owned()),
    }
}

/// The refusal of a store that a copy did not finish.
pub fn unfinished_copy() -> StoreError {
    StoreError::Broken(
        "a copy into it was interrupted: run `floodgate store copy` again, it starts over".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(seq: u64, epoch: u64) -> String {
        let batch = WriteBatch { from: 10, to: 15, epoch: 3, ..WriteBatch::default() };
        match judge(&batch, Some(Checkpoint { seq, epoch })) {
            Ok(()) => "written".to_owned(),
            Err(StoreError::Fenced(_)) => "fenced".to_owned(),
            Err(StoreError::Behind { found, expected }) => format!("behind {found} {expected}"),
            Err(StoreError::Broken(_)) => "broken".to_owned(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn a_compare_and_set_that_met_no_row() {
        for (seq, epoch, expected) in [
            (15, 3, "written"),
            (15, 4, "fenced"),
            (10, 4, "fenced"),
            (0, 9, "fenced"),
            (9, 3, "behind 9 10"),
            (0, 1, "behind 0 10"),
            (10, 2, "broken"),
            (12, 3, "broken"),
            (15, 2, "broken"),
            (16, 3, "broken"),
        ] {
            assert_eq!(outcome(seq, epoch), expected, "{seq} of epoch {epoch}");
        }
    }
}
