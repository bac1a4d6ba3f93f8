//! On what it was measured.

use super::bare::BareFile;
use super::settings::BenchError;
use std::fs;
use std::path::Path;

/// Syncs of 4 KiB that are timed.
const SYNCS: usize = 200;

/// What a reader needs to judge the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// CPUs that this process may use.
    pub cores: usize,
    /// Their model.
    pub cpu: String,
    /// Release of the kernel.
    pub kernel: String,
    /// File system under the journal.
    pub file_system: String,
    /// Write and `fdatasync` of 4 KiB: the middle, in µs.
    pub sync_p50_us: u64,
    /// Write and `fdatasync` of 4 KiB: 99 of 100 are faster, in µs.
    pub sync_p99_us: u64,
}

impl Machine {
    /// Looks around; `bare` lies where the journals will.
    pub fn look(dir: &Path, bare: &mut BareFile) -> Result<Self, BenchError> {
        let syncs = bare.syncs(4096, SYNCS)?;
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            cpu: cpu_model().unwrap_or_else(|| "unknown".to_owned()),
            kernel: kernel_release(),
            file_system: file_system(dir).unwrap_or_else(|| "unknown".to_owned()),
            sync_p50_us: syncs.value_at_quantile(0.5) / 1000,
            sync_p99_us: syncs.value_at_quantile(0.99) / 1000,
        })
    }
}

/// The model of the first CPU.
pub fn cpu_model() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Release of the running kernel.
pub fn kernel_release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

/// The type of the mount with the longest path above `dir`.
pub fn file_system(dir: &Path) -> Option<String> {
    let dir = dir.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(place, _)| dir.starts_with(place));
    above.max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind.to_owned())
}
