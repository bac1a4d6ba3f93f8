//! Checks an installation: what the program cannot change by itself and an operator can. Nothing is changed, and nothing
//! is left behind; an engine may run meanwhile.

mod finding;

mod clock;
mod database;
mod disk;
mod files;
mod settings;
mod system;

pub use database::judge as judge_server;
pub use disk::{SyncTimes, judge as judge_disk};
pub use finding::{Finding, State};

use crate::config::Config;

/// All findings, in the order of the layers: configuration, machine, files, disk, database.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = settings::check(config);
    findings.extend(system::check(config));
    findings.extend(clock::check(config));
    findings.extend(files::check(config));
    findings.extend(disk::check(config));
    findings.extend(database::check(config).await);
    findings
}
