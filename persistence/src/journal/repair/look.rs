//! Where a journal stops being sound, what can be kept and what is lost. Changes nothing.

use super::super::codec;
use super::super::disk::{Disk, DiskFile};
use super::super::error::JournalError;
use super::super::layout::{FRAMES_AT, Head, SEGMENT_VERSION, SegmentHeader};
use super::super::recovery::{self, RecoverFrom, unreadable};
use super::super::scan;
use super::super::segment::{self, Loose, Segment};
use super::super::survey::{self, Found};
use super::super::walk::{Visitor, walk};
use super::super::window::Window;
use super::{LostBytes, RepairReport};
use crate::model::{Event, NodeId, OrderId};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to do, and what it costs.
pub(super) struct Plan {
    pub(super) report: RepairReport,
    /// Files behind the damage, oldest first.
    pub(super) remove: Vec<PathBuf>,
    pub(super) rewrite: Vec<Rewrite>,
}

/// A segment of which only the first bytes are kept.
pub(super) struct Rewrite {
    pub(super) file: PathBuf,
    pub(super) kept: u64,
    /// Its size.
    pub(super) bytes: u64,
}

/// A file that is named like a segment.
struct Piece {
    path: PathBuf,
    segment: Arc<Segment>,
    first: Option<Head>,
    /// It is a segment of this journal and lies in its place.
    good: bool,
    /// It does not have its size.
    wrong_size: bool,
}

/// `None`: sound.
pub(super) fn plan(disk: &dyn Disk, dir: &Path, from: RecoverFrom) -> Result<Option<Plan>, JournalError> {
    let Err(error) = check(disk, dir, from) else { return Ok(None) };
    let is_damage = matches!(
        error,
        JournalError::Damaged { .. }
            | JournalError::MissingSegment { .. }
            | JournalError::Misplaced { .. }
            | JournalError::ForeignNode { .. }
    );
    if !is_damage {
        return Err(error);
    }
    let pieces = pieces(disk, dir, from.node)?;
    if matches!(error, JournalError::ForeignNode { .. }) && !pieces.iter().any(|piece| piece.good) {
        return Err(error);
    }
    let mut plan = match start(&pieces, from.checkpoint_seq) {
        Some(start) => keep(disk, &pieces, start, from.checkpoint_seq, error.to_string())?,
        None => lose(disk, &pieces, None, error.to_string())?,
    };
    plan.remove.extend(misnamed(disk, dir)?);
    Ok(Some(plan))
}

/// As recovery would, and every record that it would replay is decoded.
fn check(disk: &dyn Disk, dir: &Path, from: RecoverFrom) -> Result<(), JournalError> {
    let survey = survey::survey(disk, dir, from.node)?;
    recovery::check_beginning(&survey, from.checkpoint_seq)?;
    let first = recovery::first_to_read(&survey.used, from.checkpoint_seq);
    walk(disk, &survey.used, first, from.checkpoint_seq, &mut Sound::default()).map(drop)
}

/// Decodes, and remembers the last good frame.
#[derive(Default)]
struct Sound {
    /// Number of its segment, where it ends, and its last sequence.
    last: Option<(u64, u64, u64)>,
}

impl Visitor for Sound {
    fn frame(
        &mut self,
        segment: &Segment,
        offset: u64,
        head: &Head,
        body: &[u8],
    ) -> Result<(), JournalError> {
        codec::decode_body(body, head.first_seq, head.count)
            .map_err(|why| unreadable(why, &segment.path, offset))?;
        self.last = Some((segment.number, offset + head.frame_bytes(), head.last_seq().unwrap_or_default()));
        Ok(())
    }
}

fn misnamed(disk: &dyn Disk, dir: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let names = disk.list(dir).map_err(JournalError::disk("list", dir))?;
    let wrong = |name: &String| segment::is_like_a_segment(name) && segment::parse(name).is_none();
    Ok(names.iter().filter(|name| wrong(name)).map(|name| dir.join(name)).collect())
}

fn pieces(disk: &dyn Disk, dir: &Path, node: Option<NodeId>) -> Result<Vec<Piece>, JournalError> {
    let names = disk.list(dir).map_err(JournalError::disk("list", dir))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment::parse(name)).collect();
    numbers.sort_unstable();
    let mut node = node.map(|node| node.0);
    let mut pieces = Vec::new();
    for number in numbers {
        let path = segment::path(dir, number);
        let file = disk.open(&path, false).map_err(JournalError::disk("open", &path))?;
        let size = file.size().map_err(JournalError::disk("measure", &path))?;
        let (header, good) = match segment::read_loosely(file.as_ref(), &path)? {
            Loose::Header(header) => {
                let node = *node.get_or_insert(header.node);
                (header, header.number == number && header.node == node)
            }
            Loose::Unreadable => {
                let bytes = u32::try_from(size).unwrap_or(u32::MAX);
                let node = node.unwrap_or_default();
                (SegmentHeader { version: SEGMENT_VERSION, bytes, node, number, start_seq: 0 }, false)
            }
        };
        let segment = Segment::new(path.clone(), &header);
        let wrong_size = size != u64::from(header.bytes);
        let mut window = Window::default();
        let first = scan::frame_at(&mut window, file.as_ref(), &segment, FRAMES_AT as u64, segment.bytes)?;
        let first = first.map(|(head, _)| head);
        pieces.push(Piece { path, segment: Arc::new(segment), first, good, wrong_size });
    }
    Ok(pieces)
}

