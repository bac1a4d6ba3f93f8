//! The façade: the one type that the outside talks to.

mod admin;
mod orders;
mod parked;
mod port;
mod reconciliation;
mod status;

pub use port::Port;

use crate::admission::{DISK_HANGS_AFTER, DISK_SLOW_AFTER, Permit};
use crate::api::{EngineConfig, EngineError, ProductView, Readiness, Unavailable};
use crate::boot::{self, RecoveredRest, Running};
use crate::catalogue::ReadThrough;
use crate::journey::shard_of;
use crate::recovery::{StartError, recover};
use crate::sequencer::JournalInput;
use crate::shard::{Lookup, Question, ShardInput};
use crate::write_behind::WriterState;
use floodgate_persistence::journal::{Disk, RealDisk, SyncMode};
use floodgate_persistence::model::ProductId;
use floodgate_persistence::store::Store;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long the store's connections may take to close, beyond the deadline of a stop.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What the last sync of the journal may take even where the deadline is over: what was acknowledged lazily is in it.
const SYNC_GRACE: Duration = Duration::from_secs(1);

/// How often a stop looks whether the writer has given up.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A database that takes nothing for this long is worth a note: below it are restarts and deadlocks.
const DEGRADED_AFTER: Duration = Duration::from_secs(3);

/// The engine: recovered, running, shared by all workers. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    config: EngineConfig,
    store: Arc<dyn Store>,
    running: Running,
    rest: RecoveredRest,
    began: Instant,
}

impl Engine {
    /// Recovers and starts; returns when the engine is ready, or says why it cannot be.
    pub async fn start(config: EngineConfig, store: Arc<dyn Store>) -> Result<Self, StartError> {
        Self::start_on(Arc::new(RealDisk), config, store).await
    }

    /// [`start`](Self::start) with the journal on a disk of the caller's.
    pub async fn start_on(
        disk: Arc<dyn Disk>,
        config: EngineConfig,
        store: Arc<dyn Store>,
    ) -> Result<Self, StartError> {
        let began = Instant::now();
        let recovered = recover(disk, &config, &*store).await?;
        let (running, rest) = boot::start(&config, recovered, Arc::clone(&store))?;
        Ok(Self { inner: Arc::new(Inner { config, store, running, rest, began }) })
    }

    /// Takes nothing more, waits for what is under way, syncs the journal, writes it out to the store, and writes the
    /// catalogue cache file if it is due, all within `deadline`. Returns the number of records left for the next start. A second call returns at once.
    pub async fn stop(&self, deadline: Duration) -> u64 {
        let until = tokio::time::Instant::now() + deadline;
        let running = &self.inner.running;
        running.admission.stop();
        running.reconciliations.stop();
        if tokio::time::timeout_at(until, running.admission.emptied()).await.is_err() {
            tracing::warn!(in_flight = running.admission.in_flight(), "stopping with checkouts under way");
        }
        let Some(threads) = running.threads.lock().take() else { return self.left_to_write() };
        running.around.journal.send(JournalInput::Stop);
        let joining = tokio::task::spawn_blocking(|| threads.join_sequencer());
        let synced_by = until.max(tokio::time::Instant::now() + SYNC_GRACE);
        match tokio::time::timeout_at(synced_by, joining).await {
            Ok(Ok(actors)) => {
                self.drained(until).await;
                actors.stop();
            }
            Ok(Err(error)) => tracing::error!(%error, "the journal thread cannot be joined"),
            Err(_) => tracing::error!("the journal did not sync in time: is the disk full or hanging?"),
        }
        let is_drained = self.left_to_write() == 0;
        running.snapshots.stop(is_drained, until).await;
        if tokio::time::timeout(CLOSE_TIMEOUT, self.inner.store.close()).await.is_err() {
            tracing::warn!("the store's connections did not close in time; they end with the process");
        }
        self.left_to_write()
    }

    /// Waits until the store has everything, the writer gives up, or time is up.
    async fn drained(&self, until: tokio::time::Instant) {
        let durable = self.inner.running.tail.durable_seq();
        let writer = &self.inner.running.writer;
        let mut checkpoint = writer.checkpoint.subscribe();
        while *checkpoint.borrow_and_update() < durable {
            let stopped = matches!(*writer.state.lock(), WriterState::Stopped(_));
            if stopped || tokio::time::Instant::now() >= until {
                return;
            }
            // A writer that stops meanwhile moves no checkpoint: looked at once in a while.
            let look_again = until.min(tokio::time::Instant::now() + LOOK_AGAIN);
            drop(tokio::time::timeout_at(look_again, checkpoint.changed()).await);
        }
    }

