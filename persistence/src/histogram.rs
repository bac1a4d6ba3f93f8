//! Histograms that any thread records into and any thread reads, without a lock: how long things took, how large they
//! were. Everybody who measures uses this one, so that all figures of a kind can be compared.

use std::sync::atomic::{AtomicU64, Ordering};

/// Upper ends of ten buckets a decade (ISO 3, series R10): each is about a quarter above the one before, so that a
/// percentile is wrong by less than that.
const R10: [u64; 10] = [1000, 1250, 1600, 2000, 2500, 3200, 4000, 5000, 6300, 8000];

/// Buckets for durations in nanoseconds: 1 µs … 10 s.
pub static DURATIONS: [u64; 71] = series(1);

/// Buckets for counts: 1 … 10 million, below 10 some twice as fine as whole numbers can be.
pub static COUNTS: [u64; 71] = series(1000);

/// Seven decades of R10 and the beginning of the eighth, divided.
const fn series(divisor: u64) -> [u64; 71] {
    let mut bounds = [0; 71];
    let (mut place, mut decade) = (0, 1);
    while place < 71 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks the bounds")]
        {
            bounds[place] = R10[place % 10] * decade / divisor;
        }
        place += 1;
        if place % 10 == 0 {
            decade *= 10;
        }
    }
    bounds
}

/// What was recorded since the start.
pub struct Histogram {
    bounds: &'static [u64],
    /// One more than the bounds: the last is for what lies above them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// Nothing recorded yet.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// For durations.
    pub fn of_durations() -> Self {
        Self::new(&DURATIONS)
    }

    /// Records a value: two additions and a search among 71 numbers.
    pub fn record(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Records a duration, in nanoseconds.
    pub fn record_duration(&self, took: std::time::Duration) {
        self.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// What was recorded so far. Values that are being recorded meanwhile may be in the sum and not in the counts.
    pub fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            bounds: self.bounds,
            counts: self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

/// A histogram at one moment, or what was recorded between two moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramSnapshot {
    bounds: &'static [u64],
    counts: Vec<u64>,
    sum: u64,
}

impl HistogramSnapshot {
    /// Values recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum.
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// Values in the buckets up to this bound; exact where it is the end of one.
    pub fn up_to(&self, bound: u64) -> u64 {
        let whole = self.bounds.partition_point(|end| *end <= bound);
        self.counts.iter().take(whole).sum()
    }

    /// Both together; `other` has the same bounds.
    pub fn plus(&self, other: &Self) -> Self {
        let pairs = self.counts.iter().zip(&other.counts);
        Self {
            bounds: self.bounds,
            counts: pairs.map(|(one, other)| one.saturating_add(*other)).collect(),
            sum: self.sum.saturating_add(other.sum),
        }
    }

    /// What was recorded after `earlier`, which is a snapshot of the same histogram.
    pub fn since(&self, earlier: &Self) -> Self {
        let pairs = self.counts.iter().zip(&earlier.counts);
        Self {
            bounds: self.bounds,
            counts: pairs.map(|(now, before)| now.saturating_sub(*before)).collect(),
            sum: self.sum.saturating_sub(earlier.sum),
        }
    }

    /// The value below which so many of 1,000 lie, taken evenly over its bucket; `None`: nothing was recorded. What
    /// lies above all bounds counts as the last of them.
    pub fn per_mille(&self, share: u64) -> Option<u64> {
        let count = self.count();
        let rank = (count * share.min(1000)).div_ceil(1000).max(1);
        let (mut before, mut lower) = (0, 0);
        for (place, in_bucket) in self.counts.iter().enumerate() {
            let upper = self.bounds.get(place).copied().unwrap_or(lower);
            if before + in_bucket >= rank && *in_bucket > 0 {
                return Some(lower + (upper - lower) * (rank - before) / in_bucket);
            }
            before += in_bucket;
            lower = upper;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_rise_and_have_the_ends_that_people_read() {
        for bounds in [&DURATIONS, &COUNTS] {
            assert!(bounds.windows(2).all(|pair| pair[0] <= pair[1]));
        }
        for end in [1_000, 2_500, 5_000, 100_000, 250_000, 1_000_000_000, 10_000_000_000] {
            assert!(DURATIONS.contains(&end), "{end}");
        }
        for end in [1, 2, 5, 10, 100, 1_000, 10_000, 10_000_000] {
            assert!(COUNTS.contains(&end), "{end}");
        }
    }

    #[test]
    fn percentiles_are_right_to_a_quarter() {
        let histogram = Histogram::of_durations();
        assert_eq!(histogram.snapshot().per_mille(500), None);
        for value in 1..=1000_u64 {
            histogram.record(value * 10_000);
        }
        let snapshot = histogram.snapshot();
        assert_eq!((snapshot.count(), snapshot.sum()), (1000, 10_000 * 500_500));
        for (share, exact) in [(500, 5_000_000), (990, 9_900_000), (999, 9_990_000), (1000, 10_000_000)] {
            let found = snapshot.per_mille(share).expect("values");
            assert!(found.abs_diff(exact) * 4 <= exact, "{share}: {found} for {exact}");
        }
        assert_eq!(snapshot.up_to(5_000_000), 500);
    }

    #[test]
    fn what_is_above_all_bounds_is_counted() {
        let histogram = Histogram::of_durations();
        histogram.record(u64::MAX / 2);
        let snapshot = histogram.snapshot();
        assert_eq!((snapshot.count(), snapshot.up_to(10_000_000_000)), (1, 0));
        assert_eq!(snapshot.per_mille(500), Some(10_000_000_000));
    }

    #[test]
    fn two_moments_have_what_lies_between() {
        let histogram = Histogram::new(&COUNTS);
        histogram.record(3);
        let earlier = histogram.snapshot();
        histogram.record(40);
        let between = histogram.snapshot().since(&earlier);
        assert_eq!((between.count(), between.sum(), between.per_mille(500)), (1, 40, Some(40)));
    }
}
