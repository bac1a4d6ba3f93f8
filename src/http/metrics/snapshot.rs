use super::counters::{HttpMetrics, Requests};
use floodgate_actors::{Engine, EngineHistograms};
use floodgate_persistence::histogram::HistogramSnapshot;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Everything that was counted up to one moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The moment.
    pub(crate) at: Instant,
    /// Checkouts by outcome: `placed` first, then refusals by code.
    pub(crate) checkouts: Vec<(&'static str, u64)>,
    /// Checkouts that ended with a server error.
    pub(crate) checkouts_failed: u64,
    /// Refused checkouts by what was wrong with them.
    pub(crate) problems: Vec<(&'static str, u64)>,
    /// Requests.
    pub(crate) requests: Requests,
    /// Histograms of the engine.
    pub(crate) engine: EngineHistograms,
}

/// What happened between two moments.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    /// The time between them.
    pub(crate) elapsed: Duration,
    /// Checkouts by outcome, in the order of the snapshots.
    pub(crate) checkouts: Vec<(&'static str, u64)>,
    /// Refused checkouts by what was wrong with them, in the order of the snapshots.
    pub(crate) problems: Vec<(&'static str, u64)>,
    /// Requests.
    pub(crate) requests: Requests,
    /// Phases of checkouts, in nanoseconds: percentiles by [`HistogramSnapshot::per_mille`].
    pub(crate) phases: Vec<(&'static str, HistogramSnapshot)>,
}

impl Snapshot {
    /// As things are.
    pub(in crate::http) fn take(metrics: &HttpMetrics, engine: &Engine) -> Self {
        Self {
            at: Instant::now(),
            checkouts: metrics.checkouts(),
            checkouts_failed: metrics.checkouts_failed(),
            problems: metrics.problems().collect(),
            requests: metrics.requests(),
            engine: engine.histograms(),
        }
    }

    /// Checkouts that placed an order.
    pub(crate) fn placed(&self) -> u64 {
        self.checkouts.first().map_or(0, |(_, count)| *count)
    }

    /// What happened since an earlier one.
    pub(crate) fn since(&self, earlier: &Self) -> Activity {
        let grown = |now: &[(&'static str, u64)], before: &[(&'static str, u64)]| {
            let pairs = now.iter().zip(before);
            pairs.map(|((name, now), (_, before))| (*name, now.saturating_sub(*before))).collect()
        };
        let phases = self.engine.phases.iter().zip(&earlier.engine.phases);
        Activity {
            elapsed: self.at.saturating_duration_since(earlier.at),
            checkouts: grown(&self.checkouts, &earlier.checkouts),
            problems: grown(&self.problems, &earlier.problems),
            requests: self.requests.since(earlier.requests),
            phases: phases.map(|((name, now), (_, before))| (*name, now.since(before))).collect(),
        }
    }
}

impl Requests {
    /// What came after `earlier`.
    pub(crate) const fn since(self, earlier: Self) -> Self {
        Self {
            all: self.all.saturating_sub(earlier.all),
            failed: self.failed.saturating_sub(earlier.failed),
            time_ns: self.time_ns.saturating_sub(earlier.time_ns),
        }
    }
}

/// Snapshots of the last while.
pub(crate) struct LastWhile {
    length: Duration,
    /// Oldest first.
    snapshots: Mutex<VecDeque<Snapshot>>,
}

/// Snapshots kept: a window moves on by so many steps. Each is about 12 KiB.
const STEPS: u32 = 12;

impl LastWhile {
    /// Reaches `length` back.
    pub(crate) const fn new(length: Duration) -> Self {
        Self { length, snapshots: Mutex::new(VecDeque::new()) }
    }

    /// Takes in the newest, in the place of the last one where that is not old enough to stay.
    pub(crate) fn push(&self, snapshot: Snapshot) {
        let mut kept = self.snapshots.lock();
        let since = |earlier: &Snapshot| snapshot.at.saturating_duration_since(earlier.at);
        while kept.get(1).is_some_and(|second| since(second) >= self.length) {
            kept.pop_front();
        }
        let before_last = kept.len().checked_sub(2).and_then(|place| kept.get(place));
        if before_last.is_some_and(|before| since(before) < self.length / STEPS) {
            kept.pop_back();
        }
        kept.push_back(snapshot);
    }

    /// What happened within it; `None`: it has just begun.
    pub(crate) fn activity(&self) -> Option<Activity> {
        let kept = self.snapshots.lock();
        let (first, last) = (kept.front()?, kept.back()?);
        (first.at < last.at).then(|| last.since(first))
    }
}
