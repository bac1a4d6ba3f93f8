//! CPU time by group of threads, from the scheduler's own count.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

/// Threads that do one thing together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The benchmark's own thread: makes carts, claims keys, takes answers. A worker's share of a checkout runs here.
    Driver,
    /// The shards.
    Shard,
    /// The journal thread.
    Journal,
    /// Writes and syncs.
    JournalDisk,
    /// Folds the journal into batches.
    WriteBehind,
    /// The order book.
    OrderBook,
    /// Everything else: the catalogue, segments being prepared.
    Other,
}

impl Group {
    /// All, in the order of a checkout's way.
    pub const ALL: [Self; 7] = [
        Self::Driver,
        Self::Shard,
        Self::Journal,
        Self::JournalDisk,
        Self::WriteBehind,
        Self::OrderBook,
        Self::Other,
    ];

    /// Its name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Shard => "shard",
            Self::Journal => "journal",
            Self::JournalDisk => "journal-disk",
            Self::WriteBehind => "write-behind",
            Self::OrderBook => "order-book",
            Self::Other => "other",
        }
    }
}

/// CPU time by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuTimes(BTreeMap<Group, Duration>);

/// Name of the driver's thread.
pub const DRIVER_THREAD: &str = "driver";

impl CpuTimes {
    /// CPU time of all threads of this process so far; of the threads that have ended nothing is known.
    pub fn read() -> io::Result<Self> {
        let mut threads = Vec::new();
        for entry in fs::read_dir("/proc/self/task")? {
            let path = entry?.path();
            // A thread may end between the listing and the look at it.
            let name = fs::read_to_string(path.join("comm"));
            let times = fs::read_to_string(path.join("schedstat"));
            if let (Ok(name), Ok(times)) = (name, times) {
                threads.push((name.trim_end().to_owned(), on_cpu(&times)));
            }
        }
        Ok(Self::of(threads))
    }

    /// Adds threads up, each with name and time.
    pub fn of(threads: Vec<(String, Duration)>) -> Self {
        let mut times = Self::default();
        for (name, time) in threads {
            let group = match name.as_str() {
                DRIVER_THREAD => Group::Driver,
                "journal" => Group::Journal,
                "journal-disk" => Group::JournalDisk,
                "order-book" => Group::OrderBook,
                "write-behind" => Group::WriteBehind,
                name if name.starts_with("shard-") => Group::Shard,
                _ => Group::Other,
            };
            *times.0.entry(group).or_default() += time;
        }
        times
    }

    /// What was used since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let used = self.0.iter().map(|(group, time)| (*group, time.saturating_sub(earlier.of_group(*group))));
        Self(used.collect())
    }

    /// Of one group.
    pub fn of_group(&self, group: Group) -> Duration {
        self.0.get(&group).copied().unwrap_or_default()
    }

    /// Of all groups but the driver.
    pub fn of_engine(&self) -> Duration {
        Group::ALL.into_iter().filter(|group| *group != Group::Driver).map(|group| self.of_group(group)).sum()
    }

    /// Of all groups.
    pub fn total(&self) -> Duration {
        self.0.values().sum()
    }
}

/// The first number of `schedstat` (Documentation/scheduler/sched-stats.rst): nanoseconds on a CPU.
fn on_cpu(schedstat: &str) -> Duration {
    let nanos = schedstat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// CPU time of the calling thread.
pub fn of_this_thread() -> Duration {
    fs::read_to_string("/proc/thread-self/schedstat").map(|times| on_cpu(&times)).unwrap_or_default()
}
