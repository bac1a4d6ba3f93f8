use super::config::JournalConfig;
use super::disk::{Disk, DiskFile};
use super::poison::Poison;
use super::segment::Segment;
use crate::model::Timestamp;
use crate::planted::{self, Planted};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A segment that is whole and empty.
#[derive(Debug)]
pub(super) struct Spare {
    pub(super) segment: Arc<Segment>,
    pub(super) file: Box<dyn DiskFile>,
}

/// Which segments there are, shared by the writer, the preparing thread and all readers.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    pub(super) segment_bytes: u64,
    max_bytes: u64,
    retain: Duration,
    pub(super) poison: Poison,
    state: Mutex<State>,
    /// A spare was prepared, a segment was taken or consumed, or the end has come.
    changed: Condvar,
    current_room: AtomicU64,
    spare_bytes: AtomicU64,
    total_bytes: AtomicU64,
    over_budget: AtomicBool,
}

/// What the lock guards.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Segments that hold records, oldest first; the last one is being written, and may still be empty.
    pub(super) used: VecDeque<Arc<Segment>>,
    /// Empty ones, in the order of their numbers, which go on from the last used one.
    pub(super) spares: VecDeque<Spare>,
    /// Everything up to here is in the store and past all cursors.
    pub(super) consumed_seq: u64,
    /// Counts the changes, so that none is missed between a look and a wait.
    pub(super) changes: u64,
    /// The writer is gone: prepare nothing more.
    pub(super) stopping: bool,
    /// The preparing thread is gone: nobody will bring a segment.
    pub(super) unattended: bool,
}

impl Ledger {
    pub(super) fn new(disk: Arc<dyn Disk>, config: &JournalConfig) -> Self {
        Self {
            disk,
            dir: config.dir.clone(),
            segment_bytes: config.segment_bytes,
            max_bytes: config.max_bytes,
            retain: config.retain,
            poison: Poison::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
            current_room: AtomicU64::new(0),
            spare_bytes: AtomicU64::new(0),
            total_bytes: AtomicU64::new(0),
            over_budget: AtomicBool::new(false),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Changes the state, brings the figures up to date and wakes whoever waits for a change.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let result = change(&mut state);
        state.changes += 1;
        self.count(&state);
        self.changed.notify_all();
        result
    }

    /// Waits for a change, or for so long.
    pub(super) fn wait(&self, state: &mut MutexGuard<'_, State>, at_most: Duration) {
        self.changed.wait_for(state, at_most);
    }

    /// Waits for a change since `seen`, or for so long.
    pub(super) fn wait_unless_changed(&self, seen: u64, at_most: Duration) {
        let mut state = self.state();
        if state.changes == seen && !at_most.is_zero() {
            self.wait(&mut state, at_most);
        }
    }

    fn count(&self, state: &State) {
        let used: u64 = state.used.iter().map(|segment| segment.bytes).sum();
        let spare: u64 = state.spares.iter().map(|spare| spare.segment.bytes).sum();
        let consumed: u64 = state.consumed().map(|segment| segment.bytes).sum();
        self.spare_bytes.store(spare, Ordering::Release);
        self.total_bytes.store(used + spare, Ordering::Release);
        self.over_budget.store(used + spare - consumed > self.max_bytes, Ordering::Release);
        self.current_room.store(state.used.back().map_or(0, |segment| segment.room()), Ordering::Release);
    }

    /// The writer published a frame.
    pub(super) fn set_current_room(&self, bytes: u64) {
        self.current_room.store(bytes, Ordering::Release);
    }

    pub(super) fn ready_bytes(&self) -> u64 {
        self.current_room.load(Ordering::Acquire) + self.spare_bytes.load(Ordering::Acquire)
    }

    pub(super) fn total_bytes(&self) -> u64 {
        self.total_bytes.load(Ordering::Acquire)
    }

    pub(super) fn over_budget(&self) -> bool {
        self.over_budget.load(Ordering::Acquire)
    }

    /// Sequence of the last record that readers may see; 0 when there is none at all.
    pub(super) fn last_seq(&self) -> u64 {
        let state = self.state();
        let last = state.used.iter().rev().find_map(|segment| segment.last_seq());
        last.or_else(|| state.used.front().map(|segment| segment.start_seq.saturating_sub(1))).unwrap_or(0)
    }

    /// Sequence of the first record that is kept, or, of an empty journal, of the first that will be.
    pub(super) fn first_retained_seq(&self) -> u64 {
        let state = self.state();
        state.used.front().map_or(1, |segment| segment.first_seq().unwrap_or(segment.start_seq))
    }

    /// The segment in which `seq` stands or will stand.
    pub(super) fn segment_of(&self, seq: u64) -> Option<Arc<Segment>> {
        let state = self.state();
        let begins_before = |segment: &&Arc<Segment>| segment.first_seq().is_some_and(|first| first <= seq);
        state.used.iter().rev().find(begins_before).or_else(|| state.used.front()).cloned()
    }

    /// The used segment with this number.
    pub(super) fn segment_number(&self, number: u64) -> Option<Arc<Segment>> {
        let state = self.state();
        state.used.iter().find(|segment| segment.number == number).cloned()
    }

    /// Takes the oldest segment off the list, if it may go: consumed, and old enough, in the way, or `wanted`.
    pub(super) fn retire_oldest(&self, now: Timestamp, spares: u64, wanted: bool) -> Option<Arc<Segment>> {
        let mut state = self.state();
        let oldest = state.consumed().next()?;
        if !wanted && !self.is_expired(oldest, now) && !self.is_in_the_way(&state, spares) {
            return None;
        }
        let retired = state.used.pop_front();
        self.count(&state);
        retired
    }

    fn is_expired(&self, segment: &Segment, now: Timestamp) -> bool {
        let retain_ms = i64::try_from(self.retain.as_millis()).unwrap_or(i64::MAX);
        segment.last_at().plus_millis(retain_ms) <= now
    }

    /// Whether the budget would not hold what is there and all spares.
    fn is_in_the_way(&self, state: &State, spares: u64) -> bool {
        let missing = spares.saturating_sub(state.spares.len() as u64);
        self.total_bytes() + missing * self.segment_bytes > self.max_bytes
    }
}

impl State {
    /// Number of the segment behind all others.
    pub(super) fn next_number(&self) -> u64 {
        let spare = self.spares.back().map(|spare| spare.segment.number);
        spare.or_else(|| self.used.back().map(|segment| segment.number)).unwrap_or(0) + 1
    }

