//! Which idempotency keys are in use, and what they were burnt for.
//!
//! A key is claimed by the worker and settled by whoever decides: the refusing shard lets it go, the journal burns
//! it. Never the HTTP handler, which may be gone by then. Bounded: claims in progress by admission, burnt keys by
//! number and by age, oldest out first. Age goes by journal time, so that replay forgets the same keys; a claim goes by
//! the journal's clock too, which is the wall clock, but never back.

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use floodgate_persistence::model::{IdempotencyClaim, OrderId, Record, Timestamp};
use floodgate_persistence::planted::{self, Planted};
use floodgate_persistence::store::KeyRow;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// What a key was burnt for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burnt {
    /// Sequence of the event.
    pub seq: u64,
    /// The order it belongs to; `None`: a stock adjustment.
    pub order_id: Option<OrderId>,
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimResult {
    /// The key is the caller's now, until it is let go or burnt.
    Claimed,
    /// Somebody else is working on it.
    InProgress,
    /// Used with another body.
    Reused,
    /// Burnt with the same body: answer again what was answered then.
    Burnt(Burnt),
}

#[derive(Clone, Copy)]
struct Slot {
    body: [u8; 16],
    /// What it was burnt for, and when.
    burnt: Option<(Burnt, Timestamp)>,
}

/// Keys are parts of SHA-256 sums, so eight of their bytes are as good a hash as any.
#[derive(Clone, Copy, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(word) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*word);
        }
    }

    /// The length of the array, which is the same for all.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Locks of the table: many times the threads there may be, so that they rarely meet.
const LOCKS: usize = 1024;

/// Burnt keys by rising sequence, so that the oldest can be forgotten.
type Age = (u64, Timestamp, [u8; 16]);

/// All keys within the window.
pub struct IdempotencyTable {
    slots: DashMap<[u8; 16], Slot, BuildHasherDefault<KeyHasher>>,
    ages: Mutex<VecDeque<Age>>,
    window: Duration,
    keys_max: usize,
    forgotten_to: AtomicU64,
    /// Time of the newest record, in ms since 1970: the journal's clock, which never goes back.
    newest_ms: AtomicI64,
}

