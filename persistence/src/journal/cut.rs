//! What recovery changes: a torn tail is saved and zeroed, and what may be unsynced is made safe.

use super::disk::{Disk, DiskFile, read_full_at, write_all_at, write_zeros};
use super::error::JournalError;
use super::segment::Segment;
use crate::planted::{self, Planted};
use std::io;
use std::path::{Path, PathBuf};

/// Copies what is cut, from `offset` up to `end`, to a file beside the journal, and makes the copy safe.
pub(super) fn save(
    disk: &dyn Disk,
    dir: &Path,
    segment: &Segment,
    file: &dyn DiskFile,
    offset: u64,
    end: u64,
) -> Result<PathBuf, JournalError> {
    let copy = free_name(disk, dir, segment.number, offset)?;
    let cannot_save = |error: io::Error| JournalError::disk("save what is cut to", &copy)(error);
    let target = disk.create(&copy).map_err(cannot_save)?;
    copy_bytes(file, offset, end, target.as_ref(), 0).map_err(cannot_save)?;
    target.sync_all().map_err(cannot_save)?;
    disk.sync_dir(dir).map_err(JournalError::disk("sync", dir))?;
    Ok(copy)
}

/// `cut-<segment>-<offset>.bin`, with a number behind it where one was cut there before.
fn free_name(disk: &dyn Disk, dir: &Path, number: u64, offset: u64) -> Result<PathBuf, JournalError> {
    let taken = disk.list(dir).map_err(JournalError::disk("list", dir))?;
    let again = (2_u32..).map(|time| format!("cut-{number:020}-{offset}-{time}.bin"));
    let names = std::iter::once(format!("cut-{number:020}-{offset}.bin")).chain(again);
    let free = names.into_iter().find(|name| !taken.contains(name));
    Ok(dir.join(free.unwrap_or_default()))
}

/// Zeroes what was cut and makes that safe.
pub(super) fn zero(
    segment: &Segment,
    file: &dyn DiskFile,
    offset: u64,
    end: u64,
) -> Result<(), JournalError> {
    write_zeros(file, if planted::is(Planted::TailNotZeroed) { end } else { offset }, end, |_| Ok(()))
        .and_then(|()| file.sync_data())
        .map_err(JournalError::disk("zero the torn tail of", &segment.path))
}

/// Writes the bytes from `offset` up to `end` once more and syncs them. What was read may only have been in
/// memory: a sync that failed before may have marked it as written, and a sync alone would then do nothing.
pub(super) fn write_anew(
    segment: &Segment,
    file: &dyn DiskFile,
    offset: u64,
    end: u64,
) -> Result<(), JournalError> {
    copy_bytes(file, if planted::is(Planted::TailNotWrittenAnew) { end } else { offset }, end, file, offset)
        .and_then(|()| file.sync_data())
        .map_err(JournalError::disk("make safe", &segment.path))
}

/// Copies `offset`..`end` to `target` of the other file.
pub(super) fn copy_bytes(
    from: &dyn DiskFile,
    mut offset: u64,
    end: u64,
    to: &dyn DiskFile,
    mut target: u64,
) -> io::Result<()> {
    const STEP: u64 = 1024 * 1024;
    let mut buffer = vec![0; usize::try_from(STEP.min(end.saturating_sub(offset))).unwrap_or_default()];
    while offset < end {
        let length = usize::try_from(STEP.min(end - offset)).unwrap_or_default();
        let part = buffer.get_mut(..length).unwrap_or_default();
        if read_full_at(from, part, offset)? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        write_all_at(to, part, target)?;
        offset += length as u64;
        target += length as u64;
    }
    Ok(())
}
