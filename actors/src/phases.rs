//! How long the phases of a checkout take.
//!
//! A request with one checkout is always measured; of the checkouts of a batch, and of those that are handed in without
//! a request, one in [`SAMPLE`]: five looks at the clock cost some 200 ns, which a request of its own (tens of microseconds)
//! does not notice and an order of a batch (three) would.

use floodgate_persistence::histogram::{Histogram, HistogramSnapshot};
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Instant;

/// One checkout in so many is measured where they come in masses.
pub const SAMPLE: u64 = 16;

/// What a checkout goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The worker reads the body and understands it.
    Parse,
    /// From the worker over all shards: every line is looked at, judged and taken; waiting at the shards included, and
    /// what memory does not have is fetched.
    Take,
    /// The last shard prices it.
    Price,
    /// From the shard to the disk: waiting for the group before, write, sync, publishing.
    Journal,
    /// From there to the worker, and writing the answer.
    Answer,
}

impl Phase {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Parse, Self::Take, Self::Price, Self::Journal, Self::Answer];

    /// Its name in metrics and traces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Take => "take",
            Self::Price => "price",
            Self::Journal => "journal",
            Self::Answer => "answer",
        }
    }
}

/// A histogram for each phase, in nanoseconds.
pub struct Phases([Histogram; Phase::ALL.len()]);

impl Default for Phases {
    fn default() -> Self {
        Self(Phase::ALL.map(|_| Histogram::of_durations()))
    }
}

impl Phases {
    fn record(&self, phase: Phase, began: Instant, ended: Instant) {
        if let Some(histogram) = self.0.get(phase as usize) {
            histogram.record_duration(ended.saturating_duration_since(began));
        }
    }

    /// By phase, in order.
    pub fn snapshot(&self) -> Vec<(&'static str, HistogramSnapshot)> {
        Phase::ALL.iter().zip(&self.0).map(|(phase, times)| (phase.as_str(), times.snapshot())).collect()
    }
}

/// A phase that a checkout has behind it.
#[derive(Clone, Copy, Debug)]
pub struct Lap {
    /// Which.
    pub phase: Phase,
    /// When it began.
    pub began: Instant,
    /// When it ended.
    pub ended: Instant,
}

/// What one checkout went through, from the worker and back: shared by the worker and the journey, because either may
/// be gone before the other.
pub struct Trail(Mutex<Laps>);

struct Laps {
    last: Instant,
    laps: SmallVec<[Lap; Phase::ALL.len()]>,
}

impl Trail {
    /// Begins now.
    pub fn begin() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Laps { last: Instant::now(), laps: SmallVec::new() })))
    }

    /// A phase ends now, and the next one begins.
    pub fn lap(&self, phases: &Phases, phase: Phase) {
        let mut laps = self.0.lock();
        let (began, ended) = (laps.last, Instant::now());
        laps.last = ended;
        laps.laps.push(Lap { phase, began, ended });
        drop(laps);
        phases.record(phase, began, ended);
    }

    /// The phases so far.
    pub fn laps(&self) -> Vec<Lap> {
        self.0.lock().laps.to_vec()
    }
}

/// The clock that a journey carries.
pub enum Stopwatch {
    /// It is not measured.
    Off,
    /// It is measured, and nobody asks how it went.
    Alone(Instant),
    /// Somebody asks.
    Shared(Arc<Trail>),
}

impl Stopwatch {
    /// Runs for one in [`SAMPLE`].
    pub fn sampled(number: u64) -> Self {
        if number.is_multiple_of(SAMPLE) { Self::Alone(Instant::now()) } else { Self::Off }
    }

    /// A phase ends now, and the next one begins.
    pub fn lap(&mut self, phases: &Phases, phase: Phase) {
        match self {
            Self::Off => {}
            Self::Alone(last) => {
                let ended = Instant::now();
                phases.record(phase, std::mem::replace(last, ended), ended);
            }
            Self::Shared(trail) => trail.lap(phases, phase),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(phases: &Phases) -> Vec<u64> {
        phases.snapshot().iter().map(|(_, times)| times.count()).collect()
    }

    #[test]
    fn phases_follow_each_other_without_a_gap() {
        let (phases, trail) = (Phases::default(), Trail::begin());
        trail.lap(&phases, Phase::Parse);
        let mut watch = Stopwatch::Shared(Arc::clone(&trail));
        watch.lap(&phases, Phase::Take);
        watch.lap(&phases, Phase::Price);
        trail.lap(&phases, Phase::Answer);
        let laps = trail.laps();
        assert!(laps.windows(2).all(|pair| pair[0].ended == pair[1].began));
        assert_eq!(
            laps.iter().map(|lap| lap.phase.as_str()).collect::<Vec<_>>(),
            ["parse", "take", "price", "answer"]
        );
        assert_eq!(counts(&phases), [1, 1, 1, 0, 1]);
    }

    #[test]
    fn one_of_a_mass_is_measured() {
        let phases = Phases::default();
        for number in 0..3 * SAMPLE {
            Stopwatch::sampled(number).lap(&phases, Phase::Take);
        }
        assert_eq!(counts(&phases), [0, 3, 0, 0, 0]);
    }
}
