//! Opening a journal: what is there, whether it is sound, where it ends. What the end means is decided by the
//! table in `verdict.rs`.

use super::codec::Unreadable;
use super::config::JournalConfig;
use super::disk::{Disk, LockGuard, RealDisk};
use super::error::{Damage, JournalError};
use super::handle::JournalHandle;
use super::layout::{RECORD_VERSION, SEGMENT_VERSION, SegmentHeader};
use super::ledger::{Ledger, Spare};
use super::reader::FrameReader;
use super::segment::PREPARING;
use super::survey::{Found, Survey, survey};
use super::walk::{Placed, Torn, Unseen, Walked, walk};
use super::window::Window;
use super::writer::{Place, Writer};
use super::{codec, cut, prepare, scan, segment};
use crate::model::{NodeId, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoverFrom {
    /// The store's identity; `None` when the store is empty.
    pub node: Option<NodeId>,
    /// Everything up to here is in the store; 0 when it is empty.
    pub checkpoint_seq: u64,
}

/// How the journal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TailState {
    /// With a whole frame.
    Clean,
    /// With a torn one, which was left as it is: seen by `inspect` and `verify`, which change nothing.
    Torn {
        /// The segment.
        file: PathBuf,
        /// Where the torn frame begins.
        offset: u64,
        /// From there to the last byte that is not zero.
        bytes: u64,
    },
    /// With a torn one, which was cut. It had never been acknowledged.
    Cut {
        /// The segment.
        file: PathBuf,
        /// Where the torn frame began.
        offset: u64,
        /// From there to the last byte that was not zero.
        bytes: u64,
        /// The copy of these bytes.
        saved_as: PathBuf,
    },
}

/// A journal that is sound and locked: read from it what the store lacks, then write on.
#[derive(Debug)]
pub struct Recovery {
    config: JournalConfig,
    lock: LockGuard,
    node: Option<NodeId>,
    ledger: Arc<Ledger>,
    place: Option<Place>,
    last_seq: u64,
    last_at: Timestamp,
    tail: TailState,
}

/// Opens the journal: makes its directory, locks it, checks everything that reaches beyond the checkpoint, cuts a
/// torn tail, and makes safe what may not be.
///
/// # Errors
/// Every refusal of [`JournalError`] that says so. Apart from a torn tail nothing is changed on the disk before
/// all checks have passed.
pub fn recover(config: &JournalConfig, from: RecoverFrom) -> Result<Recovery, JournalError> {
    recover_on(Arc::new(RealDisk), config, from)
}

/// [`recover`] on a disk of the caller's.
///
/// # Errors
/// As [`recover`].
pub fn recover_on(
    disk: Arc<dyn Disk>,
    config: &JournalConfig,
    from: RecoverFrom,
) -> Result<Recovery, JournalError> {
    config.check()?;
    let lock = lock(disk.as_ref(), &config.dir)?;
    let mut survey = survey(disk.as_ref(), &config.dir, from.node)?;
    check_beginning(&survey, from.checkpoint_seq)?;
    let first = first_to_read(&survey.used, from.checkpoint_seq);
    let walked = walk(disk.as_ref(), &survey.used, first, from.checkpoint_seq, &mut Unseen)?;
    let last_at = last_time(disk.as_ref(), &survey.used, &walked)?;
    let tail = settle_tail(disk.as_ref(), &config.dir, &survey.used, &walked)?;
    clean_up(disk.as_ref(), config, &mut survey, &walked)?;
    let node = survey.node();
    let last_seq = last_seq(&survey.used, &walked);
    let (ledger, place) = into_ledger(disk, config, survey, &walked, last_at)?;
    Ok(Recovery { config: config.clone(), lock, node, ledger, place, last_seq, last_at, tail })
}

/// Makes the directory and takes its lock.
pub(super) fn lock(disk: &dyn Disk, dir: &Path) -> Result<LockGuard, JournalError> {
    disk.create_dir(dir).map_err(JournalError::disk("create", dir))?;
    let file = dir.join("lock");
    let lock = disk.try_lock(&file).map_err(JournalError::disk("lock", &file))?;
    lock.ok_or(JournalError::Locked { file })
}

/// The journal must have everything that the store lacks.
pub(super) fn check_beginning(survey: &Survey, checkpoint_seq: u64) -> Result<(), JournalError> {
    let Some(found) = survey.used.first() else {
        return match checkpoint_seq {
            0 => Ok(()),
            _ => Err(JournalError::ShorterThanStore { last_seq: 0, checkpoint_seq }),
        };
    };
    let first_seq = found.first.map_or(found.segment.start_seq, |head| head.first_seq);
    if first_seq > checkpoint_seq.saturating_add(1) {
        return Err(JournalError::BeginsAfterStore { first_seq, checkpoint_seq });
    }
    Ok(())
}

