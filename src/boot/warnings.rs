//! What is allowed and may still surprise: said once, at the start.

use crate::config::{Config, Setting, descriptors_needed};
use crate::http::BATCH_MAX;
use floodgate_persistence::journal::SyncMode;

/// Logs everything that an operator should know about this configuration.
pub(super) fn say(config: &Config) {
    if config.insecure && !config.listens_on_loopback() {
        tracing::warn!("the shop api is open to whoever reaches this address (--insecure)");
    }
    if config.journal.sync.0 != SyncMode::Always {
        let sync = config.journal.sync.show();
        tracing::warn!(sync, "journal.sync is not `always`: a power loss can cost acknowledged orders");
    }
    let in_flight_max = config.engine.in_flight_max;
    if in_flight_max < BATCH_MAX {
        tracing::warn!(
            in_flight_max,
            batch_max = BATCH_MAX,
            "engine.in_flight_max is below the largest batch: a full batch is never admitted"
        );
    }
    few_descriptors(config);
}

/// A process usually starts with 1,024 files, far below the connections that it may be asked to hold.
fn few_descriptors(config: &Config) {
    let needed = descriptors_needed(config);
    match open_files_limit() {
        Some(limit) if limit < needed => {
            tracing::warn!(
                limit,
                needed,
                "fewer open files allowed than the limits need: raise it with `ulimit -n`"
            );
        }
        _ => {}
    }
}

/// Files that this process may have open.
pub fn open_files_limit() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}
