//! Recovery: the store as of its checkpoint, and the journal after it played forward.
//!
//! lock → identity and checkpoint of the store → everything memory needs as of the checkpoint, products and sellers from
//! the cache file where it is of use → replay, parallel by shard → a new epoch, in the journal first, then in the store.
//! Nothing is answered before all of it is done.

mod catalogue;
mod growing;

use crate::api::EngineConfig;
use crate::catalogue::WarmupRecord;
use crate::idempotency::IdempotencyTable;
use crate::order_book::OpenOrders;
use crate::parked::ParkedEvents;
use crate::recent::{BacklogIndex, RecentOrders};
use crate::sequencer::Numbers;
use crate::shard::ShardState;
use crate::tail::Group;
use floodgate_persistence::catalogue_file::CopiedFrom;
use floodgate_persistence::journal::{self, Disk, JournalError, RecoverFrom, Recovery, TailState, Writer};
use floodgate_persistence::model::{Event, NodeId, Record, Timestamp};
use floodgate_persistence::planted::{self, Planted};
use floodgate_persistence::store::{Store, StoreError, StoreState};
use growing::{AHEAD, GrowingShard, on_each};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Instant;

/// Rows of a page while loading.
const PAGE_ROWS: usize = 10_000;

/// Progress is logged each time this many records were played forward.
const PROGRESS_EVERY: u64 = 250_000;

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal refuses.
    #[error("journal: {0}")]
    Journal(#[from] JournalError),
    /// The store refuses or is away.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// Another engine wrote to the store while this one was loading from it.
    #[error(
        "another engine was still writing to the store (loaded as of {loaded}, now at {found}): start again when it \
         has stopped"
    )]
    StoreMoved {
        /// Checkpoint that was loaded.
        loaded: u64,
        /// Checkpoint after the take-over.
        found: u64,
    },
    /// The operating system refuses a thread.
    #[error("thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Everything that the engine starts with.
pub struct Recovered {
    /// Identity of the data.
    pub node: NodeId,
    /// This run's fencing number.
    pub epoch: u64,
    /// The store is written up to here.
    pub checkpoint: u64,
    /// One entry a shard.
    pub shards: Vec<ShardState>,
    /// Counters.
    pub numbers: Numbers,
    /// Burnt keys.
    pub keys: Arc<IdempotencyTable>,
    /// Newest orders.
    pub recent: Arc<RecentOrders>,
    /// Where unpersisted orders lie.
    pub backlog: Arc<BacklogIndex>,
    /// Orders with a timer.
    pub open: OpenOrders,
    /// Appends after the last record.
    pub writer: Writer,
    /// Sequence of the next record.
    pub next_seq: u64,
    /// Time of the last record.
    pub last_at: Timestamp,
    /// The warm-up that this was.
    pub warmup: WarmupRecord,
    /// The cache file that the catalogue came from; `None`: it came from the store.
    pub cache_file: Option<CopiedFrom>,
    /// What the database refused.
    pub parked: Arc<ParkedEvents>,
    /// What others changed in the database before this moment is in memory.
    pub catalogue_read_at: Timestamp,
}

/// What is not the products': counted, keyed and listed by one thread.
struct Ledger {
    numbers: Numbers,
    keys: Arc<IdempotencyTable>,
    recent: Arc<RecentOrders>,
    backlog: Arc<BacklogIndex>,
    open: OpenOrders,
    epoch: u64,
    last_at: Timestamp,
    last_seq: u64,
}