/// The last segment that begins at or before the checkpoint: those before it hold nothing that the store lacks.
pub(super) fn first_to_read(used: &[Found], checkpoint_seq: u64) -> usize {
    let begins_before = |found: &Found| found.first.is_some_and(|head| head.first_seq <= checkpoint_seq);
    used.iter().rposition(begins_before).unwrap_or(0)
}

fn last_seq(used: &[Found], walked: &Walked) -> u64 {
    let start = || used.first().map_or(0, |found| found.segment.start_seq.saturating_sub(1));
    walked.last.and_then(|last| last.head.last_seq()).unwrap_or_else(start)
}

/// Time of the last record, so that time never runs backwards in the journal.
fn last_time(disk: &dyn Disk, used: &[Found], walked: &Walked) -> Result<Timestamp, JournalError> {
    let Some(Placed { index, offset, .. }) = walked.last else { return Ok(Timestamp::default()) };
    let Some(found) = used.get(index) else { return Ok(Timestamp::default()) };
    let (segment, file, mut window) = (&found.segment, found.open(disk, false)?, Window::default());
    let bad = |damage| JournalError::damaged(&segment.path, offset, damage);
    let (head, body) = scan::frame_at(&mut window, file.as_ref(), segment, offset, segment.bytes)?
        .ok_or_else(|| bad(Damage::BadFrame))?;
    let records = codec::decode_body(body, head.first_seq, head.count)
        .map_err(|why| unreadable(why, &segment.path, offset))?;
    records.last().map(|record| record.at).ok_or_else(|| bad(Damage::BadRecord))
}

/// The error for a body whose checksum is right.
pub(super) fn unreadable(why: Unreadable, file: &Path, offset: u64) -> JournalError {
    match why {
        Unreadable::NewerVersion(found) => JournalError::NewerVersion {
            file: file.to_owned(),
            offset,
            found: u32::from(found),
            known: u32::from(RECORD_VERSION),
        },
        Unreadable::Malformed => JournalError::damaged(file, offset, Damage::BadRecord),
    }
}

/// Cuts a torn tail and makes the rest safe.
fn settle_tail(
    disk: &dyn Disk,
    dir: &Path,
    used: &[Found],
    walked: &Walked,
) -> Result<TailState, JournalError> {
    let mut tail = TailState::Clean;
    if let Some((torn, found)) = walked.torn.and_then(|torn| Some((torn, used.get(torn.index)?))) {
        tail = cut_tail(disk, dir, found, torn)?;
    }
    if let Some((last, from)) = walked.last.zip(walked.last_synced)
        && let Some(found) = used.get(last.index)
    {
        // A segment is synced before the next is begun, so what is unsynced lies in the last one.
        let offset = if from.index == last.index { from.offset } else { last.offset };
        cut::write_anew(&found.segment, found.open(disk, true)?.as_ref(), offset, last.end())?;
    }
    disk.sync_dir(dir).map_err(JournalError::disk("sync", dir))?;
    Ok(tail)
}

fn cut_tail(disk: &dyn Disk, dir: &Path, found: &Found, torn: Torn) -> Result<TailState, JournalError> {
    let (segment, file) = (&found.segment, found.open(disk, true)?);
    let saved_as = cut::save(disk, dir, segment, file.as_ref(), torn.offset, torn.end)?;
    cut::zero(segment, file.as_ref(), torn.offset, torn.end)?;
    let (file, offset, bytes) = (segment.path.clone(), torn.offset, torn.end - torn.offset);
    tracing::warn!(file = %file.display(), offset, bytes, "torn tail of the journal cut");
    Ok(TailState::Cut { file, offset, bytes, saved_as })
}

/// Removes what was never finished, and empty segments whose size is not the configured one: a frame might not
/// fit into them. Segments that the cut has emptied become spares.
fn clean_up(
    disk: &dyn Disk,
    config: &JournalConfig,
    survey: &mut Survey,
    walked: &Walked,
) -> Result<(), JournalError> {
    remove_if_there(disk, &config.dir.join(PREPARING))?;
    let kept = walked.last.map_or(1, |last| last.index + 1).min(survey.used.len());
    let mut spares = survey.used.split_off(kept);
    spares.append(&mut survey.spares);
    let fits = spares.iter().take_while(|found| found.segment.bytes == config.segment_bytes).count();
    // From the back, so that a crash in between leaves no gap.
    for found in spares.drain(fits..).rev() {
        disk.remove(&found.segment.path).map_err(JournalError::disk("remove", &found.segment.path))?;
        disk.sync_dir(&config.dir).map_err(JournalError::disk("sync", &config.dir))?;
    }
    survey.spares = spares;
    Ok(())
}

