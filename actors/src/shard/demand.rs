//! Which products of a shard are taken most, at next to no cost.
//!
//! The Space-Saving sketch (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and top-k elements in data
//! streams", 2005) over a sample of the takes. Its counts never fall short of the truth, and may exceed it by what is
//! kept beside each: what is reported is the difference, which is certain. Everything is halved each minute, so that
//! what was wanted yesterday is forgotten.

use super::hot::{HotProducts, Slot};
use crate::api::ProductView;
use floodgate_persistence::model::ProductId;
use std::time::{Duration, Instant};

/// Products with a counter: a product with a thirty-second of a shard's takes has one for certain.
const COUNTERS: usize = 32;

/// Products that are reported.
const REPORTED: usize = 10;

/// In a busy turn one take in so many is counted, for all of them. A prime, so that carts of equal length do not
/// show the same of their lines each time.
const SAMPLED: u64 = 61;

/// After this time what was counted weighs half.
const HALF_LIFE: Duration = Duration::from_secs(60);

/// Items of a turn up to which each take is counted: there is time, and few takes make a bad sample.
const QUIET_TURN: usize = 8;

struct Counter {
    count: u64,
    /// By how much the count may be too high.
    error: u64,
}

/// A product that many want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenProduct {
    /// Which.
    pub product_id: ProductId,
    /// Its name.
    pub name: Box<str>,
    /// Of the shard's `recent_takes`, at least so many.
    pub takes: u64,
    /// Pieces that can be bought; `None`: not counted.
    pub available: Option<i64>,
}

/// A product and its recent takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Demanded {
    slot: Slot,
    /// At least so many.
    takes: u64,
}

/// The sketch of one shard.
pub struct Demand {
    /// Beside the counters, so that the look for one reads two cache lines.
    slots: Vec<Slot>,
    counters: Vec<Counter>,
    takes: u64,
    until_next: u64,
    is_quiet: bool,
    halved_at: Instant,
}

impl Demand {
    /// Nothing is known yet.
    pub fn new(now: Instant) -> Self {
        Self {
            slots: Vec::with_capacity(COUNTERS),
            counters: Vec::with_capacity(COUNTERS),
            takes: 0,
            until_next: SAMPLED,
            is_quiet: true,
            halved_at: now,
        }
    }

    /// A turn with so many items begins.
    pub fn begin_turn(&mut self, items: usize) {
        self.is_quiet = items <= QUIET_TURN;
    }

    /// A product was taken.
    #[inline]
    pub fn take(&mut self, slot: Slot) {
        if self.is_quiet {
            return self.count(slot, 1);
        }
        self.until_next -= 1;
        if self.until_next == 0 {
            self.until_next = SAMPLED;
            self.count(slot, SAMPLED);
        }
    }

    fn count(&mut self, slot: Slot, takes: u64) {
        self.takes += takes;
        let place = self.slots.iter().position(|known| *known == slot);
        if let Some(counter) = place.and_then(|place| self.counters.get_mut(place)) {
            counter.count += takes;
        } else if self.slots.len() < COUNTERS {
            self.slots.push(slot);
            self.counters.push(Counter { count: takes, error: 0 });
        } else {
            self.replace_least(slot, takes);
        }
    }

    fn replace_least(&mut self, slot: Slot, takes: u64) {
        let counters = self.counters.iter_mut().zip(&mut self.slots);
        if let Some((counter, owner)) = counters.min_by_key(|(counter, _)| counter.count) {
            *owner = slot;
            counter.error = counter.count;
            counter.count += takes;
        }
    }

    /// Recent takes of all products, and the most taken ones, most first.
    pub fn of(&mut self, products: &HotProducts, now: Instant) -> (u64, Vec<TakenProduct>) {
        let (takes, most) = self.report(now);
        let taken = |demanded: Demanded| {
            let ProductView { product_id, name, available, .. } = products.view(demanded.slot);
            TakenProduct { product_id, name, takes: demanded.takes, available }
        };
        (takes, most.into_iter().map(taken).collect())
    }

    fn report(&mut self, now: Instant) -> (u64, Vec<Demanded>) {
        self.forget(now);
        let counters = self.slots.iter().zip(&self.counters);
        let certain = counters.map(|(slot, counter)| Demanded {
            slot: *slot,
            takes: counter.count.saturating_sub(counter.error),
        });
        let mut most: Vec<Demanded> = certain.filter(|product| product.takes > 0).collect();
        most.sort_by_key(|product| (std::cmp::Reverse(product.takes), product.slot));
        most.truncate(REPORTED);
        (self.takes, most)
    }

    fn forget(&mut self, now: Instant) {
        while now.duration_since(self.halved_at) >= HALF_LIFE {
            self.halved_at += HALF_LIFE;
            self.takes /= 2;
            for counter in &mut self.counters {
                counter.count /= 2;
                counter.error /= 2;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(demand: &mut Demand, now: Instant) -> Vec<(Slot, u64)> {
        demand.report(now).1.into_iter().map(|product| (product.slot, product.takes)).collect()
    }

    #[test]
    fn few_takes_are_counted_each() {
        let now = Instant::now();
        let mut demand = Demand::new(now);
        demand.begin_turn(1);
        [7, 9, 7].into_iter().for_each(|slot| demand.take(slot));
        assert_eq!(demand.report(now).0, 3);
        assert_eq!(most(&mut demand, now), [(7, 2), (9, 1)]);
    }

    #[test]
    fn in_a_flood_of_two_line_carts_both_lines_are_seen() {
        let now = Instant::now();
        let mut demand = Demand::new(now);
        demand.begin_turn(64);
        for cart in 0..61_000 {
            demand.take(0);
            demand.take(1 + cart % 5_000);
        }
        let (takes, most) = demand.report(now);
        assert_eq!(takes, 122_000);
        let hot = most.first().expect("something is hot");
        assert_eq!(hot.slot, 0);
        assert!((59_000..=63_000).contains(&hot.takes), "{hot:?}: half of all takes, give or take");
        let next = most.get(1).map_or(0, |product| product.takes);
        assert!(next < 1_000, "nothing else stands out, but {next} takes are said to be certain");
    }

    #[test]
    fn what_was_wanted_is_forgotten_by_halves() {
        let now = Instant::now();
        let mut demand = Demand::new(now);
        (0..12).for_each(|_| demand.take(3));
        demand.take(4);
        assert_eq!(most(&mut demand, now + Duration::from_secs(59)), [(3, 12), (4, 1)]);
        assert_eq!(most(&mut demand, now + Duration::from_secs(60)), [(3, 6)]);
        assert_eq!(demand.report(now + Duration::from_secs(100)).0, 6);
        assert_eq!(most(&mut demand, now + Duration::from_secs(180)), [(3, 1)]);
    }
}
