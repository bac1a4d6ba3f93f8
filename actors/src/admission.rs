//! Admission: the one bound that all others rest on. Whoever wants a checkout under way asks here first; past this
//! door nothing is refused for lack of room.

use crate::api::Unavailable;
use crate::failure::Failure;
use floodgate_persistence::planted::{self, Planted};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Journal room kept for each checkout under way, beside its lines: all fields of an order, with a delivery of some
/// hundred bytes.
const JOURNAL_BYTES_A_CHECKOUT: u64 = 1024;

/// Journal room kept for each line of a checkout under way: a name of 255 ASCII characters, 60 bytes of other fields, and
/// 32 of a seller's share. Past what is kept the journal waits for its next segment, which a full disk does not give.
const JOURNAL_BYTES_A_LINE: u64 = 400;

/// A write and sync that takes longer than this is worth a note.
pub const DISK_SLOW_AFTER: Duration = Duration::from_secs(1);

/// A disk that has not finished a write and sync for this long hangs: who comes now is shed, and not left to wait until the
/// request's time is over. Half of the default `server.request_timeout`.
pub const DISK_HANGS_AFTER: Duration = Duration::from_secs(5);

/// Counts what is under way and says no in time.
pub struct Admission {
    in_flight: AtomicUsize,
    in_flight_max: usize,
    open_orders: AtomicUsize,
    /// Journal room for the lines of what is under way, in bytes.
    reserved: AtomicU64,
    /// What can be appended to the journal without waiting, when it was last looked at.
    ready_bytes: AtomicU64,
    open_orders_max: usize,
    journal_room: AtomicBool,
    disk_low: AtomicBool,
    began: Instant,
    /// Since when the journal's disk has a group in hand, in ms after `began`; 0: it has none.
    disk_busy_since_ms: AtomicU64,
    stopping: AtomicBool,
    failure: Arc<Failure>,
    shed: AtomicU64,
    emptied: Notify,
}

/// The right to have some checkouts under way; given back when it is dropped.
pub struct Permit {
    admission: Option<Arc<Admission>>,
    count: usize,
    /// Journal room for the lines.
    bytes: u64,
}

impl Admission {
    /// Nothing under way yet. From the moment `failure` is known nothing is admitted any more.
    pub fn new(in_flight_max: usize, open_orders_max: usize, failure: Arc<Failure>) -> Arc<Self> {
        Arc::new(Self {
            in_flight: AtomicUsize::new(0),
            in_flight_max,
            open_orders: AtomicUsize::new(0),
            reserved: AtomicU64::new(0),
            ready_bytes: AtomicU64::new(u64::MAX),
            open_orders_max,
            journal_room: AtomicBool::new(true),
            disk_low: AtomicBool::new(false),
            began: Instant::now(),
            disk_busy_since_ms: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            failure,
            shed: AtomicU64::new(0),
            emptied: Notify::new(),
        })
    }

    /// Room for `count` more checkouts, or why not. A batch is admitted or shed whole.
    pub fn admit(self: &Arc<Self>, count: usize) -> Result<Permit, Unavailable> {
        self.check(count).inspect_err(|_| {
            self.shed.fetch_add(1, Ordering::Relaxed);
        })?;
        let before = self.in_flight.fetch_add(count, Ordering::SeqCst);
        let permit = Permit { admission: Some(Arc::clone(self)), count, bytes: 0 };
        if before + count > self.in_flight_max {
            self.shed.fetch_add(1, Ordering::Relaxed);
            return Err(Unavailable::Overloaded);
        }
        Ok(permit)
    }

    fn check(&self, count: usize) -> Result<(), Unavailable> {
        if self.stopping.load(Ordering::SeqCst) {
            return Err(Unavailable::NotReady);
        }
        if !self.has_journal_room() {
            return Err(Unavailable::JournalUnavailable);
        }
        if self.disk_busy_for() >= DISK_HANGS_AFTER {
            return Err(Unavailable::Overloaded);
        }
        if self.open_orders.load(Ordering::Relaxed) + count > self.open_orders_max {
            return Err(Unavailable::Overloaded);
        }
        Ok(())
    }

    /// Whether the journal takes what is not a checkout: admin changes, which are few and wait for one another.
    pub fn check_journal(&self) -> Result<(), Unavailable> {
        if self.is_stopping() {
            return Err(Unavailable::NotReady);
        }
        if self.has_journal_room() { Ok(()) } else { Err(Unavailable::JournalUnavailable) }
    }

    /// Most checkouts under way.
    pub fn in_flight_max(&self) -> usize {
        self.in_flight_max
    }

    /// Checkouts under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Requests turned away.
    pub fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// Set by the order book.
    pub fn set_open_orders(&self, count: usize) {
        self.open_orders.store(count, Ordering::Relaxed);
    }

    /// Orders with a timer running.
    pub fn open_orders(&self) -> usize {
        self.open_orders.load(Ordering::Relaxed)
    }

    /// Set by the journal thread: `ready_bytes` can be appended without waiting, and the budget is kept.
    pub fn set_journal_room(&self, ready_bytes: u64, over_budget: bool, poisoned: bool) {
        self.ready_bytes.store(ready_bytes, Ordering::Release);
        let room = ready_bytes > self.needed_bytes() && !over_budget && !poisoned;
        self.journal_room.store(room, Ordering::Release);
    }

    /// What is under way may take as much of the journal.
    fn needed_bytes(&self) -> u64 {
        let in_flight = u64::try_from(self.in_flight()).unwrap_or(u64::MAX);
        let lines = self.reserved.load(Ordering::SeqCst);
        JOURNAL_BYTES_A_CHECKOUT.saturating_mul(in_flight).saturating_add(lines)
    }