/// Recovers and becomes the one engine on this journal and this store.
pub async fn recover(
    disk: Arc<dyn Disk>,
    config: &EngineConfig,
    store: &dyn Store,
) -> Result<Recovered, StartError> {
    let began = Instant::now();
    let state = store.state().await?;
    let checkpoint = state.checkpoint.seq;
    let from = RecoverFrom { node: state.node, checkpoint_seq: checkpoint };
    let recovery = journal::recover_on(disk, &config.journal, from)?;
    if let TailState::Cut { file, offset, bytes, saved_as } = recovery.tail() {
        tracing::warn!(
            ?file,
            offset,
            bytes,
            ?saved_as,
            "cut a torn tail off the journal: it was never acknowledged"
        );
    }
    let node = recovery.node().or(state.node).unwrap_or_else(new_node);
    let loaded = catalogue::load(config, store, &state, &recovery).await?;
    let mut ledger = load_ledger(config, store, &state).await?;
    let parked = Arc::new(ParkedEvents::load(store).await?);
    let mut shards = loaded.shards;
    for event in parked.all() {
        ledger.open.apply(&event.record);
        shards.iter_mut().for_each(|shard| shard.replay_terms(&event.record));
    }
    tracing::info!(
        checkpoint,
        elapsed_s = began.elapsed().as_secs_f64(),
        "loaded everything as of the store's checkpoint"
    );
    let (grown, mut ledger) = replay(&recovery, checkpoint, shards, ledger)?;
    let mut shards = Vec::with_capacity(grown.len());
    for shard in grown {
        shards.push(shard.settle(store).await?);
    }
    ledger.last_at = ledger.last_at.max(recovery.last_at());
    let (epoch, last_seq) = (ledger.epoch + 1, recovery.last_seq());
    let mut writer = recovery.into_writer(node)?;
    let started_at = ledger.last_at.max(Timestamp::now());
    begin_epoch(&mut writer, &mut ledger, epoch, last_seq + 1, started_at)?;
    store.take_over(node, epoch).await?;
    refuse_if_moved(store, checkpoint).await?;
    tracing::info!(%node, epoch, last_seq, elapsed_s = began.elapsed().as_secs_f64(), "recovered");
    Ok(Recovered {
        node,
        epoch,
        checkpoint,
        shards,
        numbers: ledger.numbers,
        keys: ledger.keys,
        recent: ledger.recent,
        backlog: ledger.backlog,
        open: ledger.open,
        writer,
        next_seq: last_seq + 2,
        last_at: started_at,
        warmup: loaded.warmup,
        cache_file: loaded.file,
        parked,
        catalogue_read_at: loaded.read_at,
    })
}

/// What was loaded is as of a checkpoint that was read before anything was locked. From the take-over on nobody else
/// writes; an engine that was still draining before it may have.
async fn refuse_if_moved(store: &dyn Store, loaded: u64) -> Result<(), StartError> {
    let found = store.state().await?.checkpoint.seq;
    if found == loaded { Ok(()) } else { Err(StartError::StoreMoved { loaded, found }) }
}

/// 64 random bits from the operating system's source, which seeds the hasher of the standard library.
fn new_node() -> NodeId {
    NodeId(std::hash::RandomState::new().build_hasher().finish())
}

async fn load_ledger(
    config: &EngineConfig,
    store: &dyn Store,
    state: &StoreState,
) -> Result<Ledger, StoreError> {
    Ok(Ledger {
        numbers: Numbers::new(store.counters().await?, config.first_order_id, config.payment_window),
        keys: Arc::new(load_keys(config, store, state.checkpoint.seq).await?),
        recent: Arc::new(RecentOrders::new(config.recent_orders_max)),
        backlog: Arc::default(),
        open: load_open_orders(store).await?,
        epoch: state.checkpoint.epoch,
        last_at: Timestamp::default(),
        last_seq: state.checkpoint.seq,
    })
}

async fn load_keys(
    config: &EngineConfig,
    store: &dyn Store,
    checkpoint: u64,
) -> Result<IdempotencyTable, StoreError> {
    let table = IdempotencyTable::new(config.idempotency_window, config.keys_max);
    let mut before = checkpoint + 1;
    let mut newest = None;
    loop {
        let rows = store.keys(before, PAGE_ROWS).await?;
        let Some(last) = rows.last().filter(|_| !planted::is(Planted::KeyNotLoaded)) else {
            return Ok(table);
        };
        before = last.seq;
        let newest = *newest.get_or_insert(rows.first().map_or(Timestamp::default(), |row| row.at));
        if !table.restore(&rows, newest) || rows.len() < PAGE_ROWS {
            return Ok(table);
        }
    }
}

