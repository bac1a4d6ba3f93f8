//! The way past damage: keeps what is sound up to the damage, sets copies of the rest aside, and says what is lost.

mod look;

use super::config::JournalConfig;
use super::cut;
use super::disk::{Disk, DiskFile, RealDisk, write_zeros};
use super::error::JournalError;
use super::recovery::{self, RecoverFrom};
use super::segment::PREPARING;
use crate::model::OrderId;
use look::{Plan, Rewrite};
use std::path::{Path, PathBuf};

/// What a repair gives up, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairReport {
    /// Why the engine refuses this journal: the first damage, with file and offset.
    pub damage: String,
    /// Sequence of the last record that is kept; where none is, the one before the first.
    pub kept_last_seq: u64,
    /// What stands behind the last record that is kept, file by file; empty where no record is lost.
    pub lost: Vec<LostBytes>,
    /// Sequence of the first lost record; `None` where none is lost.
    pub first_lost_seq: Option<u64>,
    /// The highest sequence that can still be read behind the damage: lost up to there at least.
    pub last_lost_seq: Option<u64>,
    /// Records behind the damage that can be read, but follow a gap: given up all the same.
    pub readable_records: u64,
    /// Orders that are named in them, in the order of their ids.
    pub order_ids: Vec<OrderId>,
    /// Older segments that go: the store has everything in them.
    pub not_needed: Vec<PathBuf>,
    /// Where the copies of all files that are changed lie; `None` as long as nothing was.
    pub copies: Option<PathBuf>,
}

/// Bytes that a repair gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostBytes {
    /// The segment.
    pub file: PathBuf,
    /// Where they begin.
    pub offset: u64,
    /// From there to the last byte that is not zero.
    pub bytes: u64,
}

/// What [`repair`] would do; `None`: the journal is sound. Changes nothing.
///
/// # Errors
/// As [`repair`].
pub fn plan_repair(config: &JournalConfig, from: RecoverFrom) -> Result<Option<RepairReport>, JournalError> {
    plan_repair_on(&RealDisk, config, from)
}

/// [`plan_repair`] on a disk of the caller's.
///
/// # Errors
/// As [`repair`].
pub fn plan_repair_on(
    disk: &dyn Disk,
    config: &JournalConfig,
    from: RecoverFrom,
) -> Result<Option<RepairReport>, JournalError> {
    let _lock = recovery::lock(disk, &config.dir)?;
    Ok(look::plan(disk, &config.dir, from)?.map(|plan| plan.report))
}

/// Cuts the journal behind its last sound record, after copies of every file that it changes are safe in
/// `repaired-<n>` in the same directory. `None`: it is sound, and nothing was done. A crash in between leaves a
/// journal that is damaged at the same place, or sound up to there: another call finishes.
///
/// # Errors
/// [`JournalError::Locked`] where an engine runs; refusals that are no damage ([`JournalError::NewerVersion`],
/// [`JournalError::ShorterThanStore`], [`JournalError::BeginsAfterStore`], a journal of another node);
/// [`JournalError::Disk`]: may be tried again.
pub fn repair(config: &JournalConfig, from: RecoverFrom) -> Result<Option<RepairReport>, JournalError> {
    repair_on(&RealDisk, config, from)
}

/// [`repair`] on a disk of the caller's.
///
/// # Errors
/// As [`repair`].
pub fn repair_on(
    disk: &dyn Disk,
    config: &JournalConfig,
    from: RecoverFrom,
) -> Result<Option<RepairReport>, JournalError> {
    let dir = config.dir.as_path();
    let _lock = recovery::lock(disk, dir)?;
    let Some(mut plan) = look::plan(disk, dir, from)? else { return Ok(None) };
    plan.report.copies = Some(set_copies_aside(disk, dir, &plan)?);
    // From the back: as long as something is left behind the damage, it still shows as damage.
    for file in plan.remove.iter().rev() {
        remove(disk, dir, file)?;
    }
    for rewrite in &plan.rewrite {
        write_whole(disk, dir, rewrite)?;
    }
    // From the front, so that a crash in between leaves no gap.
    for file in &plan.report.not_needed {
        remove(disk, dir, file)?;
    }
    Ok(Some(plan.report))
}

fn remove(disk: &dyn Disk, dir: &Path, file: &Path) -> Result<(), JournalError> {
    disk.remove(file).map_err(JournalError::disk("remove", file))?;
    disk.sync_dir(dir).map_err(JournalError::disk("sync", dir))
}

/// Copies every file that is about to change, and makes the copies safe.
fn set_copies_aside(disk: &dyn Disk, dir: &Path, plan: &Plan) -> Result<PathBuf, JournalError> {
    let names = disk.list(dir).map_err(JournalError::disk("list", dir))?;
    let mut free = (1_u32..).map(|time| format!("repaired-{time}")).filter(|name| !names.contains(name));
    let aside = dir.join(free.next().unwrap_or_default());
    disk.create_dir(&aside).map_err(JournalError::disk("create", &aside))?;
    let rewritten = plan.rewrite.iter().map(|rewrite| &rewrite.file);
    for file in plan.remove.iter().chain(rewritten).chain(&plan.report.not_needed) {
        let name = file.file_name().unwrap_or_default();
        let copy = aside.join(name);
        let source = disk.open(file, false).map_err(JournalError::disk("open", file))?;
        let size = source.size().map_err(JournalError::disk("measure", file))?;
        let target = disk.create(&copy).map_err(JournalError::disk("create", &copy))?;
        cut::copy_bytes(source.as_ref(), 0, size, target.as_ref(), 0)
            .and_then(|()| target.sync_all())
            .map_err(JournalError::disk("save a copy as", &copy))?;
    }
    disk.sync_dir(&aside).map_err(JournalError::disk("sync", &aside))?;
    disk.sync_dir(dir).map_err(JournalError::disk("sync", dir))?;
    Ok(aside)
}

/// Writes a segment anew with what is kept of it and zeros behind; it takes the old one's place in one step.
fn write_whole(disk: &dyn Disk, dir: &Path, rewrite: &Rewrite) -> Result<(), JournalError> {
    let preparing = dir.join(PREPARING);
    let source = disk.open(&rewrite.file, false).map_err(JournalError::disk("open", &rewrite.file))?;
    let present = source.size().map_err(JournalError::disk("measure", &rewrite.file))?;
    let kept = rewrite.kept.min(present);
    let target = disk.create(&preparing).map_err(JournalError::disk("create", &preparing))?;
    fill(source.as_ref(), target.as_ref(), kept, rewrite.bytes)
        .map_err(JournalError::disk("write", &preparing))?;
    disk.rename(&preparing, &rewrite.file).map_err(JournalError::disk("name", &rewrite.file))?;
    disk.sync_dir(dir).map_err(JournalError::disk("sync", dir))
}

fn fill(source: &dyn DiskFile, target: &dyn DiskFile, kept: u64, bytes: u64) -> std::io::Result<()> {
    cut::copy_bytes(source, 0, kept, target, 0)?;
    write_zeros(target, kept, bytes, |_| Ok(()))?;
    target.sync_all()
}
