//! What is measured all the time, for metrics, alerts and the dashboard.

use super::Engine;
use crate::phases::Phases;
use floodgate_persistence::histogram::HistogramSnapshot;

/// Look-ups in memory since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Of something known that memory answered.
    pub hits: u64,
    /// Of something known that the store had to answer.
    pub misses: u64,
    /// Of ids that do not exist.
    pub unknown: u64,
}

impl CacheCounts {
    /// Both together.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// All histograms of the engine, since the start. Durations are in nanoseconds.
#[derive(Clone, Debug)]
pub struct EngineHistograms {
    /// Phases of a checkout.
    pub phases: Vec<(&'static str, HistogramSnapshot)>,
    /// Write and sync of a group of the journal.
    pub journal_sync: HistogramSnapshot,
    /// Events of a group.
    pub group_events: HistogramSnapshot,
    /// Writing a batch to the store.
    pub batch_time: HistogramSnapshot,
    /// Orders of a batch.
    pub batch_orders: HistogramSnapshot,
    /// Inserts, by table.
    pub inserts: Vec<(&'static str, HistogramSnapshot)>,
}

impl Engine {
    /// Everything measured since the start. Cheap: a few thousand loads.
    pub fn histograms(&self) -> EngineHistograms {
        let running = &self.inner.running;
        EngineHistograms {
            phases: running.around.phases.snapshot(),
            journal_sync: running.journal_figures.sync.snapshot(),
            group_events: running.journal_figures.group_events.snapshot(),
            batch_time: running.writer.batch_time.snapshot(),
            batch_orders: running.writer.batch_orders.snapshot(),
            inserts: self.inner.store.insert_times(),
        }
    }

    /// Where the phases of checkouts are recorded.
    pub fn phases(&self) -> &Phases {
        &self.inner.running.around.phases
    }
}
