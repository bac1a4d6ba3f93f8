use super::codec;
use super::disk::DiskFile;
use super::error::{Damage, JournalError};
use super::frame::{Frame, FramePosition};
use super::layout::{FRAMES_AT, Head};
use super::ledger::Ledger;
use super::recovery::unreadable;
use super::scan;
use super::segment::{Chain, Segment};
use super::window::Window;
use std::io;
use std::sync::Arc;

/// Reads frames in order. Both checksums and the chain are checked for every one; after an error it is at its
/// end.
///
/// `None` says that nothing more is synced; asked again later it goes on.
#[derive(Debug)]
pub struct FrameReader {
    ledger: Arc<Ledger>,
    /// Frames that end before this sequence are passed over.
    wanted_seq: u64,
    open: Option<Open>,
    chain: Option<Chain>,
    window: Window,
    failed: bool,
}

/// The segment that is being read. Holding it keeps its file from being used again.
#[derive(Debug)]
struct Open {
    segment: Arc<Segment>,
    file: Box<dyn DiskFile>,
    offset: u64,
}

impl FrameReader {
    pub(super) fn new(ledger: Arc<Ledger>, seq: u64) -> Self {
        let window = Window::default();
        Self { ledger, wanted_seq: seq.max(1), open: None, chain: None, window, failed: false }
    }

    fn read_next(&mut self) -> Result<Option<Frame>, JournalError> {
        if self.open.is_none() && !self.open_first()? {
            return Ok(None);
        }
        loop {
            match self.step()? {
                Step::Frame(frame) => return Ok(Some(frame)),
                Step::Passed => {}
                Step::End => return Ok(None),
            }
        }
    }

    fn open_first(&mut self) -> Result<bool, JournalError> {
        let Some(segment) = self.ledger.segment_of(self.wanted_seq) else { return Ok(false) };
        let first_seq = segment.first_seq().unwrap_or(segment.start_seq);
        if first_seq > self.wanted_seq {
            return Err(JournalError::NotRetained { seq: self.wanted_seq, first_seq });
        }
        self.chain = segment.opening();
        self.open(segment)?;
        Ok(true)
    }

    fn open(&mut self, segment: Arc<Segment>) -> Result<(), JournalError> {
        let file = open_file(&self.ledger, &segment)?;
        self.window.clear();
        self.open = Some(Open { segment, file, offset: FRAMES_AT as u64 });
        Ok(())
    }

    /// Takes in the next frame, or goes on to the next segment.
    fn step(&mut self) -> Result<Step, JournalError> {
        let Some(open) = &mut self.open else { return Ok(Step::End) };
        let (segment, offset) = (Arc::clone(&open.segment), open.offset);
        let limit = segment.end();
        if offset >= limit {
            return self.next_segment(&segment, offset, limit);
        }
        let frame = scan::frame_at(&mut self.window, open.file.as_ref(), &segment, offset, limit)?;
        let follows = |head: &Head| self.chain.is_none_or(|chain| chain.is_followed_by(head));
        let Some((head, body)) = frame.filter(|(head, _)| follows(head)) else {
            return self.next_segment(&segment, offset, limit);
        };
        open.offset += head.frame_bytes();
        self.chain = Some(Chain::after(&head));
        if head.last_seq().is_none_or(|last| last < self.wanted_seq) {
            return Ok(Step::Passed);
        }
        decode(&segment, offset, &head, body).map(Step::Frame)
    }

    /// Behind the last frame that is seen before `limit`. In a closed segment that must have been the last one:
    /// else the next segment's first frame does not carry the chain on.
    fn next_segment(&mut self, segment: &Segment, offset: u64, limit: u64) -> Result<Step, JournalError> {
        let next = self.ledger.segment_number(segment.number + 1);
        if segment.end() != limit {
            return Ok(Step::Passed); // the writer published more here before it went on
        }
        let Some(next) = next.filter(|next| next.first_seq().is_some()) else {
            return self.at_end(segment, offset, limit);
        };
        let chain = self.chain;
        self.open(Arc::clone(&next))?;
        let Some(open) = &self.open else { return Ok(Step::End) };
        let head = scan::head_at(&mut self.window, open.file.as_ref(), &next, open.offset, next.end())?;
        match head.filter(|head| chain.is_none_or(|chain| chain.is_followed_by(head))) {
            Some(_) => Ok(Step::Passed),
            None => Err(JournalError::damaged(&segment.path, offset, Damage::FramesMissing)),
        }
    }

    /// There is no segment to go on in.
    fn at_end(&self, segment: &Segment, offset: u64, limit: u64) -> Result<Step, JournalError> {
        let first_seq = self.ledger.first_retained_seq();
        let seq = self.chain.map_or(self.wanted_seq, |chain| chain.next_seq);
        if seq < first_seq {
            return Err(JournalError::NotRetained { seq, first_seq });
        }
        if offset < limit {
            return Err(JournalError::damaged(&segment.path, offset, Damage::BadFrame));
        }
        Ok(Step::End)
    }
}

enum Step {
    Frame(Frame),
    Passed,
    End,
}

impl Iterator for FrameReader {
    type Item = Result<Frame, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.read_next();
        self.failed = next.is_err();
        next.transpose()
    }
}

/// One frame at a known place.
pub(super) fn read_at(ledger: &Ledger, position: FramePosition) -> Result<Frame, JournalError> {
    let none = JournalError::NoSuchFrame { segment: position.segment, offset: position.offset };
    let Some(segment) = ledger.segment_number(position.segment) else { return Err(none) };
    let file = match open_file(ledger, &segment) {
        // It was released between the look and the open.
        Err(JournalError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(none);
        }
        opened => opened?,
    };
    let frame = read_exactly(&segment, file.as_ref(), u64::from(position.offset))?;
    frame.ok_or(none)
}

fn read_exactly(segment: &Segment, file: &dyn DiskFile, offset: u64) -> Result<Option<Frame>, JournalError> {
    let mut window = Window::of_one_frame();
    if offset < FRAMES_AT as u64 {
        return Ok(None);
    }
    let Some((head, body)) = scan::frame_at(&mut window, file, segment, offset, segment.end())? else {
        return Ok(None);
    };
    decode(segment, offset, &head, body).map(Some)
}

fn open_file(ledger: &Ledger, segment: &Segment) -> Result<Box<dyn DiskFile>, JournalError> {
    ledger.disk.open(&segment.path, false).map_err(JournalError::disk("open", &segment.path))
}

fn decode(segment: &Segment, offset: u64, head: &Head, body: &[u8]) -> Result<Frame, JournalError> {
    let records = codec::decode_body(body, head.first_seq, head.count)
        .map_err(|why| unreadable(why, &segment.path, offset))?;
    let place = u32::try_from(offset).unwrap_or(u32::MAX);
    let position = FramePosition { segment: segment.number, offset: place };
    Ok(Frame { position, first_seq: head.first_seq, records })
}
