//! The clock: order times, invoice years and expiry come from it.

use super::Finding;
use crate::config::Config;
use std::time::{Duration, SystemTime};

/// Programs that keep a clock right, as the kernel shortens their names.
const KEEPERS: [&str; 6] = ["chronyd", "ntpd", "systemd-timesyn", "openntpd", "ntpd-rs", "ptp4l"];

/// A file may be written while this runs, and file systems round.
const TOLERANCE: Duration = Duration::from_secs(2);

/// Whether it runs backwards, and whether somebody keeps it.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    vec![behind_files(config), kept()]
}

/// Files of the engine that are newer than now were written before the clock was set back.
fn behind_files(config: &Config) -> Finding {
    let files = std::fs::read_dir(&config.journal.dir).into_iter().flatten().flatten();
    let newest = files.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max();
    let ahead = newest.and_then(|newest| newest.duration_since(SystemTime::now()).ok());
    match ahead.filter(|ahead| *ahead > TOLERANCE) {
        None => Finding::ok("clock", "not behind the journal's files"),
        Some(ahead) => Finding::fail(
            "clock",
            format!("{ahead:?} behind the journal's newest file: it was set back"),
            "set the clock right before the engine is started: new orders would be dated before old ones",
        ),
    }
}

fn kept() -> Finding {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut names = processes.filter_map(|process| std::fs::read_to_string(process.path().join("comm")).ok());
    match names.find(|name| KEEPERS.contains(&name.trim())) {
        Some(name) => Finding::ok("clock service", format!("{} is running", name.trim())),
        None => Finding::warn(
            "clock service",
            format!("none of {} is running here", KEEPERS.join(", ")),
            "let chrony or systemd-timesyncd keep the clock; inside a container the host's service counts, which cannot be seen from here",
        ),
    }
}
