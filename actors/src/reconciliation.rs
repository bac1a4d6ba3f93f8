//! Reconciliation: memory, journal and store held against each other at one checkpoint, while orders go on.
//!
//! 1. Memory's stock, at a place D of the journal ([`memory`]).
//! 2. One snapshot of the store ([`Store::books`]), which tells its checkpoint S.
//! 3. The journal from its oldest record to the later of S and D ([`journal`]): sums of orders, and what moved between
//!    S and D, by which memory is brought to S.
//! 4. All compared ([`compare`]): stock of each product in memory = store; stock = journal, where counting began in what
//!    the journal still has; orders, shares and lines by day and seller in the journal = store + parked.
//!
//! Nothing is held up for it, but changes of the catalogue for the moment of step 1. It runs on a thread of its own, one
//! at a time.

mod compare;
mod journal;
mod memory;
mod moves;
mod report;

pub use memory::{MemoryStock, ask};
pub use report::{Difference, Findings, ReconciliationJob, ReconciliationState};

use crate::catalogue::{AskMemory, Catalogue};
use actix::prelude::*;
use compare::{StockComparison, compare_sums};
use floodgate_persistence::journal::{JournalError, JournalHandle, record_from_bytes};
use floodgate_persistence::model::{Event, OrderId};
use floodgate_persistence::store::{BooksPart, ParkedRow, Store, StoreError, Sums};
use journal::{JournalBooks, JournalPass, add_order, placed};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};

/// Parts of the store's books between it and the comparison.
const PARTS_AHEAD: usize = 2;

/// Tries, where the oldest segment goes just as it is to be read.
const TRIES: usize = 5;

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
enum ReconciliationError {
    #[error("store: {0}")]
    Store(#[from] StoreError),
    #[error("journal: {0}")]
    Journal(#[from] JournalError),
    #[error("the journal ends at {reached}, and should reach {later}")]
    JournalEnds { reached: u64, later: u64 },
    #[error("a parked event cannot be read: {0}")]
    Parked(u64),
    #[error("no thread for it: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the engine stops")]
    Stopping,
}

/// The last reconciliation, and what it takes to begin another.
pub struct Reconciliations {
    store: Arc<dyn Store>,
    catalogue: Addr<Catalogue>,
    journal: JournalHandle,
    last: Mutex<Option<(Instant, ReconciliationJob)>>,
    stop: watch::Sender<bool>,
}

impl Reconciliations {
    /// None was made yet.
    pub fn new(store: Arc<dyn Store>, catalogue: Addr<Catalogue>, journal: JournalHandle) -> Arc<Self> {
        let (last, stop) = (Mutex::default(), watch::Sender::new(false));
        Arc::new(Self { store, catalogue, journal, last, stop })
    }

    /// The last one.
    pub fn last(&self) -> Option<ReconciliationJob> {
        let last = self.last.lock();
        let (began, job) = last.as_ref()?;
        let mut job = job.clone();
        if job.state == ReconciliationState::Running {
            job.elapsed = began.elapsed();
        }
        Some(job)
    }

    /// Begins one. `Err`: the one that runs.
    pub fn begin(self: &Arc<Self>) -> Result<ReconciliationJob, Box<ReconciliationJob>> {
        let mut last = self.last.lock();
        if let Some((_, running)) = last.as_ref().filter(|(_, job)| job.state == ReconciliationState::Running)
        {
            return Err(Box::new(running.clone()));
        }
        let job = ReconciliationJob {
            state: ReconciliationState::Running,
            findings: Findings::default(),
            elapsed: std::time::Duration::ZERO,
            error: None,
        };
        *last = Some((Instant::now(), job.clone()));
        drop(last);
        let this = Arc::clone(self);
        let thread = std::thread::Builder::new().name("reconciliation".to_owned());
        if let Err(error) = thread.spawn(move || this.end(this.run())) {
            self.end(Err(error.into()));
        }
        Ok(job)
    }

    /// Gives up the one under way.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    fn end(&self, result: Result<Findings, ReconciliationError>) {
        let mut last = self.last.lock();
        let Some((began, job)) = last.as_mut() else { return };
        job.elapsed = began.elapsed();
        match result {
            Ok(findings) => {
                let (orders, differences) = (findings.orders, findings.differences_total);
                tracing::info!(as_of_seq = findings.as_of_seq, orders, differences, "reconciled");
                if differences > 0 {
                    tracing::error!(
                        differences,
                        "memory, journal and store differ: see /admin/reconciliation"
                    );
                }
                (job.state, job.findings) = (ReconciliationState::Done, findings);
            }
            Err(error) => {
                tracing::warn!(%error, "the reconciliation failed");
                (job.state, job.error) = (ReconciliationState::Failed, Some(error.to_string()));
            }
        }
    }

    fn run(&self) -> Result<Findings, ReconciliationError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut stop = self.stop.subscribe();
        runtime.block_on(async {
            tokio::select! {
                found = self.try_to_reconcile() => found,
                _ = stop.wait_for(|stop| *stop) => Err(ReconciliationError::Stopping),
            }
        })
    }