    fn left_to_write(&self) -> u64 {
        let running = &self.inner.running;
        running.tail.durable_seq().saturating_sub(running.writer.checkpoint_seq())
    }

    /// Resolves when the engine cannot go on (journal poisoned, store taken over): the process must end.
    pub async fn failed(&self) -> String {
        self.inner.running.failure.reason().await
    }

    /// A door for the worker whose runtime calls this.
    pub fn port(&self) -> Port {
        Port::open(Arc::clone(&self.inner))
    }

    /// Room for `checkouts` more, or why not. Asked before a body is read.
    pub fn admit(&self, checkouts: usize) -> Result<Permit, Unavailable> {
        self.inner.running.admission.admit(checkouts)
    }

    /// Whether traffic should come here.
    pub fn readiness(&self) -> Readiness {
        let running = &self.inner.running;
        let reason = if running.failure.has_failed() {
            Some("the journal failed or the store was taken over; the process is ending")
        } else if running.admission.is_stopping() {
            Some("stopping")
        } else if running.admission.disk_busy_for() >= DISK_HANGS_AFTER {
            Some("the journal's disk hangs: a write or sync has not come back for more than 5 s")
        } else if running.admission.is_disk_low() {
            return Readiness::NotReady { reason: self.disk_is_low() };
        } else if !running.admission.has_journal_room() {
            Some("the journal has no room: free disk space or raise journal.max_bytes")
        } else {
            None
        };
        match reason {
            Some(reason) => Readiness::NotReady { reason: reason.to_owned() },
            None => Readiness::Ready { notes: self.notes() },
        }
    }

    fn disk_is_low(&self) -> String {
        let found = self.inner.running.disk_watch.found();
        format!(
            "the disk of {} has {} bytes free, less than journal.disk_reserve: free disk space",
            found.dir.display(),
            found.bytes.unwrap_or(0)
        )
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(lazy) = lazy_sync(self.inner.config.journal.sync) {
            notes.push(format!("journal.sync = {lazy}: a power loss can cost acknowledged orders"));
        }
        let busy = self.inner.running.admission.disk_busy_for();
        if busy >= DISK_SLOW_AFTER {
            notes.push(format!(
                "degraded: the journal's disk is slow, a write or sync has not come back for {} ms",
                busy.as_millis()
            ));
        }
        let writer = &self.inner.running.writer;
        if let WriterState::Stopped(why) = &*writer.state.lock() {
            notes.push(format!("the write-behind stopped, orders are kept in the journal: {why}"));
        } else if let Some((since, why)) = writer.trouble()
            && since >= DEGRADED_AFTER
        {
            notes.push(format!(
                "degraded: the database has taken nothing for {} s, orders are kept in the journal; check that it runs, \
                 can be reached and may be written to: {why}",
                since.as_secs()
            ));
        }
        let parked = self.inner.running.parked.len();
        if parked > 0 {
            notes.push(format!(
                "{parked} events are parked, because the database refused them: see /admin/parked"
            ));
        }
        notes
    }

    /// A hot product, read through if memory does not have it.
    pub async fn product(&self, id: ProductId) -> Result<Option<ProductView>, EngineError> {
        match self.look_up(id).await? {
            Lookup::Hot(product) => return Ok(Some(*product)),
            Lookup::Absent => return Ok(None),
            Lookup::Missing => {}
        }
        let (done, read) = oneshot::channel();
        self.inner.running.catalogue.do_send(ReadThrough { id, done });
        read.await.map_err(|_| not_ready())?.map_err(EngineError::Unavailable)?;
        match self.look_up(id).await? {
            Lookup::Hot(product) => Ok(Some(*product)),
            Lookup::Absent | Lookup::Missing => Ok(None),
        }
    }

    async fn look_up(&self, id: ProductId) -> Result<Lookup, EngineError> {
        let shards = &self.inner.running.around.shards;
        let door = shards.get(usize::from(shard_of(id, shards.len()))).ok_or_else(not_ready)?;
        let (reply, answer) = oneshot::channel();
        door.send(ShardInput::Ask(Question::Product(id, reply)));
        answer.await.map_err(|_| not_ready())
    }
}

/// An actor that is gone: the process is ending.
fn not_ready() -> EngineError {
    EngineError::Unavailable(Unavailable::NotReady)
}

/// The name of a sync mode that does not sync before it answers.
fn lazy_sync(mode: SyncMode) -> Option<String> {
    match mode {
        SyncMode::Always => None,
        SyncMode::Interval(every) => Some(format!("interval:{}ms", every.as_millis())),
        SyncMode::Never => Some("never".to_owned()),
    }
}
