//! Offsets and sizes of what lies on the disk, as in `FORMAT.md`. Everything is little-endian.

use super::CopiedFrom;
use crate::fields::{crc_holds, put, put_crc, take};
use crate::model::{NodeId, Timestamp};
use bincode::config::{Configuration, Fixint, Limit, LittleEndian};

/// First bytes of the file.
pub(super) const MAGIC: [u8; 8] = *b"FLOODCAT";

/// Version of everything behind it.
pub(super) const VERSION: u32 = 1;

pub(super) const MAGIC_AT: usize = 0;
pub(super) const VERSION_AT: usize = MAGIC_AT + 8;
pub(super) const HEADER_RESERVED_AT: usize = VERSION_AT + 4;
pub(super) const NODE_AT: usize = HEADER_RESERVED_AT + 4;
pub(super) const AS_OF_AT: usize = NODE_AT + 8;
pub(super) const TAKEN_AT: usize = AS_OF_AT + 8;
pub(super) const HEADER_CRC_AT: usize = TAKEN_AT + 8;

/// Size of the header: the first chunk begins here.
pub(super) const HEADER_BYTES: usize = HEADER_CRC_AT + 4;

pub(super) const KIND_AT: usize = 0;
pub(super) const COUNT_AT: usize = KIND_AT + 4;
pub(super) const BODY_LEN_AT: usize = COUNT_AT + 4;
pub(super) const PREVIOUS_AT: usize = BODY_LEN_AT + 4;
pub(super) const BODY_CRC_AT: usize = PREVIOUS_AT + 4;
pub(super) const HEAD_CRC_AT: usize = BODY_CRC_AT + 4;

/// Size of a chunk's head: its body begins here.
pub(super) const HEAD_BYTES: usize = HEAD_CRC_AT + 4;

/// A body with this many bytes is closed.
pub(super) const BODY_FULL: usize = 1024 * 1024;

/// Largest body: a full one, and one record more than fits. The longest product has 255 and 2,048 characters of text,
/// below 16 KiB.
pub(super) const BODY_MAX: usize = 2 * BODY_FULL;

/// Smallest record: a seller without name and city.
pub(super) const RECORD_BYTES_MIN: usize = 8 + 8 + 8 + 4 + 1;

/// As in the journal; the limit is what one record may make the decoder allocate.
pub(super) const PLAIN: Configuration<LittleEndian, Fixint, Limit<BODY_FULL>> =
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<BODY_FULL>();

/// What a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkKind {
    Sellers = 1,
    Products = 2,
    /// Nothing follows.
    End = 3,
}

impl ChunkKind {
    fn of(number: u32) -> Option<Self> {
        [Self::Sellers, Self::Products, Self::End].into_iter().find(|kind| *kind as u32 == number)
    }
}

/// The header's bytes, and its checksum.
pub(super) fn encode_header(from: &CopiedFrom) -> ([u8; HEADER_BYTES], u32) {
    let mut out = [0; HEADER_BYTES];
    put(&mut out, MAGIC_AT, MAGIC);
    put(&mut out, VERSION_AT, VERSION.to_le_bytes());
    put(&mut out, NODE_AT, from.node.0.to_le_bytes());
    put(&mut out, AS_OF_AT, from.as_of_seq.to_le_bytes());
    put(&mut out, TAKEN_AT, from.taken_at.0.to_le_bytes());
    let crc = put_crc(&mut out, HEADER_CRC_AT);
    (out, crc)
}

/// The version, what the file is a copy of, and the checksum; if magic and checksum are right.
pub(super) fn decode_header(bytes: &[u8]) -> Option<(u32, CopiedFrom, u32)> {
    let whole = take::<8>(bytes, MAGIC_AT)? == MAGIC && crc_holds(bytes, HEADER_CRC_AT);
    let from = CopiedFrom {
        node: NodeId(u64::from_le_bytes(take(bytes, NODE_AT)?)),
        as_of_seq: u64::from_le_bytes(take(bytes, AS_OF_AT)?),
        taken_at: Timestamp(i64::from_le_bytes(take(bytes, TAKEN_AT)?)),
    };
    let version = u32::from_le_bytes(take(bytes, VERSION_AT)?);
    let crc = u32::from_le_bytes(take(bytes, HEADER_CRC_AT)?);
    whole.then_some((version, from, crc))
}

/// Head of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: ChunkKind,
    pub(super) count: u32,
    pub(super) body_len: u32,
    /// Checksum of the head before; of the first chunk, of the header.
    pub(super) previous: u32,
    pub(super) body_crc: u32,
}

impl Head {
    /// The bytes, and their checksum.
    pub(super) fn encode(&self) -> ([u8; HEAD_BYTES], u32) {
        let mut out = [0; HEAD_BYTES];
        put(&mut out, KIND_AT, (self.kind as u32).to_le_bytes());
        put(&mut out, COUNT_AT, self.count.to_le_bytes());
        put(&mut out, BODY_LEN_AT, self.body_len.to_le_bytes());
        put(&mut out, PREVIOUS_AT, self.previous.to_le_bytes());
        put(&mut out, BODY_CRC_AT, self.body_crc.to_le_bytes());
        let crc = put_crc(&mut out, HEAD_CRC_AT);
        (out, crc)
    }

    /// The head and its checksum, if that is right and the sizes are possible.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Self, u32)> {
        if !crc_holds(bytes, HEAD_CRC_AT) {
            return None;
        }
        let head = Self {
            kind: ChunkKind::of(u32::from_le_bytes(take(bytes, KIND_AT)?))?,
            count: u32::from_le_bytes(take(bytes, COUNT_AT)?),
            body_len: u32::from_le_bytes(take(bytes, BODY_LEN_AT)?),
            previous: u32::from_le_bytes(take(bytes, PREVIOUS_AT)?),
            body_crc: u32::from_le_bytes(take(bytes, BODY_CRC_AT)?),
        };
        let crc = u32::from_le_bytes(take(bytes, HEAD_CRC_AT)?);
        let possible = head.body_len as usize <= BODY_MAX
            && u64::from(head.count) * RECORD_BYTES_MIN as u64 <= u64::from(head.body_len);
        possible.then_some((head, crc))
    }
}
