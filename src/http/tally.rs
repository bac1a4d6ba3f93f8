//! Checkouts counted so that they can be read back: what the dashboard's figures of a second are differences of.

use super::error::ErrorCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Parts that each power of two of microseconds is cut into: a percentile is at most an eighth too high.
const PARTS: u64 = 8;

/// Powers of two that are told apart: the last begins at 2^26 µs, 67 s, beyond every time limit.
const POWERS: usize = 27;

const BUCKETS: usize = POWERS * PARTS as usize;

/// Counts since the start, of all workers.
pub(super) struct Tally {
    placed: AtomicU64,
    /// By place in [`ErrorCode::ALL`].
    refused: Vec<AtomicU64>,
    /// Times from head to answer.
    times: Vec<AtomicU64>,
}

/// The counts of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// Orders placed.
    pub(super) placed: u64,
    /// Checkouts refused, by place in [`ErrorCode::ALL`].
    pub(super) refused: Vec<u64>,
    times: Vec<u64>,
}

impl Tally {
    /// Nothing was counted.
    pub(super) fn new() -> Self {
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self { placed: AtomicU64::new(0), refused: zeros(ErrorCode::ALL.len()), times: zeros(BUCKETS) }
    }

    /// A checkout was answered, in a batch or by itself.
    pub(super) fn checkout(&self, refused: Option<ErrorCode>) {
        let place = refused.and_then(|code| ErrorCode::ALL.iter().position(|known| *known == code));
        let counter = place.and_then(|place| self.refused.get(place)).unwrap_or(&self.placed);
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A request for checkouts was answered after this time.
    pub(super) fn answered(&self, took: Duration) {
        if let Some(counter) = self.times.get(bucket_of(took)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts now.
    pub(super) fn read(&self) -> Counted {
        let read = |counters: &[AtomicU64]| counters.iter().map(|one| one.load(Ordering::Relaxed)).collect();
        Counted {
            placed: self.placed.load(Ordering::Relaxed),
            refused: read(&self.refused),
            times: read(&self.times),
        }
    }
}

impl Counted {
    /// What was counted since an earlier moment.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let less = |now: &[u64], then: &[u64]| {
            now.iter().zip(then).map(|(now, then)| now.saturating_sub(*then)).collect()
        };
        Self {
            placed: self.placed.saturating_sub(earlier.placed),
            refused: less(&self.refused, &earlier.refused),
            times: less(&self.times, &earlier.times),
        }
    }

    /// The time that so many of 1,000 requests did not exceed, in microseconds; `None`: there was no request.
    pub(super) fn time_us(&self, per_mille: u64) -> Option<u64> {
        let all: u64 = self.times.iter().sum();
        let rank = (all * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        let bucket = self.times.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bucket.map(upper_end_us)
    }
}

/// Whole microseconds up to [`PARTS`] have a bucket each; beyond, the leading bits name it.
fn bucket_of(took: Duration) -> usize {
    let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if us < PARTS {
        return usize::try_from(us).unwrap_or(0);
    }
    let power = u64::from(us.ilog2() - PARTS.ilog2());
    let bucket = (power + 1) * PARTS + ((us >> power) - PARTS);
    usize::try_from(bucket).map_or(BUCKETS - 1, |bucket| bucket.min(BUCKETS - 1))
}

/// The first whole microsecond that lies above a bucket.
fn upper_end_us(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return bucket + 1;
    }
    let (power, part) = (bucket / PARTS - 1, bucket % PARTS);
    (PARTS + part + 1) << power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_in_its_bucket() {
        let mut before = 0;
        for us in [0, 1, 7, 8, 9, 15, 16, 17, 18, 100, 999, 1_000, 123_456, 10_000_000, 66_000_000] {
            let bucket = bucket_of(Duration::from_micros(us));
            let (end, begin) = (upper_end_us(bucket), if bucket == 0 { 0 } else { upper_end_us(bucket - 1) });
            assert!(begin <= us && us < end, "{us} µs in {begin} … {end}");
            assert!(end - begin <= 1 + us / 8, "{us} µs in {begin} … {end}");
            assert!(bucket >= before, "{us} µs");
            before = bucket;
        }
        assert_eq!(bucket_of(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_second_is_the_difference_of_two_moments() {
        let tally = Tally::new();
        tally.checkout(None);
        tally.answered(Duration::from_secs(1));
        let before = tally.read();
        assert_eq!(tally.read().since(&before).time_us(500), None);
        (0..2).for_each(|_| tally.checkout(None));
        tally.checkout(Some(ErrorCode::InsufficientStock));
        (0..98).for_each(|_| tally.answered(Duration::from_micros(5)));
        (0..2).for_each(|_| tally.answered(Duration::from_micros(1_000)));
        let second = tally.read().since(&before);
        assert_eq!(second.placed, 2);
        let place = ErrorCode::ALL.iter().position(|code| *code == ErrorCode::InsufficientStock);
        for (code, count) in second.refused.iter().enumerate() {
            assert_eq!(*count, u64::from(Some(code) == place));
        }
        assert_eq!((second.time_us(500), second.time_us(980)), (Some(6), Some(6)));
        assert_eq!((second.time_us(990), second.time_us(1_000)), (Some(1_024), Some(1_024)));
    }
}
