use super::config::SyncMode;
use super::disk::{DiskFile, LockGuard, write_all_at};
use super::error::JournalError;
use super::frame::{FrameBuilder, FramePosition};
use super::handle::JournalHandle;
use super::layout::{FRAMES_AT, HEAD_BYTES};
use super::ledger::{Ledger, Spare};
use super::prepare;
use super::segment::Segment;
use crate::model::NodeId;
use crate::planted::{self, Planted};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long to wait for a segment before looking again whether the preparing thread lives.
const WAIT_STEP: Duration = Duration::from_secs(1);

/// Where writing goes on.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) segment: Arc<Segment>,
    pub(super) file: Box<dyn DiskFile>,
    /// Checksum of the last frame's head.
    pub(super) previous: u32,
}

/// The one writer of a journal. It holds the lock of the directory; dropping it ends the preparing thread.
///
/// What was appended is synced before the next frame is written, as far as the [`SyncMode`] says so.
#[derive(Debug)]
pub struct Writer {
    ledger: Arc<Ledger>,
    segment: Arc<Segment>,
    file: Box<dyn DiskFile>,
    offset: u64,
    previous: u32,
    next_seq: u64,
    node: NodeId,
    sync: SyncMode,
    /// Something was written since the last sync.
    unsynced: bool,
    synced_at: Instant,
    last_sync_micros: u64,
    preparing: Option<JoinHandle<()>>,
    // Last, so that it is dropped when everything else has ended.
    _lock: LockGuard,
}

impl Writer {
    pub(super) fn start(
        ledger: Arc<Ledger>,
        place: Place,
        lock: LockGuard,
        node: NodeId,
        sync: SyncMode,
        next_seq: u64,
    ) -> Result<Self, JournalError> {
        let preparing = prepare::start(Arc::clone(&ledger), node)
            .map_err(JournalError::disk("start the preparing thread for", &ledger.dir))?;
        Ok(Self {
            offset: place.segment.end(),
            ledger,
            segment: place.segment,
            file: place.file,
            previous: place.previous,
            next_seq,
            node,
            sync,
            unsynced: false,
            synced_at: Instant::now(),
            last_sync_micros: 0,
            preparing: Some(preparing),
            _lock: lock,
        })
    }

    /// Appends one group commit. When this returns, its records are as safe as the [`SyncMode`] says, and readers
    /// see them. Waits where no segment is ready. The frame is left as it is, for `begin`.
    ///
    /// # Errors
    /// [`JournalError::EmptyFrame`], [`JournalError::WrongSequence`], [`JournalError::RecordTooLarge`]: refused,
    /// nothing was written. Everything else: it is unknown whether the frame will be there after the next start,
    /// the journal is poisoned, and every later call gets [`JournalError::Poisoned`].
    pub fn append(&mut self, frame: &mut FrameBuilder) -> Result<FramePosition, JournalError> {
        self.check(frame)?;
        self.ledger.poison.check()?;
        if self.offset + frame.frame_bytes() > self.segment.bytes {
            self.next_segment()?;
        }
        self.write(frame).map_err(|error| self.ledger.poison.set(error))?;
        Ok(self.publish(frame))
    }

