use super::codec;
use super::config::JournalConfig;
use super::disk::{Disk, DiskFile, RealDisk};
use super::error::{Damage, JournalError};
use super::layout::{FRAMES_AT, Head, SEGMENT_VERSION};
use super::ledger::Ledger;
use super::reader::FrameReader;
use super::recovery::{TailState, unreadable};
use super::scan;
use super::segment::Segment;
use super::survey::{Survey, survey};
use super::walk::{Unseen, Visitor, Walked, walk};
use crate::model::NodeId;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What lies in a journal's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalSummary {
    /// Whose it is; `None` where there is no segment.
    pub node: Option<NodeId>,
    /// Version of the segments that this engine writes.
    pub version: u32,
    /// Those that hold records, oldest first.
    pub segments: Vec<SegmentSummary>,
    /// Empty ones prepared behind them.
    pub spares: usize,
    /// How it ends: [`TailState::Clean`] or [`TailState::Torn`].
    pub tail: TailState,
}

/// What one segment holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentSummary {
    /// Its file.
    pub file: PathBuf,
    /// Its number.
    pub number: u64,
    /// Sequence of its first record; `None` where it holds none.
    pub first_seq: Option<u64>,
    /// Sequence of its last record.
    pub last_seq: Option<u64>,
    /// Group commits in it.
    pub frames: u64,
    /// Records in it.
    pub records: u64,
    /// Bytes of its header and frames.
    pub used_bytes: u64,
    /// Its size.
    pub bytes: u64,
}

/// Looks at a journal without changing it and without its lock: checksums and chain of all frames. A running
/// engine's last frame may look torn.
///
/// # Errors
/// The refusals that [`super::recover`] would give, without regard to a store.
pub fn inspect(dir: &Path) -> Result<JournalSummary, JournalError> {
    summarise(dir, false)
}

/// [`inspect`], and decodes every record and looks for stray bytes behind the last frame of closed segments.
///
/// # Errors
/// As [`inspect`]; [`JournalError::Damaged`] names file and offset.
pub fn verify(dir: &Path) -> Result<JournalSummary, JournalError> {
    summarise(dir, true)
}

/// All frames that are kept, for export: without the lock, changing nothing. A torn tail is left out.
///
/// # Errors
/// As [`inspect`]; later ones come from the reader.
pub fn frames(dir: &Path) -> Result<FrameReader, JournalError> {
    let disk = Arc::new(RealDisk);
    let survey = survey(disk.as_ref(), dir, None)?;
    let walked = walk(disk.as_ref(), &survey.used, 0, 0, &mut Unseen)?;
    if let Some((last, found)) = walked.last.and_then(|last| Some((last, survey.used.get(last.index)?))) {
        let last_seq = last.head.last_seq().unwrap_or_default();
        found.segment.publish(last_seq, found.segment.last_at(), last.end());
    }
    let kept = walked.last.map_or(1, |last| last.index + 1);
    let ledger = Arc::new(Ledger::new(disk, &JournalConfig::new(dir)));
    ledger
        .change(|state| state.used = survey.used.into_iter().take(kept).map(|found| found.segment).collect());
    let first_seq = ledger.first_retained_seq();
    Ok(FrameReader::new(ledger, first_seq))
}

fn summarise(dir: &Path, thorough: bool) -> Result<JournalSummary, JournalError> {
    let disk = RealDisk;
    let survey = survey(&disk as &dyn Disk, dir, None)?;
    let mut counting = Counting { thorough, segments: Vec::new() };
    for found in &survey.used {
        counting.segments.push(empty_summary(&found.segment));
    }
    let walked = walk(&disk, &survey.used, 0, 0, &mut counting)?;
    Ok(JournalSummary {
        node: survey.node(),
        version: SEGMENT_VERSION,
        tail: tail(&survey, &walked),
        spares: survey.spares.len(),
        segments: counting.segments,
    })
}

fn empty_summary(segment: &Segment) -> SegmentSummary {
    SegmentSummary {
        file: segment.path.clone(),
        number: segment.number,
        first_seq: None,
        last_seq: None,
        frames: 0,
        records: 0,
        used_bytes: FRAMES_AT as u64,
        bytes: segment.bytes,
    }
}

fn tail(survey: &Survey, walked: &Walked) -> TailState {
    let torn = walked.torn.and_then(|torn| Some((torn, survey.used.get(torn.index)?)));
    torn.map_or(TailState::Clean, |(torn, found)| TailState::Torn {
        file: found.segment.path.clone(),
        offset: torn.offset,
        bytes: torn.end - torn.offset,
    })
}

/// Adds frames up.
struct Counting {
    thorough: bool,
    segments: Vec<SegmentSummary>,
}

impl Visitor for Counting {
    fn frame(
        &mut self,
        segment: &Segment,
        offset: u64,
        head: &Head,
        body: &[u8],
    ) -> Result<(), JournalError> {
        if self.thorough {
            codec::decode_body(body, head.first_seq, head.count)
                .map_err(|why| unreadable(why, &segment.path, offset))?;
        }
        if let Some(summary) = self.segments.iter_mut().find(|summary| summary.number == segment.number) {
            summary.first_seq.get_or_insert(head.first_seq);
            summary.last_seq = head.last_seq();
            summary.frames += 1;
            summary.records += u64::from(head.count);
            summary.used_bytes = offset + head.frame_bytes();
        }
        Ok(())
    }

    fn closed(&mut self, segment: &Segment, file: &dyn DiskFile, end: u64) -> Result<(), JournalError> {
        if self.thorough && scan::last_written(file, segment, end)?.is_some() {
            return Err(JournalError::damaged(&segment.path, end, Damage::StrayBytes));
        }
        Ok(())
    }
}
