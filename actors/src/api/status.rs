//! What `/admin/status` and `/readyz` tell.

use super::{CacheCounts, TakenProduct, WarmupJob};
use floodgate_persistence::model::Timestamp;
use floodgate_persistence::store::PoolUsage;
use std::time::Duration;

/// One page of everything.
#[derive(Clone, Debug)]
pub struct EngineStatus {
    /// Identity of the data.
    pub node: String,
    /// Fencing number of this run.
    pub epoch: u64,
    /// Since the start of this run.
    pub uptime: Duration,
    /// One entry a shard.
    pub shards: Vec<ShardStatus>,
    /// The journal.
    pub journal: JournalStatus,
    /// The write-behind.
    pub writer: WriterStatus,
    /// Connections of the store.
    pub pool: PoolUsage,
    /// Checkouts under way.
    pub in_flight: usize,
    /// Most checkouts under way.
    pub in_flight_max: usize,
    /// Requests turned away at admission.
    pub shed: u64,
    /// Orders with a timer running.
    pub open_orders: usize,
    /// Idempotency keys remembered.
    pub idempotency_keys: usize,
    /// Time of the oldest key remembered: how far the window reaches in force.
    pub idempotency_oldest: Option<Timestamp>,
    /// Most idempotency keys remembered.
    pub idempotency_keys_max: usize,
    /// How long a repeated request is recognised as things are: the configured window, or less where the table is full.
    pub idempotency_window: Duration,
    /// How long an unpaid order lives.
    pub payment_window: Duration,
    /// Look-ups of products.
    pub cache_products: CacheCounts,
    /// Look-ups of sellers.
    pub cache_sellers: CacheCounts,
    /// When all products were last read from the store.
    pub products_read_at: Timestamp,
    /// When all sellers were last read from the store.
    pub sellers_read_at: Timestamp,
    /// The last warm-up.
    pub warmup: Option<WarmupJob>,
}

/// A shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardStatus {
    /// Products held.
    pub products: usize,
    /// Sellers held (the same in each shard).
    pub sellers: usize,
    /// Messages waiting.
    pub queued: usize,
    /// Units sold and not yet durable.
    pub held: u64,
    /// Lines that took a product, about; what is a minute old weighs half, and so on.
    pub recent_takes: u64,
    /// Most first; none where all are alike.
    pub most_taken: Vec<TakenProduct>,
}

/// The journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalStatus {
    /// Last synced sequence.
    pub last_seq: u64,
    /// Oldest sequence still in the segments.
    pub first_seq: u64,
    /// Bytes of all segments.
    pub bytes: u64,
    /// Most bytes of all segments.
    pub bytes_max: u64,
    /// Groups synced since the start.
    pub groups: u64,
    /// Events journalled since the start.
    pub events: u64,
    /// Bytes of frames written since the start.
    pub written_bytes: u64,
    /// Duration of the last write and sync.
    pub last_sync: Duration,
    /// Sum of all writes and syncs since the start.
    pub sync_total: Duration,
    /// `always`, `interval:…` or `never`.
    pub sync: String,
    /// Bytes free on the fullest of its and the store's disks; `None`: it cannot be told.
    pub disk_free: Option<u64>,
    /// A write or sync failed: nothing is taken any more.
    pub poisoned: bool,
}

/// The write-behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterStatus {
    /// The store, without a password.
    pub store: String,
    /// All records up to here are in the store.
    pub checkpoint_seq: u64,
    /// Records not yet in the store.
    pub backlog: u64,
    /// Orders among them.
    pub backlog_orders: u64,
    /// Age of the oldest record not yet in the store.
    pub backlog_age: Duration,
    /// `idle`, `writing`, `retrying` or `stopped`.
    pub state: &'static str,
    /// What went wrong last, until it goes right again.
    pub last_error: Option<String>,
    /// Batches written since the start.
    pub batches: u64,
    /// Orders written since the start.
    pub orders: u64,
    /// Tries that failed since the start.
    pub retries: u64,
    /// Events that the store refused and that were not written since.
    pub parked: usize,
}

/// Whether traffic should come here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Recovered, warm, accepting. Notes say what an operator should know (`journal.sync` not `always`).
    Ready {
        /// May be empty.
        notes: Vec<String>,
    },
    /// Not now, with the reason.
    NotReady {
        /// In words.
        reason: String,
    },
}