/// The piece with which what the store lacks begins, as recovery would choose it.
fn start(pieces: &[Piece], checkpoint_seq: u64) -> Option<usize> {
    let begins = |piece: &Piece| match piece.first {
        Some(head) => Some(head.first_seq),
        None => piece.segment.opening().map(|chain| chain.next_seq),
    };
    let up_to = |limit: u64| {
        pieces.iter().rposition(|piece| piece.good && begins(piece).is_some_and(|first| first <= limit))
    };
    up_to(checkpoint_seq).or_else(|| up_to(checkpoint_seq.saturating_add(1)))
}

/// Whether `next` may lie behind `piece`.
fn may_follow(piece: &Piece, next: &Piece) -> bool {
    let in_order = match (piece.first, next.first) {
        (Some(first), Some(then)) => first.first_seq < then.first_seq,
        (Some(_), None) => true,
        (None, next) => next.is_none(),
    };
    next.good && next.segment.number == piece.segment.number + 1 && next.segment.start_seq == 0 && in_order
}

fn keep(
    disk: &dyn Disk,
    pieces: &[Piece],
    start: usize,
    checkpoint_seq: u64,
    damage: String,
) -> Result<Plan, JournalError> {
    let pair = |index: usize| pieces.get(index).zip(pieces.get(index + 1));
    let joined =
        |index: usize| pair(index).is_some_and(|(piece, next)| piece.good && may_follow(piece, next));
    let oldest = (0..start).rev().take_while(|&index| joined(index)).last().unwrap_or(start);
    let end = (start..).take_while(|&index| joined(index)).count() + start + 1;
    let run: Vec<Found> = pieces.get(start..end).unwrap_or_default().iter().map(found).collect();
    let used = survey::count_used(disk, &run)?;
    let mut sound = Sound::default();
    let walked = walk(disk, run.get(..used).unwrap_or_default(), 0, checkpoint_seq, &mut sound);
    let broken = match walked {
        Ok(_) => end < pieces.len(),
        Err(JournalError::Damaged { .. } | JournalError::ShorterThanStore { .. }) => true,
        Err(error) => return Err(error),
    };
    let opening = pieces.get(start).and_then(|piece| Some((piece, piece.segment.opening()?)));
    let begins = opening
        .map(|(piece, chain)| (piece.segment.number, FRAMES_AT as u64, chain.next_seq.saturating_sub(1)));
    let cut = match sound.last.or(begins) {
        Some(cut) if broken => Some(cut),
        None => return lose(disk, pieces, None, damage),
        Some((_, _, last_seq)) => Some((u64::MAX, u64::MAX, last_seq)),
    };
    let kept = pieces.get(oldest..).unwrap_or_default();
    let mut plan = lose(disk, kept, cut, damage)?;
    plan.report.not_needed.extend(pieces.iter().take(oldest).map(|piece| piece.path.clone()));
    Ok(plan)
}

fn found(piece: &Piece) -> Found {
    Found { segment: Arc::clone(&piece.segment), first: piece.first }
}

/// Everything behind `cut` (segment number, offset, last sequence before it) goes; everything where there is none.
fn lose(
    disk: &dyn Disk,
    pieces: &[Piece],
    cut: Option<(u64, u64, u64)>,
    damage: String,
) -> Result<Plan, JournalError> {
    let (number, offset, kept_last_seq) = cut.unwrap_or((0, 0, 0));
    let (mut remove, mut rewrite, mut lost) = (Vec::new(), Vec::new(), Lost::default());
    for piece in pieces {
        let before = cut.is_some() && piece.good && piece.segment.number < number;
        let at = cut.is_some() && piece.good && piece.segment.number == number;
        let kept = if at { offset } else { piece.segment.bytes };
        let file = disk.open(&piece.path, false).map_err(JournalError::disk("open", &piece.path))?;
        let written = match before {
            true => None,
            false => lost.take_in(piece, file.as_ref(), if at { offset } else { FRAMES_AT as u64 })?,
        };
        match (before || at, written.is_some() || piece.wrong_size) {
            (true, true) => {
                rewrite.push(Rewrite { file: piece.path.clone(), kept, bytes: piece.segment.bytes });
            }
            (true, false) => {}
            (false, _) => remove.push(piece.path.clone()),
        }
    }
    let any = !lost.bytes.is_empty();
    let report = RepairReport {
        damage,
        kept_last_seq,
        lost: lost.bytes,
        first_lost_seq: any.then(|| kept_last_seq + 1),
        last_lost_seq: lost.last_seq,
        readable_records: lost.records,
        order_ids: lost.orders.into_iter().collect(),
        not_needed: Vec::new(),
        copies: None,
    };
    Ok(Plan { report, remove, rewrite })
}

/// Adds up what lies behind the cut.
#[derive(Default)]
struct Lost {
    bytes: Vec<LostBytes>,
    records: u64,
    last_seq: Option<u64>,
    orders: BTreeSet<OrderId>,
}

impl Lost {
    /// Offset of the last byte behind `from`, if any is written there.
    fn take_in(
        &mut self,
        piece: &Piece,
        file: &dyn DiskFile,
        from: u64,
    ) -> Result<Option<u64>, JournalError> {
        let Some(last) = scan::last_written(file, &piece.segment, from)? else { return Ok(None) };
        self.bytes.push(LostBytes { file: piece.path.clone(), offset: from, bytes: last + 1 - from });
        scan::whole_frames(file, &piece.segment, from, &mut |head, body| {
            self.records += u64::from(head.count);
            self.last_seq = self.last_seq.max(head.last_seq());
            for record in codec::decode_body(body, head.first_seq, head.count).unwrap_or_default() {
                if let Event::OrderPlaced(placed) = record.event {
                    self.orders.insert(placed.order_id);
                }
            }
        })?;
        Ok(Some(last))
    }
}
