//! Medians and spreads of a handful of rounds.
#![expect(clippy::float_arithmetic, reason = "statistics of measurements, no money")]

/// The middle of some values, and how far they lie apart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// The middle one; of an even number, the mean of the middle two.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of these values; `None` where there are none, or one is not a number.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.iter().any(|value| value.is_nan()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Self { median: f64::midpoint(lower, upper), min, max })
    }
}

/// One ratio a round: each value over the one measured beside it, so that a drift of the machine hits both. Rounds
/// with nothing below the line are left out.
pub fn ratios(over: &[f64], under: &[f64]) -> Vec<f64> {
    over.iter().zip(under).filter(|(_, under)| **under > 0.0).map(|(over, under)| over / under).collect()
}

/// `count` things in `seconds`; 0 where no time passed.
pub fn per_second(count: u64, seconds: std::time::Duration) -> f64 {
    let seconds = seconds.as_secs_f64();
    if seconds > 0.0 { real(count) / seconds } else { 0.0 }
}

/// `over` / `under`; 0 where there is nothing below the line.
pub fn quotient(over: f64, under: f64) -> f64 {
    if under > 0.0 { over / under } else { 0.0 }
}

/// Microseconds of `time` for each of `count`.
pub fn micros_each(time: std::time::Duration, count: u64) -> f64 {
    quotient(time.as_secs_f64() * 1e6, real(count))
}

/// As a floating-point number; exact below 2^53, which no count here reaches.
pub fn real(count: u64) -> f64 {
    count as f64
}

/// The middle one; 0 of none.
pub fn middle(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

/// The nearest whole number; 0 of what is negative or no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is meant"
)]
pub fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// Half of it, as a whole number.
pub fn half(value: f64) -> u64 {
    whole(value / 2.0)
}

/// Bytes of the groups of a trace, in the mean.
pub fn mean_block(trace: &[(u32, u32)]) -> usize {
    let bytes: u64 = trace.iter().map(|(_, bytes)| u64::from(*bytes)).sum();
    usize::try_from(bytes / (trace.len() as u64).max(1)).unwrap_or(0)
}
