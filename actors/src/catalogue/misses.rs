//! Who waits for something that memory does not have, for how long, and how many at most.
//!
//! A database that hangs answers nobody for as long as its limits allow. Whoever waits for it holds a place of those that
//! admission gives, so they wait shortly and are few: products that are in memory are sold on meanwhile.

use crate::api::Unavailable;
use crate::journey::{Journey, Missing};
use floodgate_persistence::model::{ProductId, SellerId};
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Ids after which a read takes no further checkout in: invented ids of one client must not make a query that the
/// database refuses to everybody.
pub const IDS_MAX: usize = 4_000;

/// How long anybody waits: many times what the read takes, and well below the limit of a request, so that the answer is
/// «not ready» and not a time-out.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often it is looked whether somebody has waited too long.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The share of all checkouts under way that may wait here.
const SHARE: usize = 4;

/// Somebody who waits.
pub enum Asker {
    /// A checkout or quote, to be sent on its way again.
    Journey(Box<Journey>),
    /// A question for one product.
    Product(ProductId, oneshot::Sender<Result<(), Unavailable>>),
}

struct Waiting {
    asker: Asker,
    since: Instant,
}

/// Those who wait for the next read, and those whom the read under way is for.
pub struct Misses {
    waiting: VecDeque<Waiting>,
    under_way: Vec<Waiting>,
    journeys: usize,
    journeys_max: usize,
}

impl Misses {
    /// Nobody waits; of `in_flight_max` checkouts a quarter may.
    pub fn new(in_flight_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            under_way: Vec::new(),
            journeys: 0,
            journeys_max: (in_flight_max / SHARE).max(1),
        }
    }

    /// Lets somebody wait; hands a journey back when there is no room for it.
    pub fn push(&mut self, asker: Asker, now: Instant) -> Result<(), Box<Journey>> {
        match asker {
            Asker::Journey(journey) if self.journeys >= self.journeys_max => return Err(journey),
            Asker::Journey(_) => self.journeys += 1,
            Asker::Product(..) => {}
        }
        self.waiting.push_back(Waiting { asker, since: now });
        Ok(())
    }

    /// The ids of the next read, for as many as wait now; `None`: nobody does. The last read is over.
    pub fn next_read(&mut self) -> Option<(Vec<ProductId>, Vec<SellerId>)> {
        self.waiting.retain(|waiting| !waiting.asker.is_gone());
        let mut products = BTreeSet::<ProductId>::new();
        let mut sellers = BTreeSet::<SellerId>::new();
        while products.len() + sellers.len() < IDS_MAX
            && let Some(waiting) = self.waiting.pop_front()
        {
            waiting.asker.name_missing(&mut products, &mut sellers);
            self.under_way.push(waiting);
        }
        (!self.under_way.is_empty()).then(|| (products.into_iter().collect(), sellers.into_iter().collect()))
    }

    /// The read is over: whom it was for, as far as they still wait.
    pub fn end_read(&mut self) -> Vec<Asker> {
        let ended = std::mem::take(&mut self.under_way);
        self.hand_out(ended)
    }

    /// Those who have waited too long, whether or not a read for them is under way.
    pub fn take_old(&mut self, now: Instant) -> Vec<Asker> {
        let is_old = |waiting: &mut Waiting| now.saturating_duration_since(waiting.since) >= PATIENCE;
        let mut old: Vec<Waiting> = self.under_way.extract_if(.., is_old).collect();
        while self.waiting.front_mut().is_some_and(is_old) {
            old.extend(self.waiting.pop_front());
        }
        self.hand_out(old)
    }

    fn hand_out(&mut self, waited: Vec<Waiting>) -> Vec<Asker> {
        let journeys = waited.iter().filter(|waiting| matches!(waiting.asker, Asker::Journey(_))).count();
        self.journeys -= journeys;
        waited.into_iter().map(|waiting| waiting.asker).collect()
    }
}

impl Asker {
    /// A journey always wants its answer; nobody may be left who asked for a product.
    fn is_gone(&self) -> bool {
        matches!(self, Self::Product(_, reply) if reply.is_closed())
    }

    fn name_missing(&self, products: &mut BTreeSet<ProductId>, sellers: &mut BTreeSet<SellerId>) {
        match self {
            Self::Product(id, _) => drop(products.insert(*id)),
            Self::Journey(journey) => {
                for missing in &journey.missing {
                    match missing {
                        Missing::Product(id) => drop(products.insert(*id)),
                        Missing::Seller(id) => drop(sellers.insert(*id)),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(id: u64) -> (Asker, oneshot::Receiver<Result<(), Unavailable>>) {
        let (reply, answer) = oneshot::channel();
        (Asker::Product(ProductId(id), reply), answer)
    }

    fn ids(askers: &[Asker]) -> Vec<u64> {
        let id = |asker: &Asker| match asker {
            Asker::Product(id, _) => id.get(),
            Asker::Journey(_) => 0,
        };
        askers.iter().map(id).collect()
    }

    #[test]
    fn whoever_waits_too_long_is_let_go_also_during_the_read() {
        let mut misses = Misses::new(16);
        let began = Instant::now();
        let mut answers = Vec::new();
        for (id, after_ms) in [(1, 0), (2, 1500)] {
            let (asker, answer) = asker(id);
            assert!(misses.push(asker, began + Duration::from_millis(after_ms)).is_ok());
            answers.push(answer);
        }
        assert_eq!(misses.next_read(), Some((vec![ProductId(1), ProductId(2)], vec![])));
        let (third, _third) = asker(3);
        assert!(misses.push(third, began + Duration::from_millis(1600)).is_ok());
        let at = |ms| began + Duration::from_millis(ms);
        assert_eq!(ids(&misses.take_old(at(1999))), [0; 0]);
        assert_eq!(ids(&misses.take_old(at(2000))), [1]);
        assert_eq!(ids(&misses.take_old(at(3600))), [2, 3]);
        assert!(misses.end_read().is_empty(), "the read brings what nobody waits for any more");
        assert_eq!(misses.next_read(), None);
    }

    #[test]
    fn nothing_is_read_for_those_who_are_gone_and_not_too_much_at_once() {
        let mut misses = Misses::new(16);
        let now = Instant::now();
        let (gone, answer) = asker(1);
        assert!(misses.push(gone, now).is_ok());
        drop(answer);
        assert_eq!(misses.next_read(), None);
        let waiting: Vec<_> = (1..=IDS_MAX as u64 + 1).map(asker).collect();
        let (askers, _answers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        for asker in askers {
            assert!(misses.push(asker, now).is_ok());
        }
        assert_eq!(misses.next_read().map(|(products, _)| products.len()), Some(IDS_MAX));
        assert_eq!(misses.end_read().len(), IDS_MAX);
        assert_eq!(misses.next_read().map(|(products, _)| products.len()), Some(1));
    }
}
