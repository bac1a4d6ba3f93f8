//! Looks at the engine's status while it runs, from a thread of its own.

use super::settings::BenchError;
use super::stats::middle;
use floodgate_actors::{Engine, JournalStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often. A look costs the engine a few microseconds.
const EVERY: Duration = Duration::from_millis(20);

/// The journal at one moment.
struct Look {
    at: Instant,
    journal: JournalStatus,
}

/// The thread.
pub struct Sampler {
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Look>>,
}

/// What the journal did between two moments.
#[derive(Clone, Copy, Debug, Default)]
pub struct JournalWork {
    /// Groups.
    pub groups: u64,
    /// Events.
    pub events: u64,
    /// Bytes of their frames.
    pub bytes: u64,
    /// Time between the two looks that this is from.
    pub elapsed: Duration,
    /// All writes and syncs together.
    pub sync_total: Duration,
    /// Write and sync of a group, the middle of what was seen, in microseconds.
    pub sync_p50_us: u64,
}

impl Sampler {
    /// Begins to look.
    pub fn start(engine: Engine) -> Result<Self, BenchError> {
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("bench-sampler".to_owned()).spawn(move || {
            let mut looks = Vec::new();
            while !stop.load(Ordering::Acquire) {
                if let Ok(status) = runtime.block_on(engine.status()) {
                    looks.push(Look { at: Instant::now(), journal: status.journal });
                }
                std::thread::park_timeout(EVERY);
            }
            looks
        })?;
        Ok(Self { stopping, thread })
    }

    /// Ends, and tells what happened between two moments.
    pub fn between(self, began: Instant, ended: Instant) -> JournalWork {
        self.stopping.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let looks = self.thread.join().unwrap_or_default();
        let within: Vec<&Look> = looks.iter().filter(|look| (began..=ended).contains(&look.at)).collect();
        let (Some(first), Some(last)) = (within.first(), within.last()) else {
            return JournalWork::default();
        };
        let micros = |look: &&Look| u64::try_from(look.journal.last_sync.as_micros()).unwrap_or(u64::MAX);
        JournalWork {
            groups: last.journal.groups - first.journal.groups,
            events: last.journal.events - first.journal.events,
            bytes: last.journal.written_bytes - first.journal.written_bytes,
            elapsed: last.at - first.at,
            sync_total: last.journal.sync_total.saturating_sub(first.journal.sync_total),
            sync_p50_us: middle(within.iter().map(micros).collect()),
        }
    }
}