async fn load_open_orders(store: &dyn Store) -> Result<OpenOrders, StoreError> {
    let mut open = OpenOrders::default();
    let mut after = 0;
    loop {
        let page = store.open_orders(after, PAGE_ROWS).await?;
        page.iter().for_each(|order| open.restore(*order));
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS => after = last.order_id.get(),
            _ => return Ok(open),
        }
    }
}

/// Plays the journal after the checkpoint forward: one thread for each shard's products, one for the rest. Stock is
/// a sum, so the shards need no order among each other.
fn replay(
    recovery: &Recovery,
    checkpoint: u64,
    shards: Vec<GrowingShard>,
    mut ledger: Ledger,
) -> Result<(Vec<GrowingShard>, Ledger), JournalError> {
    let count = shards.len();
    std::thread::scope(|scope| {
        let (way, groups) = crossbeam_channel::bounded::<Arc<Group>>(AHEAD);
        let rest = scope.spawn(move || {
            groups.iter().for_each(|group| ledger.replay(&group));
            ledger
        });
        let hear = |shard: &mut GrowingShard, group: &Arc<Group>, index| {
            group.records.iter().for_each(|record| shard.replay(record, index, count));
        };
        let shards = on_each(shards, hear, |say| {
            read_frames(recovery, checkpoint, |group| {
                // A closed way means that its thread panicked, which joining it tells.
                drop(way.send(Arc::clone(&group)));
                say(group);
            })
        });
        drop(way);
        let ledger = join(rest);
        shards.map(|shards| (shards, ledger))
    })
}

/// A replay thread that panicked met a broken invariant: there is no state to go on with.
fn join<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn read_frames(
    recovery: &Recovery,
    checkpoint: u64,
    hand_out: impl Fn(Arc<Group>),
) -> Result<(), JournalError> {
    let mut played = 0;
    for frame in recovery.frames_after(checkpoint) {
        let mut frame = frame?;
        frame.records.retain(|record| record.seq > checkpoint);
        let before = played / PROGRESS_EVERY;
        played += frame.records.len() as u64;
        if played / PROGRESS_EVERY > before {
            let to_play = recovery.last_seq().saturating_sub(checkpoint);
            tracing::info!(played, to_play, "playing the journal forward");
        }
        hand_out(Arc::new(Group { position: frame.position, records: frame.records }));
    }
    Ok(())
}

impl Ledger {
    fn replay(&mut self, group: &Arc<Group>) {
        self.backlog.push(group);
        self.recent.push(group);
        if !planted::is(Planted::KeyNotReplayed) {
            self.keys.burn(&group.records);
        }
        for record in &group.records {
            self.replay_record(record);
        }
    }

    fn replay_record(&mut self, record: &Record) {
        assert_eq!(record.seq, self.last_seq + 1, "the journal after the checkpoint has no gap");
        self.last_seq = record.seq;
        self.last_at = record.at;
        if let Event::EngineStarted { epoch } = record.event {
            self.epoch = self.epoch.max(epoch);
        }
        self.numbers.replay(record);
        self.open.apply(record);
    }
}

/// Writes the new epoch to the journal, before the store hears of it: an epoch that was given is never given again.
fn begin_epoch(
    writer: &mut Writer,
    ledger: &mut Ledger,
    epoch: u64,
    seq: u64,
    at: Timestamp,
) -> Result<(), JournalError> {
    let event = Event::EngineStarted { epoch };
    let mut frame = writer.frame_builder();
    frame.push(at, &event)?;
    let position = writer.append(&mut frame)?;
    ledger.backlog.push(&Group { position, records: vec![Record { seq, at, event }] });
    Ok(())
}
