use super::sample::{Levels, Sample, Totals};
use std::collections::VecDeque;
use std::time::Duration;

/// The samples of the last while.
pub struct Window {
    length: Duration,
    samples: VecDeque<Sample>,
}

impl Window {
    /// Reaches `length` back.
    pub const fn new(length: Duration) -> Self {
        Self { length, samples: VecDeque::new() }
    }

    /// Takes in the newest sample. The one that is just as old as the window, or a little older, stays: what happened
    /// since is what happened within the window.
    pub fn push(&mut self, sample: Sample) {
        let is_old = |old: Option<&Sample>| {
            old.is_some_and(|old| sample.at.saturating_duration_since(old.at) >= self.length)
        };
        while is_old(self.samples.get(1)) {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// What happened within it.
    pub fn grown(&self) -> Totals {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return Totals::default();
        };
        let (before, now) = (&first.totals, &last.totals);
        Totals {
            checkouts_placed: now.checkouts_placed.saturating_sub(before.checkouts_placed),
            checkouts_failed: now.checkouts_failed.saturating_sub(before.checkouts_failed),
            requests: now.requests.saturating_sub(before.requests),
            requests_failed: now.requests_failed.saturating_sub(before.requests_failed),
            request_time_ns: now.request_time_ns.saturating_sub(before.request_time_ns),
            cache_hits: now.cache_hits.saturating_sub(before.cache_hits),
            cache_misses: now.cache_misses.saturating_sub(before.cache_misses),
        }
    }

    /// How things stand.
    pub fn levels(&self) -> Levels {
        self.samples.back().map(|sample| sample.levels).unwrap_or_default()
    }

    /// Connections in use and there at most, summed over all samples.
    pub fn pool(&self) -> (u64, u64) {
        self.samples.iter().fold((0, 0), |(in_use, max), sample| {
            (in_use + sample.levels.pool_in_use, max + sample.levels.pool_max)
        })
    }
}
