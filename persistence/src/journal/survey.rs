//! Which segments lie in a directory, what their headers say and how each begins.

use super::disk::{Disk, DiskFile};
use super::error::{Damage, JournalError};
use super::layout::{FRAMES_AT, Head};
use super::scan;
use super::segment::{self, Segment};
use super::window::Window;
use crate::model::{NodeId, Timestamp};
use std::path::Path;
use std::sync::Arc;

/// A segment that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) segment: Arc<Segment>,
    /// Its first frame, if it begins with a whole one.
    pub(super) first: Option<Head>,
}

impl Found {
    /// Its file. None is kept open: there may be more segments than a process may have files.
    pub(super) fn open(&self, disk: &dyn Disk, write: bool) -> Result<Box<dyn DiskFile>, JournalError> {
        disk.open(&self.segment.path, write).map_err(JournalError::disk("open", &self.segment.path))
    }
}

/// All segments of a directory in order, the used ones apart from the untouched ones behind them.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Something is written to the last of them, or the journal begins with the only one.
    pub(super) used: Vec<Found>,
    /// Nothing is written to these.
    pub(super) spares: Vec<Found>,
}

impl Survey {
    pub(super) fn node(&self) -> Option<NodeId> {
        self.used.first().map(|found| NodeId(found.segment.node))
    }
}

/// Looks at every header and at the first frame of every used segment.
pub(super) fn survey(disk: &dyn Disk, dir: &Path, node: Option<NodeId>) -> Result<Survey, JournalError> {
    let mut found = Vec::new();
    for number in segment::list(disk, dir)? {
        let segment = Arc::new(segment::open(disk, dir, number)?);
        found.push(Found { segment, first: None });
    }
    check_row(dir, &found, node)?;
    let used = count_used(disk, &found)?;
    let spares = found.split_off(used);
    let mut survey = Survey { used: found, spares };
    read_beginnings(disk, &mut survey.used)?;
    Ok(survey)
}

/// Numbers without a gap, one node, one beginning.
fn check_row(dir: &Path, found: &[Found], node: Option<NodeId>) -> Result<(), JournalError> {
    let Some(first) = found.first() else { return Ok(()) };
    let node = node.unwrap_or(NodeId(first.segment.node));
    for (expected, Found { segment, .. }) in (first.segment.number..).zip(found) {
        segment::check_node(segment, node)?;
        if segment.number != expected {
            return Err(JournalError::MissingSegment { file: segment::path(dir, expected) });
        }
        if segment.number != first.segment.number && segment.start_seq != 0 {
            let found = "the beginning of another journal".to_owned();
            return Err(JournalError::Misplaced { file: segment.path.clone(), found });
        }
    }
    Ok(())
}

/// Everything up to the last segment to which something was written. The first always counts.
pub(super) fn count_used(disk: &dyn Disk, found: &[Found]) -> Result<usize, JournalError> {
    for (index, found) in found.iter().enumerate().skip(1).rev() {
        let file = found.open(disk, false)?;
        if scan::last_written(file.as_ref(), &found.segment, FRAMES_AT as u64)?.is_some() {
            return Ok(index + 1);
        }
    }
    Ok(found.len().min(1))
}

/// Reads the first frame of every used segment. Only in the last one it may be torn.
fn read_beginnings(disk: &dyn Disk, used: &mut [Found]) -> Result<(), JournalError> {
    let last = used.len().saturating_sub(1);
    let mut window = Window::default();
    for (index, found) in used.iter_mut().enumerate() {
        window.clear();
        let (segment, file) = (&found.segment, found.open(disk, false)?);
        let frame = scan::frame_at(&mut window, file.as_ref(), segment, FRAMES_AT as u64, segment.bytes)?;
        if let Some((head, body)) = frame {
            segment.begin_at(head.first_seq);
            segment.publish(head.first_seq, first_time(body), segment.bytes);
            found.first = Some(head);
        } else if index < last || segment.opening().is_none() && index == 0 {
            // The last segment may begin with a torn frame, but not where nothing says what it followed.
            return Err(JournalError::damaged(&segment.path, FRAMES_AT as u64, Damage::BadFrame));
        }
    }
    settle_closed(used)
}

/// What the next segment says about the one before: its last sequence, and when it ended at the latest.
fn settle_closed(used: &[Found]) -> Result<(), JournalError> {
    for (found, next) in used.iter().zip(used.iter().skip(1)) {
        let Some(head) = next.first else { continue };
        if found.first.is_some_and(|first| first.first_seq >= head.first_seq) {
            return Err(JournalError::damaged(&next.segment.path, FRAMES_AT as u64, Damage::OutOfOrder));
        }
        let segment = &found.segment;
        segment.publish(head.first_seq - 1, next.segment.last_at(), segment.bytes);
    }
    Ok(())
}

/// Time of the first record of a body, which every version has in the same place.
fn first_time(body: &[u8]) -> Timestamp {
    let bytes = body.get(1..).and_then(|rest| rest.first_chunk::<8>());
    Timestamp(bytes.map_or(0, |bytes| i64::from_le_bytes(*bytes)))
}
