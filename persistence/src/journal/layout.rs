//! Offsets and sizes of what lies on the disk, as in `FORMAT.md`. Everything is little-endian.

use crate::fields::{crc_holds, put, put_crc, take};
use crate::planted::{self, Planted};

/// First bytes of a segment.
pub(super) const SEGMENT_MAGIC: [u8; 8] = *b"FLOODSEG";

/// Version of the segment header and of where frames lie.
pub(super) const SEGMENT_VERSION: u32 = 1;

pub(super) const SEGMENT_MAGIC_AT: usize = 0;
pub(super) const SEGMENT_VERSION_AT: usize = SEGMENT_MAGIC_AT + 8;
pub(super) const SEGMENT_BYTES_AT: usize = SEGMENT_VERSION_AT + 4;
pub(super) const SEGMENT_NODE_AT: usize = SEGMENT_BYTES_AT + 4;
pub(super) const SEGMENT_NUMBER_AT: usize = SEGMENT_NODE_AT + 8;
pub(super) const SEGMENT_START_AT: usize = SEGMENT_NUMBER_AT + 8;
pub(super) const SEGMENT_RESERVED_AT: usize = SEGMENT_START_AT + 8;
pub(super) const SEGMENT_CRC_AT: usize = SEGMENT_RESERVED_AT + 20;

/// Size of the segment header: the first frame begins here.
pub(super) const FRAMES_AT: usize = SEGMENT_CRC_AT + 4;

/// First bytes of a frame. 0xFF occurs in no UTF-8 text, so no text of a client can hold them.
pub(super) const FRAME_MAGIC: [u8; 4] = [0xFF, b'F', b'G', b'F'];

/// Version of the frame head.
pub(super) const FRAME_VERSION: u16 = 1;

/// Flag: everything before this frame had been synced when it was written, so it proves that what stands before
/// it was once whole.
pub(super) const FLAG_SYNCED: u16 = 1;

pub(super) const MAGIC_AT: usize = 0;
pub(super) const VERSION_AT: usize = MAGIC_AT + 4;
pub(super) const FLAGS_AT: usize = VERSION_AT + 2;
pub(super) const NODE_AT: usize = FLAGS_AT + 2;
pub(super) const NUMBER_AT: usize = NODE_AT + 8;
pub(super) const FIRST_SEQ_AT: usize = NUMBER_AT + 8;
pub(super) const COUNT_AT: usize = FIRST_SEQ_AT + 8;
pub(super) const BODY_LEN_AT: usize = COUNT_AT + 4;
pub(super) const PREVIOUS_AT: usize = BODY_LEN_AT + 4;
pub(super) const BODY_CRC_AT: usize = PREVIOUS_AT + 4;
pub(super) const HEAD_CRC_AT: usize = BODY_CRC_AT + 4;

/// Size of a frame head: the body begins here.
pub(super) const HEAD_BYTES: usize = HEAD_CRC_AT + 4;

/// Largest body of a frame.
pub(super) const FRAME_BODY_MAX: usize = 16 * 1024 * 1024;

/// Version of a record.
pub(super) const RECORD_VERSION: u8 = 1;

/// Smallest record: version, time, and the number of an event without fields.
pub(super) const RECORD_BYTES_MIN: usize = 1 + 8 + 4;

/// Head of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) version: u32,
    pub(super) bytes: u32,
    pub(super) node: u64,
    pub(super) number: u64,
    /// First sequence of the journal, where it begins with this segment; 0 where it goes on from the one before.
    pub(super) start_seq: u64,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; FRAMES_AT] {
        let mut out = [0; FRAMES_AT];
        put(&mut out, SEGMENT_MAGIC_AT, SEGMENT_MAGIC);
        put(&mut out, SEGMENT_VERSION_AT, self.version.to_le_bytes());
        put(&mut out, SEGMENT_BYTES_AT, self.bytes.to_le_bytes());
        put(&mut out, SEGMENT_NODE_AT, self.node.to_le_bytes());
        put(&mut out, SEGMENT_NUMBER_AT, self.number.to_le_bytes());
        put(&mut out, SEGMENT_START_AT, self.start_seq.to_le_bytes());
        put_crc(&mut out, SEGMENT_CRC_AT);
        out
    }

    /// The header, if magic and checksum are right. Whether its version is known is for the caller to ask.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let whole = take::<8>(bytes, SEGMENT_MAGIC_AT)? == SEGMENT_MAGIC && crc_holds(bytes, SEGMENT_CRC_AT);
        whole.then_some(Self {
            version: u32::from_le_bytes(take(bytes, SEGMENT_VERSION_AT)?),
            bytes: u32::from_le_bytes(take(bytes, SEGMENT_BYTES_AT)?),
            node: u64::from_le_bytes(take(bytes, SEGMENT_NODE_AT)?),
            number: u64::from_le_bytes(take(bytes, SEGMENT_NUMBER_AT)?),
            start_seq: u64::from_le_bytes(take(bytes, SEGMENT_START_AT)?),
        })
    }
}

