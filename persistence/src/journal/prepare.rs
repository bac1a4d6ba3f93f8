//! Prepares segments ahead of the writer and lets consumed ones go, on a thread of its own: appending must never
//! wait for a file to be made.

use super::config::SPARES;
use super::disk::{Disk, DiskFile, write_all_at, write_zeros};
use super::error::JournalError;
use super::layout::{FRAMES_AT, SEGMENT_VERSION, SegmentHeader};
use super::ledger::{Ledger, Spare};
use super::segment::{self, PREPARING, Segment};
use crate::model::{NodeId, Timestamp};
use crate::planted::{self, Planted};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often the age of consumed segments is looked at when nothing else happens.
const AGE_CHECK: Duration = Duration::from_secs(1);

/// Pause after a segment could not be prepared.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Zeros are synced in portions, so that the writer's own sync never queues behind a whole segment.
const SYNC_EVERY_BYTES: u64 = 4 * 1024 * 1024;

/// The thread. It ends when the ledger says so or is poisoned.
pub(super) fn start(ledger: Arc<Ledger>, node: NodeId) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("journal-prepare".to_owned()).spawn(move || {
        let attended = Attended(&ledger);
        let mut starved = false;
        while let Some(Round { seen, pause, failed }) = round(attended.0, node, starved) {
            starved = failed;
            attended.0.wait_unless_changed(seen, pause);
        }
    })
}

/// Tells those who wait for a segment when the thread is gone, be it by panic.
struct Attended<'a>(&'a Ledger);

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.unattended = true);
    }
}

/// What one round came to.
struct Round {
    /// The state that it saw.
    seen: u64,
    /// How long to wait unless the state changes.
    pause: Duration,
    /// No segment could be prepared.
    failed: bool,
}

/// Lets one segment go and prepares one, if need be; `None`: the end. Where the last round `failed`, the disk may
/// be full: then consumed segments are used again whatever their age.
fn round(ledger: &Ledger, node: NodeId, starved: bool) -> Option<Round> {
    let (seen, stopping, spares) = {
        let state = ledger.state();
        (state.changes, state.stopping, state.spares.len() as u64)
    };
    if stopping || ledger.poison.is_set() {
        return None;
    }
    let missing = spares < SPARES;
    let done = match ledger.retire_oldest(Timestamp::now(), SPARES, starved) {
        Some(segment) => let_go(ledger, node, segment, missing),
        None if missing => add_spare(ledger, node, None),
        None => return Some(Round { seen, pause: AGE_CHECK, failed: false }),
    };
    let failed = done.is_err();
    let pause = done.map_or_else(|error| report(ledger, &error), |()| Duration::ZERO);
    Some(Round { seen, pause, failed })
}

fn report(ledger: &Ledger, error: &JournalError) -> Duration {
    if !ledger.state().stopping && !ledger.poison.is_set() {
        tracing::warn!(%error, "cannot prepare a journal segment; trying again");
    }
    RETRY_PAUSE
}

/// Takes a consumed segment out of the row, and into use again where one is missing and nobody reads it.
fn let_go(ledger: &Ledger, node: NodeId, segment: Arc<Segment>, missing: bool) -> Result<(), JournalError> {
    let unread = Arc::strong_count(&segment) == 1;
    if missing && unread && segment.bytes == ledger.segment_bytes {
        let preparing = ledger.dir.join(PREPARING);
        take_out(ledger, &segment, |disk| disk.rename(&segment.path, &preparing))?;
        let file = ledger.disk.open(&preparing, true).map_err(JournalError::disk("open", &preparing))?;
        return add_spare(ledger, node, Some(file));
    }
    take_out(ledger, &segment, |disk| disk.remove(&segment.path))
}

/// Renames or removes a file that holds records, and makes that safe before a newer one may follow: the row must
/// never have a gap. A failure poisons.
fn take_out(
    ledger: &Ledger,
    segment: &Segment,
    out: impl FnOnce(&dyn Disk) -> io::Result<()>,
) -> Result<(), JournalError> {
    let disk = ledger.disk.as_ref();
    out(disk)
        .map_err(JournalError::disk("retire", &segment.path))
        .and_then(|()| {
            if planted::is(Planted::OldSegmentNotInDirectory) {
                Ok(())
            } else {
                disk.sync_dir(&ledger.dir).map_err(JournalError::disk("sync", &ledger.dir))
            }
        })
        .map_err(|error| ledger.poison.set(error))
        .inspect_err(|_| ledger.change(|_| ()))
}

/// Prepares the next segment, in `file` where one is there to be used again.
fn add_spare(ledger: &Ledger, node: NodeId, file: Option<Box<dyn DiskFile>>) -> Result<(), JournalError> {
    let number = ledger.state().next_number();
    let bytes = u32::try_from(ledger.segment_bytes).unwrap_or(u32::MAX);
    let header = SegmentHeader { version: SEGMENT_VERSION, bytes, node: node.0, number, start_seq: 0 };
    let stopping = || ledger.state().stopping;
    let (disk, dir) = (ledger.disk.as_ref(), ledger.dir.as_path());
    let spare = match file {
        Some(file) => finish(disk, dir, &header, file, &stopping)?,
        None => create(disk, dir, &header, &stopping)?,
    };
    ledger.change(|state| state.spares.push_back(spare));
    Ok(())
}

/// Makes a whole and empty segment. It has its name only once every byte of it is safe; what a failure leaves
/// behind is overwritten by the next try.
pub(super) fn create(
    disk: &dyn Disk,
    dir: &Path,
    header: &SegmentHeader,
    stopping: &dyn Fn() -> bool,
) -> Result<Spare, JournalError> {
    let preparing = dir.join(PREPARING);
    let file = disk.create(&preparing).map_err(JournalError::disk("create", &preparing))?;
    finish(disk, dir, header, file, stopping)
}

fn finish(
    disk: &dyn Disk,
    dir: &Path,
    header: &SegmentHeader,
    file: Box<dyn DiskFile>,
    stopping: &dyn Fn() -> bool,
) -> Result<Spare, JournalError> {
    let preparing = dir.join(PREPARING);
    fill(file.as_ref(), header, stopping).map_err(JournalError::disk("prepare", &preparing))?;
    let path = segment::path(dir, header.number);
    disk.rename(&preparing, &path).map_err(JournalError::disk("name", &path))?;
    if !planted::is(Planted::NewSegmentNotInDirectory) {
        disk.sync_dir(dir).map_err(JournalError::disk("sync", dir))?;
    }
    Ok(Spare { segment: Arc::new(Segment::new(path, header)), file })
}

/// Zeros everywhere, safe, and only then the header: old contents never stand behind a new one.
fn fill(file: &dyn DiskFile, header: &SegmentHeader, stopping: &dyn Fn() -> bool) -> io::Result<()> {
    let mut unsynced = 0;
    let end = u64::from(header.bytes);
    write_zeros(file, if planted::is(Planted::OldBytesKept) { end - 1 } else { 0 }, end, |written| {
        unsynced += written;
        if stopping() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if unsynced >= SYNC_EVERY_BYTES {
            unsynced = 0;
            file.sync_data()?;
        }
        Ok(())
    })?;
    file.sync_all()?;
    write_all_at(file, header.encode().get(..FRAMES_AT).unwrap_or_default(), 0)?;
    file.sync_all()
}