    /// Set by the disk watch: less is free than is kept in reserve.
    pub fn set_disk_low(&self, is_low: bool) {
        self.disk_low.store(is_low, Ordering::Release);
    }

    /// Whether a disk has less free than is kept in reserve.
    pub fn is_disk_low(&self) -> bool {
        self.disk_low.load(Ordering::Acquire)
    }

    /// Set by the journal thread: the disk got a group, or is done with it.
    pub fn set_disk_busy(&self, is_busy: bool) {
        let since = if is_busy { self.milliseconds().max(1) } else { 0 };
        self.disk_busy_since_ms.store(since, Ordering::Release);
    }

    /// For how long the disk has had the group that it has in hand.
    pub fn disk_busy_for(&self) -> Duration {
        match self.disk_busy_since_ms.load(Ordering::Acquire) {
            0 => Duration::ZERO,
            since => Duration::from_millis(self.milliseconds().saturating_sub(since)),
        }
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the journal takes more. Never after a failure, whoever announced it and in which order.
    pub fn has_journal_room(&self) -> bool {
        self.journal_room.load(Ordering::Acquire) && !self.is_disk_low() && !self.failure.has_failed()
    }

    /// From now on nothing is admitted.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if self.in_flight() == 0 {
            self.emptied.notify_waiters();
        }
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Resolves when nothing is under way any more. To be called after [`stop`](Self::stop).
    pub async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.in_flight() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Permit {
    /// Keeps journal room for so many lines, now that they are known; what was kept before stays. `Err`: there is none, and
    /// nothing may be taken.
    pub fn reserve(&mut self, lines: usize) -> Result<(), Unavailable> {
        let Some(admission) = &self.admission else { return Ok(()) };
        let bytes = JOURNAL_BYTES_A_LINE.saturating_mul(u64::try_from(lines).unwrap_or(u64::MAX));
        self.bytes += bytes;
        admission.reserved.fetch_add(bytes, Ordering::SeqCst);
        if admission.needed_bytes() <= admission.ready_bytes.load(Ordering::Acquire) {
            return Ok(());
        }
        admission.shed.fetch_add(1, Ordering::Relaxed);
        Err(Unavailable::JournalUnavailable)
    }

    /// Splits off the right for one checkout, so that the checkouts of a batch are given back one by one.
    pub fn split_one(&mut self) -> Self {
        assert!(self.count > 0, "a permit is split only into what it holds");
        let bytes = self.bytes / u64::try_from(self.count).unwrap_or(1);
        self.count -= 1;
        self.bytes -= bytes;
        Self { admission: self.admission.clone(), count: 1, bytes }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(admission) =
            self.admission.as_ref().filter(|_| self.count > 0 && !planted::is(Planted::PermitLeaked))
        else {
            return;
        };
        admission.reserved.fetch_sub(self.bytes, Ordering::SeqCst);
        let before = admission.in_flight.fetch_sub(self.count, Ordering::SeqCst);
        if before == self.count && admission.is_stopping() {
            admission.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_admitted_or_shed_whole() {
        let admission = Admission::new(10, 100, Arc::default());
        let mut eight = admission.admit(8).ok().unwrap();
        assert!(matches!(admission.admit(3), Err(Unavailable::Overloaded)));
        assert_eq!(admission.in_flight(), 8, "what was shed holds nothing");
        drop(eight.split_one());
        assert!(admission.admit(3).is_ok());
        drop(eight);
        assert_eq!(admission.in_flight(), 0);
    }

    #[test]
    fn large_carts_find_room_in_the_journal_or_are_shed() {
        let admission = Admission::new(10, 100, Arc::default());
        admission.set_journal_room(100_000, false, false);
        let mut first = admission.admit(2).ok().unwrap();
        assert_eq!(first.reserve(200), Ok(()));
        let mut second = admission.admit(1).ok().unwrap();
        assert_eq!(
            second.reserve(100),
            Err(Unavailable::JournalUnavailable),
            "what is under way may need all"
        );
        drop(second);
        drop(first.split_one());
        let mut third = admission.admit(1).ok().unwrap();
        assert_eq!(third.reserve(100), Ok(()), "half of the batch gave its room back");
        drop((first, third));
        assert_eq!(admission.needed_bytes(), 0);
    }

    #[test]
    fn each_reason_to_say_no_has_its_name() {
        let mut admission = Admission::new(10, 5, Arc::default());
        admission.set_open_orders(5);
        assert!(matches!(admission.admit(1), Err(Unavailable::Overloaded)));
        admission.set_open_orders(0);
        admission.set_journal_room(0, false, false);
        assert!(matches!(admission.admit(1), Err(Unavailable::JournalUnavailable)));
        admission.set_journal_room(1 << 20, false, false);
        assert!(admission.admit(1).is_ok());
        admission.set_disk_busy(true);
        assert!(admission.admit(1).is_ok(), "a disk at work is no reason");
        admission.disk_busy_since_ms.store(1, Ordering::Release);
        let long_ago = Instant::now().checked_sub(DISK_HANGS_AFTER + Duration::from_secs(1)).unwrap();
        Arc::get_mut(&mut admission).unwrap().began = long_ago;
        assert!(matches!(admission.admit(1), Err(Unavailable::Overloaded)), "a disk that hangs");
        admission.set_disk_busy(false);
        admission.failure.fail("on purpose");
        admission.set_journal_room(1 << 20, false, false);
        assert!(matches!(admission.admit(1), Err(Unavailable::JournalUnavailable)), "whatever is said later");
        admission.stop();
        assert!(matches!(admission.admit(1), Err(Unavailable::NotReady)));
        assert_eq!(admission.shed(), 5);
    }
}
