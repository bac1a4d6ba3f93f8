//! Reads the frames of the segments one after the other and finds where the journal ends.

use super::disk::{Disk, DiskFile};
use super::error::JournalError;
use super::layout::{FLAG_SYNCED, FRAMES_AT, Head};
use super::scan;
use super::segment::{Chain, Segment};
use super::survey::Found;
use super::verdict::{Next, Seen, Verdict, judge};
use super::window::Window;
use crate::planted::{self, Planted};

/// A torn tail: what stands in the last segment from `offset` up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Torn {
    /// Which of the used segments.
    pub(super) index: usize,
    pub(super) offset: u64,
    /// Behind the last byte that is not zero.
    pub(super) end: u64,
}

/// Where a good frame stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// Which of the used segments.
    pub(super) index: usize,
    pub(super) offset: u64,
    pub(super) head: Head,
}

impl Placed {
    pub(super) fn end(&self) -> u64 {
        self.offset + self.head.frame_bytes()
    }
}

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walked {
    /// The last good frame.
    pub(super) last: Option<Placed>,
    /// The last good frame that was written when everything before it was synced: what stands from here on may
    /// not be synced yet.
    pub(super) last_synced: Option<Placed>,
    /// What must be cut.
    pub(super) torn: Option<Torn>,
}

/// Is shown every good frame: its segment, where it begins, head and body.
pub(super) trait Visitor {
    fn frame(&mut self, segment: &Segment, offset: u64, head: &Head, body: &[u8])
    -> Result<(), JournalError>;
    /// A closed segment's frames end here.
    fn closed(&mut self, _: &Segment, _: &dyn DiskFile, _end: u64) -> Result<(), JournalError> {
        Ok(())
    }
}

/// Shows nobody anything.
pub(super) struct Unseen;

impl Visitor for Unseen {
    fn frame(&mut self, _: &Segment, _: u64, _: &Head, _: &[u8]) -> Result<(), JournalError> {
        Ok(())
    }
}

/// Walks from the segment `from` to the end. `checkpoint_seq` is the last sequence that the store has.
pub(super) fn walk(
    disk: &dyn Disk,
    used: &[Found],
    from: usize,
    checkpoint_seq: u64,
    visitor: &mut dyn Visitor,
) -> Result<Walked, JournalError> {
    let mut walker = Walker { used, checkpoint_seq, window: Window::default(), walked: Walked::default() };
    for (index, found) in used.iter().enumerate().skip(from) {
        let file = found.open(disk, false)?;
        let end = walker.frames(index, found, file.as_ref(), visitor)?;
        if !walker.goes_on(index, found, file.as_ref(), end)? {
            break;
        }
        visitor.closed(&found.segment, file.as_ref(), end)?;
    }
    Ok(walker.walked)
}

struct Walker<'a> {
    used: &'a [Found],
    checkpoint_seq: u64,
    window: Window,
    walked: Walked,
}

impl Walker<'_> {
    /// What the next frame must carry on; `None` where everything before is gone.
    fn chain(&self, found: &Found) -> Option<Chain> {
        let last = self.walked.last.map(|last| Chain::after(&last.head));
        last.or_else(|| found.segment.opening())
    }

    /// Takes in the frames of one segment; the offset behind the last good one.
    fn frames(
        &mut self,
        index: usize,
        found: &Found,
        file: &dyn DiskFile,
        visitor: &mut dyn Visitor,
    ) -> Result<u64, JournalError> {
        self.window.clear();
        let segment = &found.segment;
        let mut offset = FRAMES_AT as u64;
        loop {
            let chain = self.chain(found);
            let frame = scan::frame_at(&mut self.window, file, segment, offset, segment.bytes)?;
            let follows = |head: &Head| chain.is_none_or(|chain| chain.is_followed_by(head));
            let Some((head, body)) = frame.filter(|(head, _)| follows(head)) else { return Ok(offset) };
            visitor.frame(segment, offset, &head, body)?;
            let placed = Placed { index, offset, head };
            self.walked.last = Some(placed);
            if head.flags & FLAG_SYNCED != 0 {
                self.walked.last_synced = Some(placed);
            }
            offset = placed.end();
        }
    }

    /// Whether the frames go on behind this segment. Where they do not, the tail is decided.
    fn goes_on(
        &mut self,
        index: usize,
        found: &Found,
        file: &dyn DiskFile,
        end: u64,
    ) -> Result<bool, JournalError> {
        let written = scan::last_written(file, &found.segment, end)?;
        let seen = self.look(index, found, file, end, written.is_some())?;
        match judge(seen) {
            Verdict::GoOn => Ok(true),
            Verdict::End => Ok(false),
            Verdict::Shorter if planted::is(Planted::ShortJournalTaken) => Ok(false),
            Verdict::Cut => {
                let torn_end = written.map_or(end, |last| last + 1);
                self.walked.torn = Some(Torn { index, offset: end, end: torn_end });
                Ok(false)
            }
            Verdict::Shorter => Err(JournalError::ShorterThanStore {
                last_seq: self.next_seq(found).saturating_sub(1),
                checkpoint_seq: self.checkpoint_seq,
            }),
            Verdict::Damaged(damage) => Err(JournalError::damaged(&found.segment.path, end, damage)),
        }
    }

    fn look(
        &mut self,
        index: usize,
        found: &Found,
        file: &dyn DiskFile,
        end: u64,
        written: bool,
    ) -> Result<Seen, JournalError> {
        let segment = &found.segment;
        let stray = written && scan::frame_at(&mut self.window, file, segment, end, segment.bytes)?.is_some();
        let later = written && !stray && scan::later_frame(file, segment, end + 1)?.is_some();
        let later = later && !planted::is(Planted::DamageTakenForTail);
        let persisted = self.checkpoint_seq >= self.next_seq(found);
        Ok(Seen { written, stray, later, next: self.next(index, found), persisted })
    }

    /// Sequence of the record that should come. With no chain, no frame was good and none is known before: then
    /// nothing can be below the checkpoint but what it says itself.
    fn next_seq(&self, found: &Found) -> u64 {
        self.chain(found).map_or(self.checkpoint_seq, |chain| chain.next_seq)
    }

    fn next(&self, index: usize, found: &Found) -> Next {
        match self.used.get(index + 1).map(|next| next.first) {
            None => Next::Untouched,
            Some(None) => Next::Begun,
            Some(Some(head)) => match self.chain(found) {
                Some(chain) if !chain.is_followed_by(&head) => Next::Gap,
                _ => Next::Follows,
            },
        }
    }
}
