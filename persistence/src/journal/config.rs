use super::error::JournalError;
use super::layout::{FRAME_BODY_MAX, FRAMES_AT, HEAD_BYTES};
use std::path::PathBuf;
use std::time::Duration;

/// Smallest segment: one page.
const SEGMENT_BYTES_MIN: u64 = 4 * 1024;

/// Largest segment: offsets are 32 bits wide, and a segment is the unit of recycling.
const SEGMENT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Segments that are kept ready behind the current one.
pub(super) const SPARES: u64 = 2;

/// When a frame is on the disk, and so which failure an acknowledged frame survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// After every frame: survives the death of the process, of the system and loss of power.
    Always,
    /// At the first append after this time has passed: survives the death of the process; the death of the
    /// system or loss of power takes at most what was appended since (call [`super::Writer::sync`] when idle).
    Interval(Duration),
    /// When the operating system likes: survives the death of the process, nothing else.
    Never,
}

/// Where the journal lies, how large it may become and how safe it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// Its directory, created if it is missing. Nothing else should live there.
    pub dir: PathBuf,
    /// Size of new segments in bytes, 4 KiB … 1 GiB; 64 MiB by default. Older segments keep theirs.
    pub segment_bytes: u64,
    /// Disk budget in bytes: past it consumed segments go whatever their age, and what is not consumed makes
    /// [`super::JournalHandle::over_budget`] true. At least four segments.
    pub max_bytes: u64,
    /// How long consumed segments are kept.
    pub retain: Duration,
    /// When frames are synced.
    pub sync: SyncMode,
}

impl JournalConfig {
    /// A journal in `dir` with the defaults: 64 MiB segments, a budget of 16 GiB, a day of retention, and a sync
    /// after every frame.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            segment_bytes: 64 * 1024 * 1024,
            max_bytes: 16 * 1024 * 1024 * 1024,
            retain: Duration::from_secs(24 * 60 * 60),
            sync: SyncMode::Always,
        }
    }

    /// Bytes of records that fit into one frame: a segment less its header and a head, at most 16 MiB.
    pub fn frame_body_max(&self) -> usize {
        let room = self.segment_bytes.saturating_sub((FRAMES_AT + HEAD_BYTES) as u64);
        usize::try_from(room).unwrap_or(FRAME_BODY_MAX).min(FRAME_BODY_MAX)
    }

    /// Refuses what cannot work.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        if !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&self.segment_bytes) {
            return Err(JournalError::Config { what: "journal.segment_bytes must lie in 4 KiB … 1 GiB" });
        }
        // The current segment, the spares, and one that is consumed and not yet gone.
        if self.max_bytes / self.segment_bytes < 2 + SPARES {
            return Err(JournalError::Config { what: "journal.max_bytes must hold at least four segments" });
        }
        Ok(())
    }
}
