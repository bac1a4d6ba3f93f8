//! How long the phases of the newest orders took.

use floodgate_actors::Trail;
use floodgate_persistence::model::OrderId;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Orders that are remembered: more than a page shows, some 100 bytes each.
const KEPT: usize = 256;

/// One order's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Timing {
    order_id: u64,
    /// Microseconds by phase.
    phases: BTreeMap<&'static str, u64>,
}

#[derive(Default)]
struct Kept {
    /// Orders that were recorded so far.
    recorded: u64,
    newest: VecDeque<(OrderId, [(&'static str, u64); PHASES])>,
}

/// Phases of a checkout; fewer were measured of one that was answered again.
const PHASES: usize = 5;

/// The newest orders that came by themselves, not in a batch.
#[derive(Default)]
pub(in crate::http) struct Timings(Mutex<Kept>);

impl Timings {
    /// An order was placed.
    pub(in crate::http) fn record(&self, id: OrderId, trail: &Trail) {
        let mut phases = [("", 0); PHASES];
        for (place, lap) in phases.iter_mut().zip(trail.laps()) {
            let took = lap.ended.saturating_duration_since(lap.began);
            *place = (lap.phase.as_str(), u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
        let mut kept = self.0.lock();
        kept.recorded += 1;
        if kept.newest.len() >= KEPT {
            kept.newest.pop_front();
        }
        kept.newest.push_back((id, phases));
    }

    /// What came after the first `seen`, oldest first, as far as it is remembered; and how many there were by now.
    pub(super) fn after(&self, seen: u64) -> (u64, Vec<Timing>) {
        let kept = self.0.lock();
        let new = usize::try_from(kept.recorded.saturating_sub(seen)).unwrap_or(usize::MAX);
        let known = kept.newest.len().saturating_sub(new);
        let timing = |(id, phases): &(OrderId, [(&'static str, u64); PHASES])| Timing {
            order_id: id.get(),
            phases: phases.iter().filter(|(phase, _)| !phase.is_empty()).copied().collect(),
        };
        (kept.recorded, kept.newest.iter().skip(known).map(timing).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_and_told_once() {
        let timings = Timings::default();
        let ids =
            |timings: Vec<Timing>| timings.into_iter().map(|timing| timing.order_id).collect::<Vec<_>>();
        let record = |id| timings.record(OrderId(id), &Trail::begin());
        (1..=3).for_each(record);
        let (seen, told) = timings.after(0);
        assert_eq!(ids(told), [1, 2, 3]);
        assert_eq!(timings.after(seen).1, []);
        record(4);
        assert_eq!(ids(timings.after(seen).1), [4]);
        (5..=1_000).for_each(record);
        let told = ids(timings.after(seen).1);
        assert_eq!((told.len(), told.first(), told.last()), (KEPT, Some(&745), Some(&1_000)));
    }
}