/// Head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) version: u16,
    pub(super) flags: u16,
    pub(super) node: u64,
    pub(super) number: u64,
    pub(super) first_seq: u64,
    pub(super) count: u32,
    pub(super) body_len: u32,
    /// `crc` of the frame before, across segments; 0 in the first frame of a journal.
    pub(super) previous: u32,
    pub(super) body_crc: u32,
    /// Checksum of all before it, so of the body too. Filled by `encode`'s bytes and by `decode`.
    pub(super) crc: u32,
}

impl Head {
    /// The bytes, with the checksum computed, which is returned beside them.
    pub(super) fn encode(&self) -> ([u8; HEAD_BYTES], u32) {
        let mut out = [0; HEAD_BYTES];
        put(&mut out, MAGIC_AT, FRAME_MAGIC);
        put(&mut out, VERSION_AT, self.version.to_le_bytes());
        put(&mut out, FLAGS_AT, self.flags.to_le_bytes());
        put(&mut out, NODE_AT, self.node.to_le_bytes());
        put(&mut out, NUMBER_AT, self.number.to_le_bytes());
        put(&mut out, FIRST_SEQ_AT, self.first_seq.to_le_bytes());
        put(&mut out, COUNT_AT, self.count.to_le_bytes());
        put(&mut out, BODY_LEN_AT, self.body_len.to_le_bytes());
        put(&mut out, PREVIOUS_AT, self.previous.to_le_bytes());
        put(&mut out, BODY_CRC_AT, self.body_crc.to_le_bytes());
        let crc = put_crc(&mut out, HEAD_CRC_AT);
        (out, crc)
    }

    /// The head, if magic and checksum are right. Nothing else is checked here.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let whole = take::<4>(bytes, MAGIC_AT)? == FRAME_MAGIC
            && (crc_holds(bytes, HEAD_CRC_AT) || planted::is(Planted::LengthBeforeChecksum));
        whole.then_some(Self {
            version: u16::from_le_bytes(take(bytes, VERSION_AT)?),
            flags: u16::from_le_bytes(take(bytes, FLAGS_AT)?),
            node: u64::from_le_bytes(take(bytes, NODE_AT)?),
            number: u64::from_le_bytes(take(bytes, NUMBER_AT)?),
            first_seq: u64::from_le_bytes(take(bytes, FIRST_SEQ_AT)?),
            count: u32::from_le_bytes(take(bytes, COUNT_AT)?),
            body_len: u32::from_le_bytes(take(bytes, BODY_LEN_AT)?),
            previous: u32::from_le_bytes(take(bytes, PREVIOUS_AT)?),
            body_crc: u32::from_le_bytes(take(bytes, BODY_CRC_AT)?),
            crc: u32::from_le_bytes(take(bytes, HEAD_CRC_AT)?),
        })
    }

    /// Head and body.
    pub(super) const fn frame_bytes(&self) -> u64 {
        HEAD_BYTES as u64 + self.body_len as u64
    }

    /// Sequence of the last record; `None` where it would not fit, which no frame of ours has.
    pub(super) fn last_seq(&self) -> Option<u64> {
        self.first_seq.checked_add(u64::from(self.count))?.checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_go_there_and_back_and_no_bit_may_differ() {
        let head = Head {
            version: FRAME_VERSION,
            flags: FLAG_SYNCED,
            node: 7,
            number: 8,
            first_seq: 9,
            count: 10,
            body_len: 11,
            previous: 12,
            body_crc: 13,
            crc: 0,
        };
        let (bytes, crc) = head.encode();
        assert_eq!(Head::decode(&bytes), Some(Head { crc, ..head }));
        assert_eq!(Head::decode(&bytes[..HEAD_BYTES - 1]), None);
        for bit in 0..HEAD_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn segment_headers_go_there_and_back_and_no_bit_may_differ() {
        let header =
            SegmentHeader { version: SEGMENT_VERSION, bytes: 4096, node: 7, number: 8, start_seq: 1 };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        for bit in 0..FRAMES_AT * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&flipped), None, "bit {bit}");
        }
    }
}
