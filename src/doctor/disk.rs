//! The disk under the journal: how long a sync takes, whether it is one, how much room there is.

use super::Finding;
use crate::bench::file_system;
use crate::config::Config;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Syncs that are timed.
const SYNCS: usize = 200;

/// Bytes of each write: a small group.
const BLOCK: usize = 4_096;

/// Above this every group waits noticeably: the whole answer has a budget of half a second.
const SLOW: Duration = Duration::from_millis(20);

/// Faster than any disk that keeps what it acknowledged; a controller with a battery takes longer than this too.
const TOO_FAST: Duration = Duration::from_micros(10);

/// File systems that a power failure empties.
const VOLATILE: [&str; 2] = ["tmpfs", "ramfs"];

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncTimes {
    /// The middle.
    pub p50: Duration,
    /// 99 of 100 are faster.
    pub p99: Duration,
}

/// Measures in `journal.dir`, or in the nearest directory above it that is there; what is written is gone afterwards.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let dir = existing(Path::new(&config.journal.dir));
    let kind = file_system(&dir).unwrap_or_else(|| "unknown".to_owned());
    let sync = match measure(&dir) {
        Ok(times) => judge(times, &kind),
        Err(error) => Finding::fail(
            "disk sync",
            format!("{}: {error}", dir.display()),
            "make journal.dir writable for the user that runs the engine",
        ),
    };
    vec![sync, room(config, &dir)]
}

fn existing(dir: &Path) -> PathBuf {
    let there = dir.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("."));
    if there.as_os_str().is_empty() { PathBuf::from(".") } else { there.to_path_buf() }
}

/// Into a file that has its length already, as the journal's segments have.
fn measure(dir: &Path) -> io::Result<SyncTimes> {
    let file: File = tempfile::tempfile_in(dir)?;
    let block = [1; BLOCK];
    for place in (0u64..).step_by(BLOCK).take(SYNCS) {
        file.write_all_at(&[0; BLOCK], place)?;
    }
    file.sync_all()?;
    let mut times = Vec::with_capacity(SYNCS);
    for place in (0u64..).step_by(BLOCK).take(SYNCS) {
        let begun = Instant::now();
        file.write_all_at(&block, place)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |place: usize| times.get(place).copied().unwrap_or_default();
    Ok(SyncTimes { p50: at(SYNCS / 2), p99: at(SYNCS * 99 / 100) })
}

/// What these times mean on a file system of this kind.
pub fn judge(times: SyncTimes, kind: &str) -> Finding {
    let found =
        format!("{kind}: a write and sync of 4 KiB takes {:?} (p50), {:?} (p99)", times.p50, times.p99);
    if VOLATILE.contains(&kind) {
        let advice = "set journal.dir to a disk: in memory, no order survives a power failure";
        return Finding::fail("disk sync", found, advice);
    }
    if times.p50 < TOO_FAST {
        let advice = "no disk is that fast: whatever acknowledges here does not write; a power failure may take answered orders with it";
        return Finding::warn("disk sync", found, advice);
    }
    if times.p99 > SLOW {
        let advice = "put journal.dir on a faster or less busy disk (an SSD with power-loss protection): every answer waits for a sync";
        return Finding::warn("disk sync", found, advice);
    }
    Finding::ok("disk sync", found)
}

/// The journal may grow to its budget; below four segments the engine cannot work at all.
fn room(config: &Config, dir: &Path) -> Finding {
    let name = "free disk";
    let free = match rustix::fs::statvfs(dir) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => {
            return Finding::fail(name, format!("{}: {error}", dir.display()), "look at the file system");
        }
    };
    let used = used(Path::new(&config.journal.dir));
    let (budget, segment) = (config.journal.max_bytes.0, config.segment_bytes());
    let found = format!("{} free, journal {} of {}", size(free), size(used), size(budget));
    if free.saturating_add(used) < segment.saturating_mul(4) {
        return Finding::fail(name, found, "make room: the journal needs four segments to begin with");
    }
    if free.saturating_add(used) < budget {
        let advice = "set journal.max_bytes below what the disk has: the engine sheds in good order at its budget, not at a full disk";
        return Finding::warn(name, found, advice);
    }
    Finding::ok(name, found)
}

fn used(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).sum()
}

fn size(bytes: u64) -> String {
    match bytes >> 30 {
        0 => format!("{} MiB", bytes >> 20),
        gib => format!("{gib} GiB"),
    }
}
