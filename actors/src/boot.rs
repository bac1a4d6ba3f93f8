//! Starts the engine's threads and actors, sinks first, and stops them in reverse.
//!
//! | thread | runs |
//! | --- | --- |
//! | `journal` | the sequencer |
//! | `journal-disk` | write and sync of the journal |
//! | one arbiter a shard | the shard |
//! | one arbiter | the write-behind |
//! | one arbiter | the order book |
//! | one arbiter | the catalogue |
//! | `catalogue-file` | while the catalogue cache file is written |

use crate::admission::Admission;
use crate::api::EngineConfig;
use crate::catalogue::{Catalogue, CatalogueFigures};
use crate::disk_watch::DiskWatch;
use crate::doorbell::Doorbell;
use crate::failure::Failure;
use crate::order_book::{GROUPS_MAX, OrderBook};
use crate::parked::ParkedEvents;
use crate::reconciliation::Reconciliations;
use crate::recovery::{Recovered, StartError};
use crate::sequencer::{Audience, JournalDoor, JournalFigures, Sequencer, SequencerStart};
use crate::shard::{Shard, ShardDoor, Surroundings};
use crate::snapshots::{SnapshotParts, Snapshots};
use crate::tail::Tail;
use crate::write_behind::{WriteBehind, WriterFigures, WriterParts};
use actix::prelude::*;
use floodgate_persistence::journal::{JournalHandle, SyncMode, Writer};
use floodgate_persistence::store::Store;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;

/// Threads of the engine whose panic ends the process: their state is suspect, and recovery is replay. Arbiters are
/// named by actix.
const CORE_THREADS: [&str; 2] = ["actix-rt|", "journal"];

/// Whether a panic on this thread must end the process.
pub fn is_core_thread(name: &str) -> bool {
    CORE_THREADS.iter().any(|prefix| name.starts_with(prefix))
}

/// Names the calling thread for `top`, `perf` and the benchmark: actix names all its threads alike, and cuts what tells
/// them apart. At most 15 bytes (proc(5), `comm`). A system that does not let us keeps the old name.
pub fn name_thread(name: &str) {
    if let Err(error) = std::fs::write("/proc/thread-self/comm", name) {
        tracing::debug!(name, %error, "a thread keeps its old name");
    }
}

/// Everything that runs.
pub struct Running {
    /// Bounds what is under way.
    pub admission: Arc<Admission>,
    /// Why the engine cannot go on.
    pub failure: Arc<Failure>,
    /// Shards, journal and keys.
    pub around: Arc<Surroundings>,
    /// The newest records.
    pub tail: Arc<Tail>,
    /// What may be asked of the journal.
    pub journal: JournalHandle,
    /// Figures of the journal thread.
    pub journal_figures: Arc<JournalFigures>,
    /// Figures of the write-behind.
    pub writer: Arc<WriterFigures>,
    /// Takes retries of parked events.
    pub write_behind: Addr<WriteBehind>,
    /// What the database refused.
    pub parked: Arc<ParkedEvents>,
    /// Figures of the catalogue.
    pub catalogue_figures: Arc<CatalogueFigures>,
    /// Writes the catalogue cache file.
    pub snapshots: Arc<Snapshots>,
    /// Looks at the free disk space.
    pub disk_watch: DiskWatch,
    /// Holds memory, journal and store against each other.
    pub reconciliations: Arc<Reconciliations>,
    /// Takes changes, warm-ups and read-throughs.
    pub catalogue: Addr<Catalogue>,
    /// Answers for the open orders.
    pub book: Addr<OrderBook>,
    /// Joined when the engine stops.
    pub threads: Mutex<Option<Threads>>,
}

/// The threads behind it.
pub struct Threads {
    sequencer: JoinHandle<Option<Writer>>,
    system: JoinHandle<()>,
    system_handle: System,
}

impl Threads {
    /// Waits for the journal thread, which was told to stop. Blocks.
    pub fn join_sequencer(self) -> ActorThreads {
        let writer = self.sequencer.join();
        if writer.is_err() {
            tracing::error!("the journal thread panicked");
        }
        let _writer = writer.ok().flatten();
        ActorThreads { system: self.system, handle: self.system_handle, _writer }
    }
}

