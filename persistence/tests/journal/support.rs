//! A small journal in memory.

use crate::memory_disk::{Image, MemoryDisk};
use floodgate_persistence::journal::*;
use floodgate_persistence::model::{
    Event, IdempotencyClaim, NodeId, ProductId, Record, StockAdjusted, Timestamp,
};
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub const NODE: NodeId = NodeId(0x0123_4567_89AB_CDEF);
pub const SEGMENT: u64 = 4096;
/// Where frames begin, and the size of their head, as in FORMAT.md.
pub const FRAMES_AT: usize = 64;
pub const HEAD: usize = 52;

pub fn config() -> JournalConfig {
    JournalConfig {
        dir: PathBuf::from("/j"),
        segment_bytes: SEGMENT,
        max_bytes: 64 * SEGMENT,
        retain: Duration::from_secs(3600),
        sync: SyncMode::Always,
    }
}

pub fn from(checkpoint_seq: u64) -> RecoverFrom {
    RecoverFrom { node: Some(NODE), checkpoint_seq }
}

pub fn segment_file(number: u64) -> PathBuf {
    config().dir.join(format!("journal-{number:020}.seg"))
}

/// An event that its number tells from all others. Its last byte is not zero.
pub fn event(seq: u64) -> Event {
    Event::StockAdjusted(Box::new(StockAdjusted {
        product_id: ProductId(seq),
        delta: -1,
        reason: "r".repeat(seq as usize % 40).into(),
        idempotency: Some(IdempotencyClaim { key: [1; 16], body: [0xEE; 16] }),
    }))
}

/// An event whose reason has so many bytes.
pub fn large_event(seq: u64, bytes: usize) -> Event {
    Event::StockAdjusted(Box::new(StockAdjusted {
        product_id: ProductId(seq),
        delta: 1,
        reason: "x".repeat(bytes).into(),
        idempotency: None,
    }))
}

pub fn record(seq: u64) -> Record {
    Record { seq, at: Timestamp(1_000 + seq as i64), event: event(seq) }
}

pub fn records(from: u64, to: u64) -> Vec<Record> {
    (from..=to).map(record).collect()
}

/// Appends the next `count` records as one group.
pub fn append(writer: &mut Writer, count: u64) -> Result<FramePosition, JournalError> {
    let mut frame = writer.frame_builder();
    for seq in writer.next_seq()..writer.next_seq() + count {
        frame.push(record(seq).at, &event(seq)).unwrap();
    }
    writer.append(&mut frame)
}

pub fn open_on(disk: &MemoryDisk, config: &JournalConfig) -> Writer {
    recover_on(disk.as_disk(), config, from(0)).unwrap().into_writer(NODE).unwrap()
}

/// A journal with these groups: its disk, and where they stand.
pub fn written(groups: &[u64]) -> (MemoryDisk, Vec<FramePosition>) {
    let disk = MemoryDisk::default();
    let mut writer = open_on(&disk, &config());
    let positions = groups.iter().map(|&count| append(&mut writer, count).unwrap()).collect();
    (disk, positions)
}

pub fn all_of(recovery: &Recovery) -> Result<Vec<Record>, JournalError> {
    let frames: Result<Vec<Frame>, JournalError> = recovery.frames_after(0).collect();
    Ok(frames?.into_iter().flat_map(|frame| frame.records).collect())
}

/// All records of an image, and how its tail was found.
pub fn recovered(image: &Image, checkpoint_seq: u64) -> Result<(Vec<Record>, TailState), JournalError> {
    let recovery = recover_on(MemoryDisk::of(image).as_disk(), &config(), from(checkpoint_seq))?;
    Ok((all_of(&recovery)?, recovery.tail().clone()))
}

/// Lets other threads work until it is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "still not: {what}");
        std::thread::yield_now();
    }
}

/// Whether an error names the file it speaks of.
pub fn names_a_file(error: &JournalError) -> bool {
    use JournalError as E;
    matches!(
        error,
        E::Damaged { .. }
            | E::Misplaced { .. }
            | E::ForeignNode { .. }
            | E::NewerVersion { .. }
            | E::MissingSegment { .. }
    )
}