    /// Makes everything safe that was appended: for the end, and for idle moments of [`SyncMode::Interval`].
    ///
    /// # Errors
    /// [`JournalError::Disk`] the first time, [`JournalError::Poisoned`] from then on: stop.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        self.ledger.poison.check()?;
        if !self.unsynced {
            return Ok(());
        }
        self.sync_now().map_err(|error| self.ledger.poison.set(error))
    }

    /// A handle for other threads.
    pub fn handle(&self) -> JournalHandle {
        JournalHandle::new(Arc::clone(&self.ledger))
    }

    /// An empty frame of the size that fits into a segment, beginning with the next sequence.
    pub fn frame_builder(&self) -> FrameBuilder {
        let mut frame = FrameBuilder::new(self.body_max());
        frame.begin(self.next_seq);
        frame
    }

    /// Sequence of the next record.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// How long the last sync took, in microseconds; 0 before the first.
    pub fn last_sync_micros(&self) -> u64 {
        self.last_sync_micros
    }

    fn body_max(&self) -> usize {
        let room = self.ledger.segment_bytes - (FRAMES_AT + HEAD_BYTES) as u64;
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    fn check(&self, frame: &FrameBuilder) -> Result<(), JournalError> {
        if frame.is_empty() {
            return Err(JournalError::EmptyFrame);
        }
        if frame.first_seq() != self.next_seq {
            return Err(JournalError::WrongSequence { found: frame.first_seq(), expected: self.next_seq });
        }
        if frame.bytes() > self.body_max() {
            return Err(JournalError::RecordTooLarge { bytes: frame.bytes(), max: self.body_max() });
        }
        Ok(())
    }

    fn write(&mut self, frame: &mut FrameBuilder) -> Result<(), JournalError> {
        let (bytes, crc) = frame.seal(self.node.0, self.segment.number, self.previous, !self.unsynced);
        write_all_at(self.file.as_ref(), bytes, self.offset)
            .map_err(JournalError::disk("write", &self.segment.path))?;
        self.previous = crc;
        self.unsynced = true;
        if planted::is(Planted::ReadBeforeSync) {
            self.segment.publish(frame.next_seq() - 1, frame.last_at(), self.offset + frame.frame_bytes());
        }
        let due = match self.sync {
            SyncMode::Always => !planted::is(Planted::AnswerBeforeSync),
            SyncMode::Interval(interval) => self.synced_at.elapsed() >= interval,
            SyncMode::Never => false,
        };
        if due { self.sync_now() } else { Ok(()) }
    }

    fn sync_now(&mut self) -> Result<(), JournalError> {
        let begun = Instant::now();
        self.file
            .sync_data()
            .or_else(
                |error| if planted::is(Planted::SyncRetried) { self.file.sync_data() } else { Err(error) },
            )
            .map_err(JournalError::disk("sync", &self.segment.path))?;
        self.unsynced = false;
        self.segment.synced();
        self.synced_at = Instant::now();
        let took = self.synced_at.duration_since(begun).as_micros();
        self.last_sync_micros = u64::try_from(took).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Only now may readers see the frame.
    fn publish(&mut self, frame: &FrameBuilder) -> FramePosition {
        let offset = u32::try_from(self.offset).unwrap_or(u32::MAX);
        self.offset += frame.frame_bytes();
        if self.segment.first_seq().is_none() {
            self.segment.begin_at(self.next_seq);
        }
        self.next_seq = frame.next_seq();
        self.segment.publish(self.next_seq - 1, frame.last_at(), self.offset);
        self.ledger.set_current_room(self.segment.room());
        FramePosition { segment: self.segment.number, offset }
    }

    /// Goes on in a prepared segment. The old one is synced before, whatever the mode: recovery relies on it.
    fn next_segment(&mut self) -> Result<(), JournalError> {
        self.sync()?;
        let Spare { segment, file } = self.take_spare()?;
        self.offset = segment.end();
        self.segment = segment;
        self.file = file;
        Ok(())
    }

    fn take_spare(&self) -> Result<Spare, JournalError> {
        loop {
            self.ledger.poison.check()?;
            let taken = self.ledger.change(|state| {
                let spare = state.spares.pop_front()?;
                state.used.push_back(Arc::clone(&spare.segment));
                Some(spare)
            });
            if let Some(spare) = taken {
                return Ok(spare);
            }
            let mut state = self.ledger.state();
            if state.unattended {
                drop(state);
                let cause = "the thread that prepares segments has ended".to_owned();
                return Err(self.ledger.poison.set(JournalError::Poisoned { cause }));
            }
            if state.spares.is_empty() {
                self.ledger.wait(&mut state, WAIT_STEP);
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.ledger.change(|state| state.stopping = true);
        if let Some(preparing) = self.preparing.take()
            && preparing.join().is_err()
        {
            tracing::error!("the thread that prepares journal segments has panicked");
        }
    }
}
