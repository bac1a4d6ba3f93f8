use std::path::Path;
use std::time::{Duration, Instant};

/// What alerts look at, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The moment.
    pub at: Instant,
    /// What only grows: looked at by what it grew by within the window.
    pub totals: Totals,
    /// What goes up and down: looked at as it is, but for the pool, which is taken over the window.
    pub levels: Levels,
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Checkouts that placed an order.
    pub checkouts_placed: u64,
    /// Checkouts that ended with a server error. Refusals are neither.
    pub checkouts_failed: u64,
    /// Requests.
    pub requests: u64,
    /// Requests that ended with a server error.
    pub requests_failed: u64,
    /// From the head to the answer, all requests together, in nanoseconds.
    pub request_time_ns: u64,
    /// Look-ups that memory answered.
    pub cache_hits: u64,
    /// Look-ups of something known that the store had to answer.
    pub cache_misses: u64,
}

/// How things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Connections of the store in use.
    pub pool_in_use: u64,
    /// Most of them.
    pub pool_max: u64,
    /// How long a repeated request is recognised as things are.
    pub idempotency_window: Duration,
    /// How long an unpaid order lives.
    pub payment_window: Duration,
    /// Age of the oldest record that the store does not have.
    pub backlog_age: Duration,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Its budget.
    pub journal_bytes_max: u64,
    /// Events that the store refused.
    pub parked: u64,
    /// Side effects that were given up; `None`: there are no side effects.
    pub effects_failed: Option<u64>,
    /// The disk of the journal; `None`: it does not say.
    pub disk: Option<Disk>,
}

/// A disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that this process may still write.
    pub free: u64,
    /// All bytes.
    pub size: u64,
}

impl Disk {
    /// The disk that a path lies on.
    pub fn of(path: &Path) -> Option<Self> {
        let found = rustix::fs::statvfs(path).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Some(Self { free: bytes(found.f_bavail), size: bytes(found.f_blocks) })
    }
}
