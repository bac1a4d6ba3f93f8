use super::config::JournalConfig;
use super::disk::{Disk, RealDisk};
use super::error::JournalError;
use super::layout::{SEGMENT_VERSION, SegmentHeader};
use super::{prepare, recovery, segment};
use crate::model::NodeId;
use std::path::{Path, PathBuf};

/// Leaves the journal behind and begins one whose first sequence is `after_seq` + 1: the operator's answer to a
/// journal that is damaged or shorter than the store. What is there moves into `set-aside-<n>` in the same
/// directory; events in it that the store lacks are given up.
///
/// May be tried again after a failure: what was moved stays moved.
///
/// # Errors
/// [`JournalError::Locked`] where an engine runs; [`JournalError::Disk`] otherwise.
pub fn resume(config: &JournalConfig, node: NodeId, after_seq: u64) -> Result<(), JournalError> {
    resume_on(&RealDisk, config, node, after_seq)
}

/// [`resume`] on a disk of the caller's.
///
/// # Errors
/// As [`resume`].
pub fn resume_on(
    disk: &dyn Disk,
    config: &JournalConfig,
    node: NodeId,
    after_seq: u64,
) -> Result<(), JournalError> {
    config.check()?;
    let _lock = recovery::lock(disk, &config.dir)?;
    let number = set_aside(disk, &config.dir)?;
    let header = SegmentHeader {
        version: SEGMENT_VERSION,
        bytes: u32::try_from(config.segment_bytes).unwrap_or(u32::MAX),
        node: node.0,
        number,
        start_seq: after_seq.saturating_add(1),
    };
    prepare::create(disk, &config.dir, &header, &|| false).map(drop)
}

/// Moves every file that is named like a segment, however wrong its name may be. The number of the next segment,
/// so that a position in the old journal never means one in the new.
fn set_aside(disk: &dyn Disk, dir: &Path) -> Result<u64, JournalError> {
    let names = disk.list(dir).map_err(JournalError::disk("list", dir))?;
    let mut segments: Vec<&String> = names.iter().filter(|name| segment::is_like_a_segment(name)).collect();
    segments.sort_unstable();
    let next =
        segments.iter().rev().find_map(|name| segment::parse(name)).map_or(1, |last| last.saturating_add(1));
    if segments.is_empty() {
        return Ok(next);
    }
    let aside = free_dir(&names, dir);
    disk.create_dir(&aside).map_err(JournalError::disk("create", &aside))?;
    for name in segments {
        let from = dir.join(name);
        disk.rename(&from, &aside.join(name)).map_err(JournalError::disk("set aside", &from))?;
    }
    disk.sync_dir(&aside).map_err(JournalError::disk("sync", &aside))?;
    disk.sync_dir(dir).map_err(JournalError::disk("sync", dir))?;
    Ok(next)
}

fn free_dir(taken: &[String], dir: &Path) -> PathBuf {
    let mut names = (1_u32..).map(|time| format!("set-aside-{time}"));
    dir.join(names.find(|name| !taken.contains(name)).unwrap_or_default())
}