impl IdempotencyTable {
    /// An empty table that remembers the newest `keys_max` keys of the last `window`.
    pub fn new(window: Duration, keys_max: usize) -> Self {
        Self {
            slots: DashMap::with_hasher_and_shard_amount(BuildHasherDefault::default(), LOCKS),
            ages: Mutex::new(VecDeque::new()),
            window,
            keys_max: keys_max.max(1),
            forgotten_to: AtomicU64::new(0),
            newest_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// Tries to make the key the caller's. Another body comes before «in progress» (contract §1).
    pub fn claim(&self, claim: IdempotencyClaim) -> ClaimResult {
        self.claim_at(claim, || Timestamp::now().max(Timestamp(self.newest_ms.load(Ordering::Acquire))))
    }

    /// A key that is out of the window is nobody's, whether or not its time to be forgotten has come: that is when the
    /// next key is burnt, which on a quiet night may be long after.
    fn claim_at(&self, claim: IdempotencyClaim, now: impl FnOnce() -> Timestamp) -> ClaimResult {
        let claimed = Slot { body: claim.body, burnt: None };
        match self.slots.entry(claim.key) {
            Entry::Vacant(vacant) => {
                vacant.insert(claimed);
                ClaimResult::Claimed
            }
            Entry::Occupied(mut occupied) => match *occupied.get() {
                Slot { burnt: Some((_, at)), .. } if at < self.horizon(now()) => {
                    occupied.insert(claimed);
                    ClaimResult::Claimed
                }
                slot if slot.body != claim.body => ClaimResult::Reused,
                Slot { burnt: Some((burnt, _)), .. } => ClaimResult::Burnt(burnt),
                Slot { burnt: None, .. } => ClaimResult::InProgress,
            },
        }
    }

    /// Refused: nothing was journalled, the key may be tried again.
    pub fn let_go(&self, claim: IdempotencyClaim) {
        self.slots.remove_if(&claim.key, |_, slot| slot.burnt.is_none());
    }

    /// Durable: the keys of these records answer with their events from now on. Called by rising sequence.
    pub fn burn(&self, records: &[Record]) {
        let mut ages = self.ages.lock();
        let mut now = None;
        if let Some(last) = records.last() {
            self.newest_ms.fetch_max(last.at.0, Ordering::Release);
        }
        for record in records {
            let Some(claim) = record.event.idempotency() else { continue };
            let burnt = Burnt { seq: record.seq, order_id: record.event.order_id() };
            self.slots.insert(claim.key, Slot { body: claim.body, burnt: Some((burnt, record.at)) });
            ages.push_back((record.seq, record.at, claim.key));
            now = Some(record.at);
        }
        if let Some(now) = now {
            self.forget_old(&mut ages, now);
        }
    }

    /// Takes keys over from the store, newest first; `false` when the window is full. To be called before
    /// [`burn`](Self::burn), as keys in the store are older than those in the journal after it.
    pub fn restore(&self, rows: &[KeyRow], newest: Timestamp) -> bool {
        let mut ages = self.ages.lock();
        for row in rows {
            if ages.len() >= self.keys_max || row.at < self.horizon(newest) {
                return false;
            }
            let burnt = Burnt { seq: row.seq, order_id: row.order_id };
            // A key that was used again after its time is in the store twice: the newer one came first.
            let slot = Slot { body: row.claim.body, burnt: Some((burnt, row.at)) };
            self.slots.entry(row.claim.key).or_insert(slot);
            self.newest_ms.fetch_max(row.at.0, Ordering::Release);
            ages.push_front((row.seq, row.at, row.claim.key));
        }
        true
    }

    fn forget_old(&self, ages: &mut VecDeque<Age>, now: Timestamp) {
        let horizon = self.horizon(now);
        while let Some((seq, at, key)) = ages.front().copied() {
            if ages.len() <= self.keys_max && at >= horizon || planted::is(Planted::KeysNeverForgotten) {
                return;
            }
            ages.pop_front();
            self.slots.remove_if(&key, |_, slot| slot.burnt.is_some_and(|(burnt, _)| burnt.seq == seq));
            self.forgotten_to.store(seq, Ordering::Release);
        }
    }

    fn horizon(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(-i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX))
    }

    /// Keys of events up to this sequence are out of the window.
    pub fn forgotten_to(&self) -> u64 {
        self.forgotten_to.load(Ordering::Acquire)
    }

    /// Burnt keys remembered.
    pub fn len(&self) -> usize {
        self.ages.lock().len()
    }

    /// How long a repeated request is recognised as things are: the configured window, unless the table is full of
    /// younger keys.
    pub fn window_in_force(&self, now: Timestamp) -> Duration {
        let ages = self.ages.lock();
        match ages.front().filter(|_| ages.len() >= self.keys_max) {
            Some((_, oldest, _)) => {
                let age_ms = u64::try_from(now.0.saturating_sub(oldest.0)).unwrap_or(0);
                self.window.min(Duration::from_millis(age_ms))
            }
            None => self.window,
        }
    }

    /// Time of the oldest burnt key remembered.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.ages.lock().front().map(|(_, at, _)| *at)
    }

