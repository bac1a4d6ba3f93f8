//! The bare loop: writes and syncs the bytes that the engine wrote, group by group, and does nothing else. What the
//! engine can at best come near to.

use super::audit::Trace;
use super::settings::BenchError;
use super::stats::{micros_each, per_second};
use super::threads::of_this_thread;
use floodgate_persistence::journal::SyncMode;
use hdrhistogram::Histogram;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Size of the file: a few segments, filled with zeros and synced before the first measurement, as segments are.
const FILE_BYTES: usize = 256 * 1024 * 1024;

/// Largest frame: the engine's groups stay below it.
const FRAME_MAX: usize = 16 * 1024 * 1024;

/// Group sizes in orders, of which the best is looked for.
pub const GROUP_SIZES: [u32; 6] = [64, 256, 1_024, 4_096, 8_192, 16_384];

/// How fast the bare loop went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BareRate {
    /// Orders whose bytes were written, a second.
    pub orders_per_second: f64,
    /// CPU µs for the bytes of an order.
    pub cpu_us: f64,
}

/// The file, and what is written to it.
pub struct BareFile {
    file: File,
    bytes: Vec<u8>,
    at: usize,
}

impl BareFile {
    /// Makes the file, without a name, on the file system of `dir`, and syncs it.
    pub fn create(dir: &Path) -> Result<Self, BenchError> {
        let file = tempfile::tempfile_in(dir)?;
        let zeros = vec![0; 1024 * 1024];
        for at in (0..FILE_BYTES).step_by(zeros.len()) {
            file.write_all_at(&zeros, at as u64)?;
        }
        file.sync_all()?;
        let bytes = (0..FRAME_MAX).map(|place| u8::try_from(place * 31 % 251).unwrap_or(0)).collect();
        Ok(Self { file, bytes, at: 0 })
    }

    fn write(&mut self, bytes: usize) -> Result<(), BenchError> {
        let frame = self.bytes.get(..bytes.min(FRAME_MAX)).unwrap_or_default();
        if self.at + frame.len() > FILE_BYTES {
            self.at = 0;
        }
        self.file.write_all_at(frame, self.at as u64)?;
        self.at += frame.len();
        Ok(())
    }

    /// Writes the groups of a trace, over and over, until the time is up.
    pub fn replay(&mut self, trace: &Trace, sync: SyncMode, time: Duration) -> Result<BareRate, BenchError> {
        let (began, cpu) = (Instant::now(), of_this_thread());
        let mut orders = 0;
        for (records, bytes) in trace.iter().cycle() {
            self.write(usize::try_from(*bytes).unwrap_or(FRAME_MAX))?;
            if sync != SyncMode::Never {
                self.file.sync_data()?;
            }
            orders += u64::from(*records);
            if began.elapsed() >= time {
                break;
            }
        }
        let cpu = of_this_thread().saturating_sub(cpu);
        let orders_per_second = per_second(orders, began.elapsed());
        Ok(BareRate { orders_per_second, cpu_us: micros_each(cpu, orders) })
    }

    /// The group size with which the loop is fastest, for orders of so many bytes.
    pub fn best_groups(&mut self, bytes_an_order: u64, time: Duration) -> Result<Trace, BenchError> {
        let mut best = (0.0, Trace::new());
        for records in GROUP_SIZES {
            let bytes = u64::from(records).saturating_mul(bytes_an_order);
            let trace = vec![(records, u32::try_from(bytes).unwrap_or(u32::MAX))];
            let rate = self.replay(&trace, SyncMode::Always, time / 4)?.orders_per_second;
            if rate > best.0 {
                best = (rate, trace);
            }
        }
        Ok(best.1)
    }

    /// Nanoseconds of a write and sync of `bytes`, so many times.
    pub fn syncs(&mut self, bytes: usize, times: usize) -> Result<Histogram<u64>, BenchError> {
        let mut took = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)
            .map_err(|error| BenchError::Settings(format!("no histogram: {error}")))?;
        for _ in 0..times {
            let began = Instant::now();
            self.write(bytes)?;
            self.file.sync_data()?;
            took.saturating_record(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        Ok(took)
    }
}
