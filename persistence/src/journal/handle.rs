use super::error::JournalError;
use super::frame::{Frame, FramePosition};
use super::ledger::Ledger;
use super::reader::{self, FrameReader};
use std::path::PathBuf;
use std::sync::Arc;

/// What other threads may ask of the journal. The figures cost an atomic load.
#[derive(Clone, Debug)]
pub struct JournalHandle {
    ledger: Arc<Ledger>,
}

/// A segment that holds records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Rises by one from segment to segment.
    pub number: u64,
    /// Its file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Sequence of its first record; `None` as long as it has none.
    pub first_seq: Option<u64>,
    /// Sequence of its last record that readers may see.
    pub last_seq: Option<u64>,
}

impl JournalHandle {
    pub(super) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger }
    }

    /// Room in bytes that needs no new segment: in the current one and in those prepared. Admission sheds when it
    /// runs low, since an append without a segment waits.
    pub fn ready_bytes(&self) -> u64 {
        self.ledger.ready_bytes()
    }

    /// Size of all segments, prepared ones too.
    pub fn total_bytes(&self) -> u64 {
        self.ledger.total_bytes()
    }

    /// Whether the segments would be beyond `max_bytes` even without all that are consumed.
    pub fn over_budget(&self) -> bool {
        self.ledger.over_budget()
    }

    /// Whether a write, sync or rename has failed: nothing more will ever be acknowledged.
    pub fn is_poisoned(&self) -> bool {
        self.ledger.poison.is_set()
    }

    /// Everything up to here is in the store and past all cursors. Segments below go when they are older than
    /// `retain`, and at once, oldest first, when the budget needs it. Never goes back.
    pub fn release(&self, consumed_seq: u64) {
        self.ledger.change(|state| state.consumed_seq = state.consumed_seq.max(consumed_seq));
    }

    /// Frames from the one that holds `seq`, read from the segments, never past what was synced. At the end it
    /// says `None`, and goes on when asked again after more was synced.
    pub fn read_from(&self, seq: u64) -> FrameReader {
        FrameReader::new(Arc::clone(&self.ledger), seq)
    }

    /// One frame.
    ///
    /// # Errors
    /// [`JournalError::NoSuchFrame`]: none begins there that was synced, or it has been released.
    /// [`JournalError::Damaged`], [`JournalError::Disk`]: it cannot be read.
    pub fn read_at(&self, position: FramePosition) -> Result<Frame, JournalError> {
        reader::read_at(&self.ledger, position)
    }

    /// Sequence of the first record that is kept; of an empty journal, of the first that will be.
    pub fn first_retained_seq(&self) -> u64 {
        self.ledger.first_retained_seq()
    }

    /// Sequence of the last record that readers may see.
    pub fn last_seq(&self) -> u64 {
        self.ledger.last_seq()
    }

    /// The segments that hold records, oldest first.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let state = self.ledger.state();
        let info = |segment: &Arc<super::segment::Segment>| SegmentInfo {
            number: segment.number,
            file: segment.path.clone(),
            bytes: segment.bytes,
            first_seq: segment.first_seq(),
            last_seq: segment.last_seq(),
        };
        state.used.iter().map(info).collect()
    }
}