    async fn try_to_reconcile(&self) -> Result<Findings, ReconciliationError> {
        let mut tries = 1;
        loop {
            match self.reconcile().await {
                Err(ReconciliationError::Journal(JournalError::NotRetained { .. })) if tries < TRIES => {
                    tries += 1
                }
                found => return found,
            }
        }
    }

    async fn reconcile(&self) -> Result<Findings, ReconciliationError> {
        let pass = JournalPass::begin(&self.journal).await?;
        let (done, memory) = oneshot::channel();
        self.catalogue.do_send(AskMemory(done));
        let memory = memory.await.map_err(|_| ReconciliationError::Stopping)?;
        let (way, parts) = mpsc::channel(PARTS_AHEAD);
        let first_order = pass.first_order;
        let (read, found) =
            tokio::join!(self.store.books(first_order, way), compare(pass, memory, parts, first_order));
        // Whoever fails first drops the channel, and the other one's error is only that.
        match (read, found) {
            (Err(error), Ok(_) | Err(ReconciliationError::Stopping)) => Err(error.into()),
            (_, found) => found,
        }
    }
}

/// Takes the parts in their order. [`ReconciliationError::Stopping`]: they did not come.
async fn compare(
    pass: JournalPass,
    memory: MemoryStock,
    mut parts: mpsc::Receiver<BooksPart>,
    first_order: Option<OrderId>,
) -> Result<Findings, ReconciliationError> {
    let Some(BooksPart::AsOf(as_of_seq)) = parts.recv().await else {
        return Err(ReconciliationError::Stopping);
    };
    let mut findings = Findings { as_of_seq, ..Findings::default() };
    let journal: JournalBooks = pass.read(as_of_seq, memory.as_of_seq, &mut findings).await?;
    let mut stock = StockComparison::new(memory, &journal);
    let mut sums = Sums::default();
    while let Some(part) = parts.recv().await {
        match part {
            BooksPart::AsOf(_) => {}
            BooksPart::Parked(rows) => {
                for row in rows {
                    add_parked(&row, first_order, &mut stock, &mut sums, &mut findings)?;
                }
            }
            BooksPart::Stock(rows) => {
                rows.into_iter().for_each(|(id, counted)| stock.product(id, counted, &mut findings));
            }
            BooksPart::Sums(rows) => {
                rows.into_iter().for_each(|(account, amounts)| sums.add(account, amounts));
            }
        }
    }
    stock.end(&mut findings);
    compare_sums(&journal.sums, &sums, &mut findings);
    Ok(findings)
}

fn add_parked(
    row: &ParkedRow,
    first_order: Option<OrderId>,
    stock: &mut StockComparison<'_>,
    sums: &mut Sums,
    findings: &mut Findings,
) -> Result<(), ReconciliationError> {
    let record = record_from_bytes(row.seq, &row.event).ok_or(ReconciliationError::Parked(row.seq))?;
    if let Event::ProductPut(put) = &record.event {
        stock.parked(put.product.id);
    }
    let compared = |id: OrderId| first_order.is_some_and(|first| id >= first);
    if let Some(order) = placed(&record).filter(|order| compared(order.order_id)) {
        findings.orders_parked += 1;
        add_order(sums, order, record.at);
    }
    Ok(())
}
