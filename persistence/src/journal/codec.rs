use super::error::JournalError;
use super::layout::{FRAME_BODY_MAX, RECORD_BYTES_MIN, RECORD_VERSION};
use crate::model::{Event, OrderLife, Record, Timestamp};
use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;

/// What one record may make the decoder allocate. Lists take more room in memory than on disk, by less than four
/// times.
const DECODE_LIMIT: usize = 4 * FRAME_BODY_MAX;

/// Fixed widths, so that the bytes are the plain layout of the fields.
const PLAIN: Configuration<LittleEndian, Fixint, Limit<DECODE_LIMIT>> =
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<DECODE_LIMIT>();

/// Why a body whose checksum is right cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// A newer engine wrote the record.
    NewerVersion(u8),
    /// The bytes are no records.
    Malformed,
}

/// Appends one record to `out`.
pub(super) fn encode_record(out: &mut Vec<u8>, at: Timestamp, event: &Event) -> Result<(), EncodeError> {
    out.push(RECORD_VERSION);
    out.extend_from_slice(&at.0.to_le_bytes());
    bincode::encode_into_writer(event, Append(out), PLAIN)
}

/// One record as a frame's body has it: version, time, event. For those who keep single records elsewhere.
///
/// # Errors
/// [`JournalError::Encode`]: it cannot be encoded; one that was read from a journal always can.
pub fn record_bytes(record: &Record) -> Result<Vec<u8>, JournalError> {
    let mut bytes = Vec::new();
    encode_record(&mut bytes, record.at, &record.event)?;
    Ok(bytes)
}

/// The record of [`record_bytes`]; `None`: these bytes are none, or a newer engine wrote them.
pub fn record_from_bytes(seq: u64, bytes: &[u8]) -> Option<Record> {
    let (record, rest) = decode_record(bytes, seq).ok()?;
    rest.is_empty().then_some(record)
}

/// Where an order stands, for those who keep it elsewhere: the version of records, then the fields.
///
/// # Errors
/// [`JournalError::Encode`]: it cannot be encoded; one that was read from a journal always can.
pub fn life_bytes(life: &OrderLife) -> Result<Vec<u8>, JournalError> {
    let mut bytes = vec![RECORD_VERSION];
    bincode::encode_into_writer(life, Append(&mut bytes), PLAIN)?;
    Ok(bytes)
}

/// The life of [`life_bytes`]; `None`: these bytes are none, or a newer engine wrote them.
pub fn life_from_bytes(bytes: &[u8]) -> Option<OrderLife> {
    let fields = bytes.strip_prefix(&[RECORD_VERSION])?;
    let (life, used) = bincode::decode_from_slice(fields, PLAIN).ok()?;
    (used == fields.len()).then_some(life)
}

/// All records of a body; anything left over makes it unreadable.
pub(super) fn decode_body(body: &[u8], first_seq: u64, count: u32) -> Result<Vec<Record>, Unreadable> {
    let count = usize::try_from(count).map_err(|_| Unreadable::Malformed)?;
    // Before anything is allocated for so many.
    if count.saturating_mul(RECORD_BYTES_MIN) > body.len() {
        return Err(Unreadable::Malformed);
    }
    let mut records = Vec::with_capacity(count);
    let mut rest = body;
    for seq in (first_seq..).take(count) {
        let (record, tail) = decode_record(rest, seq)?;
        records.push(record);
        rest = tail;
    }
    if rest.is_empty() { Ok(records) } else { Err(Unreadable::Malformed) }
}

fn decode_record(bytes: &[u8], seq: u64) -> Result<(Record, &[u8]), Unreadable> {
    let (&version, bytes) = bytes.split_first().ok_or(Unreadable::Malformed)?;
    match version {
        0 => Err(Unreadable::Malformed),
        RECORD_VERSION => decode_version_1(bytes, seq).ok_or(Unreadable::Malformed),
        newer => Err(Unreadable::NewerVersion(newer)),
    }
}

fn decode_version_1(bytes: &[u8], seq: u64) -> Option<(Record, &[u8])> {
    let (at, bytes) = bytes.split_first_chunk()?;
    let (event, used) = bincode::decode_from_slice(bytes, PLAIN).ok()?;
    let record = Record { seq, at: Timestamp(i64::from_le_bytes(*at)), event };
    Some((record, bytes.get(used..)?))
}

/// Lets bincode append to a vector without a detour.
struct Append<'a>(&'a mut Vec<u8>);

impl Writer for Append<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ProductId, StockAdjusted};

    fn adjusted(reason: &str) -> Event {
        Event::StockAdjusted(Box::new(StockAdjusted {
            product_id: ProductId(258),
            delta: -2,
            reason: reason.into(),
            idempotency: None,
        }))
    }

    #[test]
    fn the_bytes_are_the_plain_layout_of_the_fields() {
        let mut out = Vec::new();
        encode_record(&mut out, Timestamp(1), &adjusted("é")).unwrap();
        let expected: &[&[u8]] = &[
            &[1],                                      // version
            &[1, 0, 0, 0, 0, 0, 0, 0],                 // at
            &[3, 0, 0, 0],                             // StockAdjusted
            &[2, 1, 0, 0, 0, 0, 0, 0],                 // product_id
            &[254, 255, 255, 255, 255, 255, 255, 255], // delta
            &[2, 0, 0, 0, 0, 0, 0, 0],                 // bytes of reason
            &[0xC3, 0xA9],                             // reason
            &[0],                                      // no idempotency
        ];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn only_whole_records_of_known_versions_are_read() {
        let mut body = Vec::new();
        encode_record(&mut body, Timestamp(1), &adjusted("a")).unwrap();
        encode_record(&mut body, Timestamp(2), &adjusted("b")).unwrap();
        let seqs = |records: Vec<Record>| records.iter().map(|record| record.seq).collect::<Vec<_>>();
        assert_eq!(decode_body(&body, 5, 2).map(seqs), Ok(vec![5, 6]));

        let longer = [body.as_slice(), &[0]].concat();
        let newer = [&[RECORD_VERSION + 1], &body[1..]].concat();
        let oldest = [&[0], &body[1..]].concat();
        let mut huge = body.clone();
        huge[29..37].fill(0xFF); // bytes of the first reason
        for (what, bytes, count, expected) in [
            ("a record too few", body.clone(), 1, Unreadable::Malformed),
            ("a record too many", body.clone(), 3, Unreadable::Malformed),
            ("four milliard records", body.clone(), u32::MAX, Unreadable::Malformed),
            ("a byte left over", longer, 2, Unreadable::Malformed),
            ("a byte missing", body[..body.len() - 1].to_vec(), 2, Unreadable::Malformed),
            ("a newer version", newer, 2, Unreadable::NewerVersion(RECORD_VERSION + 1)),
            ("version 0", oldest, 2, Unreadable::Malformed),
            ("a length of 2^64 − 1", huge, 2, Unreadable::Malformed),
        ] {
            assert_eq!(decode_body(&bytes, 5, count), Err(expected), "{what}");
        }
    }
}