/// The actors' threads, once the journal thread has ended.
pub struct ActorThreads {
    system: JoinHandle<()>,
    handle: System,
    /// Holds the journal's lock: no other engine may start while this one still writes to the store.
    _writer: Option<Writer>,
}

impl ActorThreads {
    /// Stops all actors, and lets go of the journal.
    pub fn stop(self) {
        self.handle.stop();
        if self.system.join().is_err() {
            tracing::error!("the actors' thread panicked");
        }
    }
}

/// Starts everything on what recovery found.
pub fn start(
    config: &EngineConfig,
    recovered: Recovered,
    store: Arc<dyn Store>,
) -> Result<(Running, RecoveredRest), StartError> {
    // 1. What everybody shares.
    let failure = Arc::new(Failure::default());
    let admission = Admission::new(config.in_flight_max, config.open_orders_max, Arc::clone(&failure));
    let tail = Arc::new(Tail::new(recovered.next_seq - 1));
    let (journal_door, journal_inbox) = JournalDoor::new();
    let (doors, inboxes): (Vec<_>, Vec<_>) = recovered.shards.iter().map(|_| ShardDoor::new()).unzip();
    let (fetch, missed) = crossbeam_channel::unbounded();
    let around = Arc::new(Surroundings {
        shards: doors,
        journal: journal_door,
        fetch,
        fetch_bell: Doorbell::default(),
        keys: Arc::clone(&recovered.keys),
        invoice_prefix: Arc::clone(&config.invoice_prefix),
        cache_hits: AtomicU64::new(0),
        parked: Arc::clone(&recovered.parked),
    });
    let (book_groups, book_inbox) = crossbeam_channel::bounded(GROUPS_MAX);
    let (book_bell, writer_bell) = (Arc::new(Doorbell::default()), Arc::new(Doorbell::default()));
    let writer = WriterFigures::new(recovered.checkpoint);
    let catalogue_figures = CatalogueFigures::new(recovered.warmup, recovered.catalogue_read_at);
    let snapshots = Snapshots::new(SnapshotParts {
        store: Arc::clone(&store),
        file: config.cache_file.clone(),
        node: recovered.node,
        retain: config.journal.retain,
        newest: recovered.cache_file,
        writer: Arc::clone(&writer),
    });
    let journal = recovered.writer.handle();

    // 2. The actors, sinks first: order book, write-behind, catalogue, shards.
    let order_book =
        OrderBook::new(recovered.open, book_inbox, Arc::clone(&book_bell), Arc::clone(&admission));
    let write_behind = WriterParts {
        store: Arc::clone(&store),
        tail: Arc::clone(&tail),
        journal: journal.clone(),
        backlog: Arc::clone(&recovered.backlog),
        keys: Arc::clone(&recovered.keys),
        bell: Arc::clone(&writer_bell),
        failure: Arc::clone(&failure),
        figures: Arc::clone(&writer),
        parked: Arc::clone(&recovered.parked),
        epoch: recovered.epoch,
    };
    let mut catalogue = Catalogue::new(
        Arc::clone(&store),
        Arc::clone(&around),
        Arc::clone(&catalogue_figures),
        (config.product_ttl, config.seller_ttl),
        missed,
        Arc::clone(&snapshots),
    );
    if recovered.cache_file.is_some() {
        catalogue.catch_up_with_others(recovered.catalogue_read_at);
    }
    let shards = (0..)
        .zip(recovered.shards.into_iter().zip(inboxes))
        .map(|(index, (state, inbox))| Shard::new(index, state, inbox, Arc::clone(&around)))
        .collect();
    let actors = start_actors(Actors { order_book, write_behind, catalogue, shards })?;

    // 3. The journal thread, which feeds them.
    let journal_figures = Arc::new(JournalFigures::default());
    let audience = Audience {
        recent: Arc::clone(&recovered.recent),
        backlog: Arc::clone(&recovered.backlog),
        keys: Arc::clone(&recovered.keys),
        tail: Arc::clone(&tail),
        writer_bell,
        book: book_groups,
        book_bell,
        around: Arc::clone(&around),
        admission: Arc::clone(&admission),
        failure: Arc::clone(&failure),
        figures: Arc::clone(&journal_figures),
    };
    let start = SequencerStart {
        frame_max: config.journal.frame_body_max(),
        sync_idle: match config.journal.sync {
            SyncMode::Interval(every) => Some(every),
            SyncMode::Always | SyncMode::Never => None,
        },
        writer: recovered.writer,
        last_at: recovered.last_at,
        numbers: recovered.numbers,
    };
    let sequencer = Sequencer::new(start, journal_inbox, audience)?;
    let sequencer = std::thread::Builder::new().name("journal".into()).spawn(move || sequencer.run())?;

    let threads = Threads { sequencer, system: actors.thread, system_handle: actors.system };
    let disks = std::iter::once(config.journal.dir.clone()).chain(config.store_dir.clone());
    let disk_watch = DiskWatch::start(disks.collect(), config.disk_reserve, Arc::clone(&admission))?;
    let reconciliations = Reconciliations::new(store, actors.catalogue.clone(), journal.clone());
    let running = Running {
        admission,
        failure,
        around,
        tail,
        journal,
        journal_figures,
        writer,
        write_behind: actors.write_behind,
        parked: recovered.parked,
        catalogue_figures,
        snapshots,
        disk_watch,
        reconciliations,
        catalogue: actors.catalogue,
        book: actors.book,
        threads: Mutex::new(Some(threads)),
    };
    let rest = RecoveredRest {
        node: recovered.node,
        epoch: recovered.epoch,
        keys: recovered.keys,
        recent: recovered.recent,
        backlog: recovered.backlog,
    };
    Ok((running, rest))
}

