use super::codec;
use super::error::JournalError;
use super::layout::{FLAG_SYNCED, FRAME_BODY_MAX, FRAME_VERSION, HEAD_BYTES, Head};
use crate::model::{Event, Record, Timestamp};

/// Where a frame begins. Rises with the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FramePosition {
    /// Number of the segment.
    pub segment: u64,
    /// Byte offset of the frame's head in it.
    pub offset: u32,
}

/// One group commit, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it begins.
    pub position: FramePosition,
    /// Sequence of the first record.
    pub first_seq: u64,
    /// At least one, in order, without a gap.
    pub records: Vec<Record>,
}

/// One group commit being built: a buffer that is used again for the next, so that a group costs no allocation
/// once the largest has been seen.
#[derive(Debug)]
pub struct FrameBuilder {
    /// Room for the head, then the records.
    buffer: Vec<u8>,
    body_max: usize,
    first_seq: u64,
    count: u32,
    last_at: Timestamp,
}

impl FrameBuilder {
    /// An empty frame whose records take at most `body_max` bytes: [`super::JournalConfig::frame_body_max`].
    pub fn new(body_max: usize) -> Self {
        let mut builder = Self {
            buffer: Vec::new(),
            body_max: body_max.min(FRAME_BODY_MAX),
            first_seq: 0,
            count: 0,
            last_at: Timestamp::default(),
        };
        builder.begin(0);
        builder
    }

    /// Forgets what is in the frame and begins another with this sequence.
    pub fn begin(&mut self, first_seq: u64) {
        self.buffer.clear();
        self.buffer.resize(HEAD_BYTES, 0);
        self.first_seq = first_seq;
        self.count = 0;
    }

    /// Adds the record with the next sequence; the bytes it takes. After an error the frame is as before.
    ///
    /// # Errors
    /// [`JournalError::FrameFull`]: append this frame and push again into an empty one.
    /// [`JournalError::RecordTooLarge`]: it fits into no frame.
    pub fn push(&mut self, at: Timestamp, event: &Event) -> Result<u32, JournalError> {
        let before = self.buffer.len();
        let pushed = self.encode(at, event);
        if pushed.is_err() {
            self.buffer.truncate(before);
        }
        pushed
    }

    fn encode(&mut self, at: Timestamp, event: &Event) -> Result<u32, JournalError> {
        let before = self.bytes();
        codec::encode_record(&mut self.buffer, at, event)?;
        let bytes = self.bytes() - before;
        let too_large = JournalError::RecordTooLarge { bytes, max: self.body_max };
        if bytes > self.body_max {
            return Err(too_large);
        }
        if self.bytes() > self.body_max || self.count == u32::MAX {
            return Err(JournalError::FrameFull { bytes, room: self.body_max - before });
        }
        self.count += 1;
        self.last_at = at;
        u32::try_from(bytes).map_err(|_| too_large)
    }

    /// Sequence of the first record.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Sequence that the next record gets.
    pub fn next_seq(&self) -> u64 {
        self.first_seq + u64::from(self.count)
    }

    /// Number of records.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bytes of the records, without the head.
    pub fn bytes(&self) -> usize {
        self.buffer.len() - HEAD_BYTES
    }

    /// No record yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Time of the last record.
    pub(super) fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// Head and body.
    pub(super) fn frame_bytes(&self) -> u64 {
        self.buffer.len() as u64
    }

    /// Fills the head. The bytes to write, and the checksum that the next frame carries on.
    pub(super) fn seal(&mut self, node: u64, number: u64, previous: u32, synced: bool) -> (&[u8], u32) {
        let body = self.buffer.get(HEAD_BYTES..).unwrap_or_default();
        let (head, crc) = Head {
            version: FRAME_VERSION,
            flags: if synced { FLAG_SYNCED } else { 0 },
            node,
            number,
            first_seq: self.first_seq,
            count: self.count,
            // `push` keeps the body below FRAME_BODY_MAX.
            body_len: u32::try_from(body.len()).unwrap_or(u32::MAX),
            previous,
            body_crc: crc32c::crc32c(body),
            crc: 0,
        }
        .encode();
        if let Some(place) = self.buffer.first_chunk_mut() {
            *place = head;
        }
        (&self.buffer, crc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_leaves_the_frame_as_it_was() {
        let started = Event::EngineStarted { epoch: 1 }; // 1 + 8 + 4 + 8 bytes
        let mut frame = FrameBuilder::new(50);
        frame.begin(7);
        assert_eq!(frame.push(Timestamp(1), &started).unwrap(), 21);
        assert_eq!(frame.push(Timestamp(2), &started).unwrap(), 21);
        let full = frame.push(Timestamp(3), &started);
        assert!(matches!(full, Err(JournalError::FrameFull { bytes: 21, room: 8 })), "{full:?}");
        assert_eq!((frame.count(), frame.bytes(), frame.next_seq()), (2, 42, 9));

        let mut tiny = FrameBuilder::new(20);
        let refused = tiny.push(Timestamp(1), &started);
        assert!(matches!(refused, Err(JournalError::RecordTooLarge { bytes: 21, max: 20 })), "{refused:?}");
        assert!(tiny.is_empty());
    }
}
