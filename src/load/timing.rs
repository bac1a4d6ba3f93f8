//! What took how long, in microseconds.

use super::settings::LoadError;
use hdrhistogram::Histogram;
use std::time::Duration;

/// Longest time that is told apart: ten minutes.
const LONGEST_US: u64 = 600_000_000;

/// The quantiles that are shown.
pub const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// An empty histogram with so many significant digits.
pub fn histogram(digits: u8) -> Result<Histogram<u64>, LoadError> {
    let made = Histogram::new_with_bounds(1, LONGEST_US, digits);
    made.map_err(|error| LoadError::BrokeDown(format!("no histogram: {error}")))
}

/// The same answers, measured from two moments.
#[derive(Clone)]
pub struct Timing {
    /// From the moment that the request was due.
    pub due: Histogram<u64>,
    /// From the moment that it was sent.
    pub sent: Histogram<u64>,
}

impl Timing {
    /// Of nothing.
    pub fn new() -> Result<Self, LoadError> {
        Ok(Self { due: histogram(3)?, sent: histogram(3)? })
    }

    /// One answer.
    pub fn record(&mut self, due: Duration, sent: Duration) {
        self.due.saturating_record(micros(due));
        self.sent.saturating_record(micros(sent));
    }

    /// Takes another's in.
    pub fn add(&mut self, other: &Self) {
        add(&mut self.due, &other.due);
        add(&mut self.sent, &other.sent);
    }
}

/// Both have the same bounds, so that nothing can be out of them.
pub fn add(to: &mut Histogram<u64>, more: &Histogram<u64>) {
    if let Err(error) = to.add(more) {
        tracing::warn!(%error, "a measurement is left out");
    }
}

/// Whole microseconds.
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