/// What of the recovery the façade keeps.
pub struct RecoveredRest {
    /// Identity of the data.
    pub node: floodgate_persistence::model::NodeId,
    /// This run's fencing number.
    pub epoch: u64,
    /// Keys.
    pub keys: Arc<crate::idempotency::IdempotencyTable>,
    /// Newest orders.
    pub recent: Arc<crate::recent::RecentOrders>,
    /// Where unpersisted orders lie.
    pub backlog: Arc<crate::recent::BacklogIndex>,
}

struct Actors {
    order_book: OrderBook,
    write_behind: WriterParts,
    catalogue: Catalogue,
    shards: Vec<Shard>,
}

struct Started {
    thread: JoinHandle<()>,
    system: System,
    catalogue: Addr<Catalogue>,
    book: Addr<OrderBook>,
    write_behind: Addr<WriteBehind>,
}

fn start_actors(actors: Actors) -> Result<Started, StartError> {
    let (tell, started) = crossbeam_channel::bounded(1);
    let thread = std::thread::Builder::new().name("actix-rt|system".into()).spawn(move || {
        let system = System::new();
        system.block_on(async move {
            let Actors { order_book, write_behind, catalogue, shards } = actors;
            let book = OrderBook::start_in_arbiter(&Arbiter::new().handle(), move |_| order_book);
            let writer_arbiter = Arbiter::new().handle();
            let write_behind =
                WriteBehind::start_in_arbiter(&writer_arbiter, move |_| WriteBehind::new(write_behind));
            // Not with the order book, which the journal thread may wait for.
            let catalogue = Catalogue::start_in_arbiter(&Arbiter::new().handle(), move |_| catalogue);
            for shard in shards {
                Shard::start_in_arbiter(&Arbiter::new().handle(), move |_| shard);
            }
            // The receiver waits below; it is gone only if this thread could not be started.
            drop(tell.send((System::current(), catalogue, book, write_behind)));
        });
        if let Err(error) = system.run() {
            tracing::error!(%error, "the actors' system ended with an error");
        }
    })?;
    let (system, catalogue, book, write_behind) =
        started.recv().map_err(|_| std::io::Error::other("the actors did not start"))?;
    Ok(Started { thread, system, catalogue, book, write_behind })
}

#[cfg(test)]
mod tests {
    #[test]
    fn threads_with_state_are_told_from_others() {
        let arbiter = "actix-rt|system:0|arbiter:3";
        for (name, core) in
            [(arbiter, true), ("journal", true), ("journal-disk", true), ("http-1", false), ("main", false)]
        {
            assert_eq!(super::is_core_thread(name), core, "{name}");
        }
    }
}
