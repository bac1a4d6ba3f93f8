//! What the outside knows of a journal at one moment.

use floodgate_persistence::journal::*;
use floodgate_persistence::model::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub const NODE: NodeId = NodeId(0x0123_4567_89AB_CDEF);

pub fn config(segment_bytes: u64, sync: SyncMode) -> JournalConfig {
    JournalConfig {
        dir: PathBuf::from("/j"),
        segment_bytes,
        max_bytes: 64 * segment_bytes,
        retain: Duration::ZERO,
        sync,
    }
}

/// A record of the same size, whatever the generation: what is written anew after a loss can be told from what was
/// lost, and lies in the same place.
pub fn record(seq: u64, generation: u64) -> Record {
    let mark = 1 + (generation % 250) as u8;
    let event = Event::StockAdjusted(Box::new(StockAdjusted {
        product_id: ProductId(seq),
        delta: -1 - generation as i64,
        reason: "r".repeat(seq as usize % 40).into(),
        idempotency: Some(IdempotencyClaim { key: [mark; 16], body: [mark; 16] }),
    }));
    Record { seq, at: Timestamp(1_000 + seq as i64), event }
}

/// Which life handed a record in; 0 where there is none.
fn generation(record: Option<&Record>) -> u64 {
    match record.map(|record| &record.event) {
        Some(Event::StockAdjusted(adjusted)) => (-1 - adjusted.delta) as u64,
        _ => 0,
    }
}

/// A group: its number of records, and of which life the record before it was.
type Group = (u64, u64);

#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Everything that was handed in, from sequence 1 on.
    pub records: Arc<Vec<Record>>,
    /// Last sequences of the groups, from 0 on: at one of these a journal ends.
    pub ends: Arc<Vec<u64>>,
    /// All groups that were ever handed in, by first sequence and life. A sync that lied about zeros may bring one
    /// back, but only behind the record that it was written behind.
    groups: Arc<BTreeMap<(u64, u64), Group>>,
    /// Everything up to here was acknowledged.
    pub acknowledged: u64,
    /// Everything up to here is in the store, and the journal was told so.
    pub released: u64,
    /// A sync has lied: what was acknowledged may be lost.
    pub lied_to: bool,
}

impl Story {
    pub fn new() -> Self {
        Self { ends: Arc::new(vec![0]), ..Self::default() }
    }

    /// A group was handed in.
    pub fn hand_in(&mut self, count: u64, life: u64) {
        let first = self.records.len() as u64 + 1;
        let group = (count, generation(self.records.last()));
        Arc::make_mut(&mut self.groups).insert((first, life), group);
        Arc::make_mut(&mut self.records).extend((first..first + count).map(|seq| record(seq, life)));
        Arc::make_mut(&mut self.ends).push(first + count - 1);
    }

    /// Whether a frame behind this record is what was handed in.
    pub fn has(&self, before: Option<&Record>, frame: &Frame) -> bool {
        let life = generation(frame.records.first());
        let count = frame.records.len() as u64;
        let place = frame.first_seq as usize - 1;
        let expected = self.records.get(place..place + count as usize) == Some(&frame.records[..]);
        let group = self.groups.get(&(frame.first_seq, life));
        // Of what was released nobody reads what came before.
        let placed = group.is_some_and(|&(size, behind)| {
            size == count && (before.is_none() || behind == generation(before))
        });
        let mut seqs = (frame.first_seq..).zip(&frame.records);
        placed && (expected || self.lied_to && seqs.all(|(seq, found)| *found == record(seq, life)))
    }

    pub fn acknowledge_all(&mut self) {
        self.acknowledged = self.records.len() as u64;
    }

    /// The journal came back with these frames: from now on that is what is there.
    pub fn goes_on_with(&mut self, frames: Vec<Frame>, last_seq: u64) {
        let first = frames.first().map_or(last_seq + 1, |frame| frame.first_seq);
        let (records, ends) = (Arc::make_mut(&mut self.records), Arc::make_mut(&mut self.ends));
        records.truncate(first as usize - 1);
        ends.retain(|&end| end < first);
        for frame in frames {
            records.extend(frame.records);
            ends.push(records.len() as u64);
        }
        assert_eq!(records.len() as u64, last_seq);
        self.acknowledged = last_seq;
    }

    /// What the store may have: nothing beyond what was acknowledged.
    pub fn some_checkpoint(&self, random: &mut SplitMix64) -> u64 {
        match random.below(3) {
            0 => self.released,
            1 => self.acknowledged,
            _ => self.released + random.below(self.acknowledged - self.released + 1),
        }
    }
}
