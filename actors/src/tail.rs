//! The newest journal records in memory: what the write-behind reads while it keeps up. Bounded; whoever lags
//! further behind reads the segments.

use floodgate_persistence::journal::FramePosition;
use floodgate_persistence::model::Record;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most records kept: a few batches of the write-behind.
const RECORDS_MAX: usize = 32 * 1024;

/// The records of one synced frame.
pub struct Group {
    /// Where the frame lies.
    pub position: FramePosition,
    /// At least one, in sequence.
    pub records: Vec<Record>,
}

impl Group {
    /// Sequence of the first record.
    pub fn first_seq(&self) -> u64 {
        self.records.first().map_or(0, |record| record.seq)
    }

    /// Sequence of the last record.
    pub fn last_seq(&self) -> u64 {
        self.records.last().map_or(0, |record| record.seq)
    }
}

#[derive(Default)]
struct Groups {
    groups: VecDeque<Arc<Group>>,
    records: usize,
}

/// The newest groups.
pub struct Tail {
    groups: Mutex<Groups>,
    durable_seq: AtomicU64,
}

impl Tail {
    /// Empty, with everything up to `durable_seq` in the segments.
    pub fn new(durable_seq: u64) -> Self {
        Self { groups: Mutex::default(), durable_seq: AtomicU64::new(durable_seq) }
    }

    /// Adds a synced group; the oldest make room.
    pub fn push(&self, group: Arc<Group>) {
        let last_seq = group.last_seq();
        let mut tail = self.groups.lock();
        tail.records += group.records.len();
        tail.groups.push_back(group);
        while tail.records > RECORDS_MAX && tail.groups.len() > 1 {
            if let Some(oldest) = tail.groups.pop_front() {
                tail.records -= oldest.records.len();
            }
        }
        drop(tail);
        self.durable_seq.store(last_seq, Ordering::Release);
    }

    /// The last synced sequence.
    pub fn durable_seq(&self) -> u64 {
        self.durable_seq.load(Ordering::Acquire)
    }

    /// Groups that hold `seq` and what follows, at most about `records_max` records. `None`: `seq` is no longer
    /// (or not yet) in memory.
    pub fn read(&self, seq: u64, records_max: usize) -> Option<Vec<Arc<Group>>> {
        let tail = self.groups.lock();
        let first = tail.groups.front()?;
        if first.first_seq() > seq || tail.groups.back()?.last_seq() < seq {
            return None;
        }
        let begin = tail.groups.partition_point(|group| group.last_seq() < seq);
        let mut records = 0;
        let found = tail.groups.range(begin..).take_while(|group| {
            let wanted = records < records_max;
            records += group.records.len();
            wanted
        });
        Some(found.cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_persistence::model::{Event, Timestamp};

    fn group(seqs: std::ops::RangeInclusive<u64>) -> Arc<Group> {
        let record = |seq| Record { seq, at: Timestamp(0), event: Event::EngineStarted { epoch: 1 } };
        Arc::new(Group {
            position: FramePosition { segment: 1, offset: 0 },
            records: seqs.map(record).collect(),
        })
    }

    #[test]
    fn reads_from_the_middle_and_says_when_it_no_longer_can() {
        let tail = Tail::new(0);
        assert!(tail.read(1, 10).is_none());
        for first in (1..=100_000).step_by(1000) {
            tail.push(group(first..=first + 999));
        }
        assert_eq!(tail.durable_seq(), 100_000);
        assert!(tail.read(1, 10).is_none(), "forgotten");
        assert!(tail.read(100_001, 10).is_none(), "not yet there");
        let found = tail.read(99_500, 10_000).unwrap();
        assert_eq!((found.len(), found[0].first_seq(), found[0].last_seq()), (1, 99_001, 100_000));
        assert_eq!(tail.read(90_500, 1500).unwrap().len(), 2);
    }
}
