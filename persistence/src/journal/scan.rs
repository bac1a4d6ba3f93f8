use super::disk::{DiskFile, read_full_at};
use super::error::JournalError;
use super::layout::{
    FLAG_SYNCED, FRAME_BODY_MAX, FRAME_MAGIC, FRAME_VERSION, HEAD_BYTES, Head, RECORD_BYTES_MIN,
};
use super::segment::Segment;
use super::window::Window;
use crate::planted::{self, Planted};

/// Bytes that are looked through at once.
const STEP: u64 = 1024 * 1024;

/// The head at `offset`, if one of this segment stands there whose frame would end before `limit`. Its body has
/// not been looked at.
pub(super) fn head_at(
    window: &mut Window,
    file: &dyn DiskFile,
    segment: &Segment,
    offset: u64,
    limit: u64,
) -> Result<Option<Head>, JournalError> {
    let bytes =
        window.bytes(file, offset, HEAD_BYTES, limit).map_err(JournalError::disk("read", &segment.path))?;
    let Some(head) = Head::decode(bytes) else { return Ok(None) };
    if head.version > FRAME_VERSION {
        let (found, known) = (u32::from(head.version), u32::from(FRAME_VERSION));
        return Err(JournalError::NewerVersion { file: segment.path.clone(), offset, found, known });
    }
    Ok(Some(head).filter(|head| belongs(head, segment, limit.saturating_sub(offset))))
}

/// Whether a head whose checksum is right counts in this segment and fits into `room`.
fn belongs(head: &Head, segment: &Segment, room: u64) -> bool {
    head.node == segment.node
        && (head.number == segment.number || planted::is(Planted::SegmentNumberNotChecked))
        && head.count > 0
        && head.first_seq > 0
        && head.last_seq().is_some()
        && head.body_len as usize <= FRAME_BODY_MAX
        && u64::from(head.count) * RECORD_BYTES_MIN as u64 <= u64::from(head.body_len)
        && head.frame_bytes() <= room
}

/// The whole frame at `offset`, if there is one: both checksums right, of this segment, before `limit`.
pub(super) fn frame_at<'w>(
    window: &'w mut Window,
    file: &dyn DiskFile,
    segment: &Segment,
    offset: u64,
    limit: u64,
) -> Result<Option<(Head, &'w [u8])>, JournalError> {
    let Some(head) = head_at(window, file, segment, offset, limit)? else { return Ok(None) };
    let length = HEAD_BYTES + head.body_len as usize;
    let bytes =
        window.bytes(file, offset, length, limit).map_err(JournalError::disk("read", &segment.path))?;
    let body = bytes.get(HEAD_BYTES..length);
    let holds = |body: &&[u8]| crc32c::crc32c(body) == head.body_crc || planted::is(Planted::BodyNotChecked);
    Ok(body.filter(holds).map(|body| (head, body)))
}

/// Offset of the first whole frame at or behind `from` that proves that everything before it was once synced.
pub(super) fn later_frame(
    file: &dyn DiskFile,
    segment: &Segment,
    from: u64,
) -> Result<Option<u64>, JournalError> {
    search(file, segment, from, &mut |offset, head, _| {
        if head.flags & FLAG_SYNCED != 0 { Found::Stop(offset) } else { Found::GoOn }
    })
}

/// Shows every whole frame at or behind `from`, whatever stands between them.
pub(super) fn whole_frames(
    file: &dyn DiskFile,
    segment: &Segment,
    from: u64,
    show: &mut dyn FnMut(&Head, &[u8]),
) -> Result<(), JournalError> {
    let every = &mut |_, head: &Head, body: &[u8]| {
        show(head, body);
        Found::GoOn
    };
    search(file, segment, from, every).map(drop)
}

/// Whether a search has found what it looked for.
enum Found {
    Stop(u64),
    GoOn,
}

fn search(
    file: &dyn DiskFile,
    segment: &Segment,
    from: u64,
    look: &mut dyn FnMut(u64, &Head, &[u8]) -> Found,
) -> Result<Option<u64>, JournalError> {
    let mut steps = Window::default();
    let mut frames = Window::default();
    let mut at = from;
    while at < segment.bytes {
        let overlap = FRAME_MAGIC.len() as u64 - 1;
        let length = usize::try_from(STEP + overlap).unwrap_or(usize::MAX);
        let bytes = steps
            .bytes(file, at, length, segment.bytes)
            .map_err(JournalError::disk("read", &segment.path))?;
        for offset in magic_in(bytes).map(|found| at + found as u64) {
            let frame = frame_at(&mut frames, file, segment, offset, segment.bytes)?;
            if let Some((head, body)) = frame
                && let Found::Stop(found) = look(offset, &head, body)
            {
                return Ok(Some(found));
            }
        }
        at += STEP;
    }
    Ok(None)
}

fn magic_in(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let windows = bytes.windows(FRAME_MAGIC.len()).enumerate();
    windows.filter(|(_, window)| *window == FRAME_MAGIC).map(|(offset, _)| offset)
}

/// Offset of the last byte at or behind `from` that is not zero.
pub(super) fn last_written(
    file: &dyn DiskFile,
    segment: &Segment,
    from: u64,
) -> Result<Option<u64>, JournalError> {
    let mut buffer = vec![0; usize::try_from(STEP.min(segment.bytes)).unwrap_or_default()];
    let mut to = segment.bytes;
    while to > from {
        let start = to.saturating_sub(STEP).max(from);
        let length = usize::try_from(to - start).unwrap_or_default();
        let part = buffer.get_mut(..length).unwrap_or_default();
        read_full_at(file, part, start).map_err(JournalError::disk("read", &segment.path))?;
        if let Some(found) = part.iter().rposition(|&byte| byte != 0) {
            return Ok(Some(start + found as u64));
        }
        to = start;
    }
    Ok(None)
}