    /// The used segments that nobody needs any more, oldest first. The one that is being written is never among
    /// them, nor any other as long as no frame behind it is safe: the journal must be able to say where it ends.
    fn consumed(&self) -> impl Iterator<Item = &Arc<Segment>> {
        let pairs = self.used.iter().zip(self.used.iter().skip(1));
        let gone = pairs.take_while(|(segment, next)| {
            next.is_begun_safely()
                && segment.last_seq().is_some_and(|last| {
                    last <= self.consumed_seq || planted::is(Planted::SegmentGoneTooEarly)
                })
        });
        gone.map(|(segment, _)| segment)
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::RealDisk;
    use super::super::layout::{FRAMES_AT, SEGMENT_VERSION, SegmentHeader};
    use super::*;

    /// Segments of ten records each; an empty one where `None` is given.
    fn ledger(begins: &[Option<u64>], retain: Duration) -> Ledger {
        let config = JournalConfig { retain, ..JournalConfig::new("/nowhere") };
        let ledger = Ledger::new(Arc::new(RealDisk), &config);
        let segments = (1..).zip(begins).map(|(number, begin)| {
            let bytes = u32::try_from(config.segment_bytes).unwrap();
            let header = SegmentHeader { version: SEGMENT_VERSION, bytes, node: 1, number, start_seq: 0 };
            let segment = Segment::new(PathBuf::new(), &header);
            if let Some(begin) = *begin {
                segment.begin_at(begin);
                segment.synced();
                segment.publish(begin + 9, Timestamp(1_000), FRAMES_AT as u64 + 100);
            }
            Arc::new(segment)
        });
        let used: VecDeque<_> = segments.collect();
        ledger.change(|state| state.used = used);
        ledger
    }

    #[test]
    fn a_segment_goes_when_it_is_consumed_and_old_and_the_next_holds_a_record() {
        let second = Duration::from_secs(1);
        for (what, begins, consumed, now, goes) in [
            ("all three", &[Some(1), Some(11)][..], 10, 2_000, true),
            ("one record is needed", &[Some(1), Some(11)], 9, 2_000, false),
            ("a millisecond too young", &[Some(1), Some(11)], 10, 1_999, false),
            ("the next is still empty", &[Some(1), None], 10, 2_000, false),
            ("the one being written", &[Some(1)], 10, 2_000, false),
        ] {
            let ledger = ledger(begins, second);
            ledger.change(|state| state.consumed_seq = consumed);
            let retired = ledger.retire_oldest(Timestamp(now), 0, false);
            assert_eq!(retired.map(|segment| segment.number), goes.then_some(1), "{what}");
        }
    }

    #[test]
    fn a_wanted_segment_goes_young_but_never_unconsumed() {
        let ledger = ledger(&[Some(1), Some(11), Some(21)], Duration::from_secs(1));
        ledger.change(|state| state.consumed_seq = 15);
        assert!(ledger.retire_oldest(Timestamp(0), 0, true).is_some());
        assert!(ledger.retire_oldest(Timestamp(0), 0, true).is_none());
        assert_eq!(ledger.first_retained_seq(), 11);
    }
}
