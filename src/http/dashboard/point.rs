//! What a second looked like: the figures that the charts draw.

use super::super::metrics::HttpMetrics;
use floodgate_actors::EngineStatus;
use floodgate_persistence::histogram::HistogramSnapshot;
use floodgate_persistence::model::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// One second, more or less: counts are of what happened within its `ms`. Names are short: a page gets six hundred of
/// them at its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Point {
    /// When it ended, in milliseconds since 1970.
    t: i64,
    /// How long it was.
    ms: u64,
    /// Orders placed.
    orders: u64,
    /// Checkouts refused for a reason of theirs (4xx).
    refused: u64,
    /// Checkouts that failed for a reason of ours (5xx).
    failed: u64,
    /// Requests turned away at admission.
    shed: u64,
    /// Half of the answers to checkouts took at most so many microseconds; `null`: there was none.
    p50: Option<u64>,
    p95: Option<u64>,
    p99: Option<u64>,
    in_flight: usize,
    backlog: u64,
    backlog_age_ms: u64,
    /// Groups synced.
    groups: u64,
    /// Bytes journalled.
    bytes: u64,
    /// Mean duration of a write and sync, in microseconds; `null`: there was none.
    sync_us: Option<u64>,
}

/// A moment: what the next second is measured from.
pub(super) struct Moment {
    at: Timestamp,
    /// By outcome, orders placed first.
    checkouts: Vec<(&'static str, u64)>,
    failed: u64,
    times: HistogramSnapshot,
    groups: u64,
    bytes: u64,
    sync_total: Duration,
    shed: u64,
}

impl Moment {
    /// Takes down what is needed of now, which has this status.
    pub(super) fn new(metrics: &HttpMetrics, status: &EngineStatus) -> Self {
        let journal = &status.journal;
        Self {
            at: Timestamp::now(),
            checkouts: metrics.checkouts(),
            failed: metrics.checkouts_failed(),
            times: metrics.checkout_times(),
            groups: journal.groups,
            bytes: journal.written_bytes,
            sync_total: journal.sync_total,
            shed: status.shed,
        }
    }

    /// What happened from an earlier moment to this one, which has this status.
    pub(super) fn point_since(&self, earlier: &Self, status: &EngineStatus) -> Point {
        let times = self.times.since(&earlier.times);
        let micros = |share| times.per_mille(share).map(|nanoseconds| nanoseconds / 1_000);
        let groups = self.groups.saturating_sub(earlier.groups);
        let synced_us = self.sync_total.saturating_sub(earlier.sync_total).as_micros();
        Point {
            t: self.at.0,
            ms: u64::try_from(self.at.0.saturating_sub(earlier.at.0)).unwrap_or(0).max(1),
            orders: self.placed().saturating_sub(earlier.placed()),
            refused: self.refused().saturating_sub(earlier.refused()),
            failed: self.failed.saturating_sub(earlier.failed),
            shed: self.shed.saturating_sub(earlier.shed),
            p50: micros(500),
            p95: micros(950),
            p99: micros(990),
            in_flight: status.in_flight,
            backlog: status.writer.backlog,
            backlog_age_ms: u64::try_from(status.writer.backlog_age.as_millis()).unwrap_or(u64::MAX),
            groups,
            bytes: self.bytes.saturating_sub(earlier.bytes),
            sync_us: synced_us.checked_div(u128::from(groups)).and_then(|mean| u64::try_from(mean).ok()),
        }
    }

    fn placed(&self) -> u64 {
        self.checkouts.first().map_or(0, |(_, count)| *count)
    }

    /// For reasons of the shopper's.
    fn refused(&self) -> u64 {
        let all: u64 = self.checkouts.iter().map(|(_, count)| count).sum();
        all.saturating_sub(self.placed()).saturating_sub(self.failed)
    }

    /// Refusals and failures by code, without those that never happened.
    pub(super) fn refusals(&self) -> BTreeMap<&'static str, u64> {
        self.checkouts.iter().skip(1).filter(|(_, count)| *count > 0).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error::Failure;
    use floodgate_persistence::histogram::Histogram;

    fn moment(metrics: &HttpMetrics) -> Moment {
        Moment {
            at: Timestamp(1_000),
            checkouts: metrics.checkouts(),
            failed: metrics.checkouts_failed(),
            times: Histogram::of_durations().snapshot(),
            groups: 0,
            bytes: 0,
            sync_total: Duration::ZERO,
            shed: 0,
        }
    }

    #[test]
    fn refusals_and_failures_are_told_apart() {
        let metrics = HttpMetrics::new();
        metrics.checkout(None);
        metrics.checkout(Some(&Failure::key_reused()));
        metrics.checkout(Some(&Failure::key_reused()));
        metrics.checkout(Some(&Failure::unknown_outcome()));
        let now = moment(&metrics);
        assert_eq!((now.placed(), now.refused(), now.failed), (1, 2, 1));
        assert_eq!(now.refusals(), BTreeMap::from([("idempotency_key_reused", 2), ("timeout", 1)]));
    }
}