/// What the writer and the readers go on with.
fn into_ledger(
    disk: Arc<dyn Disk>,
    config: &JournalConfig,
    survey: Survey,
    walked: &Walked,
    last_at: Timestamp,
) -> Result<(Arc<Ledger>, Option<Place>), JournalError> {
    let ledger = Arc::new(Ledger::new(disk, config));
    let place = survey.used.last().map(|found| place(&ledger, found, walked, last_at)).transpose()?;
    let spares: Result<_, JournalError> =
        survey.spares.into_iter().map(|found| spare(&ledger, &found)).collect();
    let spares = spares?;
    // Whatever was found has been made safe, or had been before the next segment was begun.
    survey.used.iter().for_each(|found| found.segment.synced());
    ledger.change(|state| {
        state.used = survey.used.into_iter().map(|found| found.segment).collect();
        state.spares = spares;
    });
    Ok((ledger, place))
}

fn place(ledger: &Ledger, found: &Found, walked: &Walked, last_at: Timestamp) -> Result<Place, JournalError> {
    if let Some(last) = walked.last {
        found.segment.publish(last.head.last_seq().unwrap_or_default(), last_at, last.end());
    }
    let file = found.open(ledger.disk.as_ref(), true)?;
    let previous = walked.last.map_or(0, |last| last.head.crc);
    Ok(Place { segment: Arc::clone(&found.segment), file, previous })
}

fn spare(ledger: &Ledger, found: &Found) -> Result<Spare, JournalError> {
    Ok(Spare { segment: Arc::clone(&found.segment), file: found.open(ledger.disk.as_ref(), true)? })
}

impl Recovery {
    /// Whose journal it is; `None` where there was none.
    pub fn node(&self) -> Option<NodeId> {
        self.node
    }

    /// Sequence of the last record; of an empty journal, the one before its first.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Sequence of the first record that is kept; `None` where there is no record.
    pub fn first_seq(&self) -> Option<u64> {
        Some(self.ledger.first_retained_seq()).filter(|&first| first <= self.last_seq)
    }

    /// Time of the last record; 1970 where there is none.
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// How the journal ended.
    pub fn tail(&self) -> &TailState {
        &self.tail
    }

    /// Size of all segments.
    pub fn bytes(&self) -> u64 {
        self.ledger.total_bytes()
    }

    /// All frames with records above `seq`; the first may begin at or before it.
    pub fn frames_after(&self, seq: u64) -> FrameReader {
        FrameReader::new(Arc::clone(&self.ledger), seq.saturating_add(1))
    }

    /// A handle for readers; it stays good when the writer has come.
    pub fn handle(&self) -> JournalHandle {
        JournalHandle::new(Arc::clone(&self.ledger))
    }

    /// Begins to write: the next sequence is [`Self::last_seq`] + 1. A new journal gets its first segment here.
    ///
    /// # Errors
    /// [`JournalError::ForeignNode`] where the journal belongs to another node; [`JournalError::Disk`] where the
    /// first segment cannot be made: retry once the cause is gone.
    pub fn into_writer(mut self, node: NodeId) -> Result<Writer, JournalError> {
        let place = match self.place.take() {
            None => self.begin(node, 1)?,
            Some(place) => {
                segment::check_node(&place.segment, node)?;
                // A frame might not fit into the first segment of an empty journal: that one is made anew.
                let fits = place.segment.bytes == self.config.segment_bytes;
                let empty = place.segment.first_seq().is_none();
                if empty && !fits { self.begin(node, place.segment.number)? } else { place }
            }
        };
        Writer::start(self.ledger, place, self.lock, node, self.config.sync, self.last_seq + 1)
    }

    /// Makes the segment with which the journal begins.
    fn begin(&self, node: NodeId, number: u64) -> Result<Place, JournalError> {
        let ledger = &self.ledger;
        let bytes = u32::try_from(ledger.segment_bytes).unwrap_or(u32::MAX);
        let header = SegmentHeader {
            version: SEGMENT_VERSION,
            bytes,
            node: node.0,
            number,
            start_seq: self.last_seq + 1,
        };
        let Spare { segment, file } = prepare::create(ledger.disk.as_ref(), &ledger.dir, &header, &|| false)?;
        ledger.change(|state| state.used = [Arc::clone(&segment)].into());
        Ok(Place { segment, file, previous: 0 })
    }
}

fn remove_if_there(disk: &dyn Disk, file: &Path) -> Result<(), JournalError> {
    match disk.remove(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(JournalError::disk("remove", file)(error))
        }
        _ => Ok(()),
    }
}