    /// Hash over all burnt keys.
    pub fn state_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (seq, at, key) in self.ages.lock().iter() {
            (seq, at, key).hash(&mut hasher);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_persistence::model::{Event, ProductId, StockAdjusted};

    fn claim(key: u8, body: u8) -> IdempotencyClaim {
        IdempotencyClaim { key: [key; 16], body: [body; 16] }
    }

    fn burnt(seq: u64) -> Burnt {
        Burnt { seq, order_id: None }
    }

    /// A stock adjustment that burnt this key.
    fn record(seq: u64, at: i64, claim: IdempotencyClaim) -> Record {
        let product_id = ProductId(1);
        let adjusted = StockAdjusted { product_id, delta: 1, reason: "".into(), idempotency: Some(claim) };
        Record { seq, at: Timestamp(at), event: Event::StockAdjusted(Box::new(adjusted)) }
    }

    #[test]
    fn a_key_is_claimed_let_go_and_burnt() {
        let table = IdempotencyTable::new(Duration::from_secs(60), 10);
        assert_eq!(table.claim(claim(1, 1)), ClaimResult::Claimed);
        assert_eq!(table.claim(claim(1, 1)), ClaimResult::InProgress);
        assert_eq!(table.claim(claim(1, 2)), ClaimResult::Reused, "another body comes before in progress");
        table.let_go(claim(1, 1));
        assert_eq!(table.claim(claim(1, 2)), ClaimResult::Claimed, "a refusal does not burn");
        table.burn(&[record(7, Timestamp::now().0, claim(1, 2))]);
        table.let_go(claim(1, 2));
        assert_eq!(table.claim(claim(1, 2)), ClaimResult::Burnt(burnt(7)));
        assert_eq!(table.claim(claim(1, 1)), ClaimResult::Reused);
    }

    /// Burnt at 1000 with a window of 100: what a claim finds at which time, with the same and with another body.
    #[test]
    fn a_key_ends_with_its_window_though_no_other_key_is_burnt() {
        for (at, same, other) in [
            (1000, ClaimResult::Burnt(burnt(7)), ClaimResult::Reused),
            (1100, ClaimResult::Burnt(burnt(7)), ClaimResult::Reused),
            (1101, ClaimResult::Claimed, ClaimResult::Claimed),
        ] {
            for (body, expected) in [(1, same), (2, other)] {
                let table = IdempotencyTable::new(Duration::from_millis(100), 10);
                table.burn(&[record(7, 1000, claim(1, 1))]);
                assert_eq!(table.claim_at(claim(1, body), || Timestamp(at)), expected, "{body} at {at}");
            }
        }
    }

    /// The journal's clock has run ahead of the wall clock, which was set back.
    #[test]
    fn a_clock_that_is_set_back_brings_no_key_back() {
        let ahead = Timestamp::now().0 + 3_600_000;
        let table = IdempotencyTable::new(Duration::from_millis(100), 10);
        table.burn(&[record(7, ahead, claim(1, 1))]);
        assert_eq!(table.claim(claim(1, 1)), ClaimResult::Burnt(burnt(7)));
        table.burn(&[Record {
            seq: 8,
            at: Timestamp(ahead + 101),
            event: Event::EngineStarted { epoch: 2 },
        }]);
        assert_eq!(table.claim(claim(1, 1)), ClaimResult::Claimed);
        table.burn(&[record(9, ahead + 102, claim(1, 1))]);
        assert_eq!(table.claim_at(claim(1, 1), || Timestamp(ahead + 103)), ClaimResult::Burnt(burnt(9)));
        assert_eq!((table.len(), table.forgotten_to()), (1, 7), "the old one went, the new one stays");
    }

    #[test]
    fn a_full_table_has_a_shorter_window() {
        let table = IdempotencyTable::new(Duration::from_secs(60), 2);
        let window = |table: &IdempotencyTable| table.window_in_force(Timestamp(5_000)).as_millis();
        table.burn(&[record(1, 1_000, claim(1, 0))]);
        assert_eq!(window(&table), 60_000);
        table.burn(&[record(2, 2_000, claim(2, 0)), record(3, 3_000, claim(3, 0))]);
        assert_eq!(window(&table), 3_000);
    }

    #[test]
    fn the_oldest_go_first_by_number_and_by_age() {
        let table = IdempotencyTable::new(Duration::from_millis(100), 3);
        let five: Vec<Record> = (1..=5).map(|seq| record(seq.into(), seq.into(), claim(seq, 0))).collect();
        table.burn(&five);
        assert_eq!((table.len(), table.forgotten_to(), table.oldest()), (3, 2, Some(Timestamp(3))));
        assert_eq!(table.claim(claim(2, 0)), ClaimResult::Claimed);
        table.burn(&[record(6, 104, claim(6, 0))]);
        assert_eq!(
            (table.len(), table.forgotten_to()),
            (3, 3),
            "3 went by number, 4 is just inside the window"
        );
        table.burn(&[record(7, 200, claim(7, 0))]);
        assert_eq!((table.len(), table.forgotten_to()), (2, 5));
    }

    #[test]
    fn keys_from_the_store_fill_the_window_from_its_new_end() {
        let table = IdempotencyTable::new(Duration::from_millis(100), 10);
        let row =
            |seq: u8, at| KeyRow { seq: seq.into(), at: Timestamp(at), claim: claim(seq, 0), order_id: None };
        assert!(table.restore(&[row(9, 190), row(8, 150)], Timestamp(200)));
        assert!(!table.restore(&[row(7, 120), row(6, 99)], Timestamp(200)), "6 is out of the window");
        assert_eq!((table.len(), table.oldest()), (3, Some(Timestamp(120))));
        assert_eq!(table.claim_at(claim(8, 0), || Timestamp(200)), ClaimResult::Burnt(burnt(8)));
        assert_eq!(table.claim(claim(6, 0)), ClaimResult::Claimed);
    }
}
