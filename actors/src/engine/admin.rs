//! Admin calls: durable and hot everywhere when they are answered.

use super::{Engine, not_ready};
use crate::api::{
    AdjustOutcome, EngineError, ProductInput, PutOutcome, RowRefusal, SnapshotInfo, WarmupJob, WarmupScope,
};
use crate::catalogue::{BeginWarmup, ChangeResult, MakeChange, MakeChanges, WarmupRecord};
use crate::idempotency::{Burnt, ClaimResult};
use crate::rules::{judge_product, judge_seller};
use crate::shard::Change;
use crate::shard::hot::{ChangeRefusal, STOCK_MAX};
use crate::snapshots::SnapshotJob;
use floodgate_persistence::model::{Event, IdempotencyClaim, ProductId, Seller, StockAdjusted};
use tokio::sync::oneshot;

/// Why a row was not taken that is not in memory.
const NOT_READ: &str = "the database, which may know this row, does not answer; try again later";

impl Engine {
    /// Creates or replaces products. Each row stands alone.
    pub async fn put_products(&self, rows: Vec<ProductInput>) -> Result<PutOutcome, EngineError> {
        let changes = rows.into_iter().map(|input| match judge(&input) {
            Ok(()) => Ok(Change::Put(Box::new(input))),
            Err(refusal) => Err(refusal),
        });
        self.put(changes.collect()).await
    }

    /// Creates or replaces sellers. Each row stands alone.
    pub async fn put_sellers(&self, rows: Vec<Seller>) -> Result<PutOutcome, EngineError> {
        let judge =
            |seller: Seller| refuse_if(judge_seller(&seller)).map(|()| Change::Seller(Box::new(seller)));
        self.put(rows.into_iter().map(judge).collect()).await
    }

    async fn put(
        &self,
        changes: Vec<Result<Change, (&'static str, String)>>,
    ) -> Result<PutOutcome, EngineError> {
        self.inner.running.admission.check_journal().map_err(EngineError::Unavailable)?;
        let mut to_make = Vec::with_capacity(changes.len());
        let mut waiting = Vec::with_capacity(changes.len());
        for change in changes {
            waiting.push(change.map(|change| {
                let (done, made) = oneshot::channel();
                to_make.push(MakeChange { change, done });
                made
            }));
        }
        self.make(to_make);
        let mut outcome = PutOutcome::default();
        let (mut unknown, mut unread) = (false, false);
        for (row, made) in waiting.into_iter().enumerate() {
            let result = match made {
                Err(refusal) => Err(refusal),
                Ok(done) => match done.await {
                    Ok(ChangeResult::Done { .. }) => Ok(()),
                    Ok(ChangeResult::Refused(refusal)) => Err(describe(refusal)),
                    Ok(ChangeResult::NotReady) | Err(_) => {
                        unread = true;
                        Err(("not_ready", NOT_READ.to_owned()))
                    }
                    Ok(ChangeResult::Unknown) => {
                        unknown = true;
                        continue;
                    }
                },
            };
            match result {
                Ok(()) => outcome.accepted += 1,
                Err((code, detail)) => outcome.rejected.push(RowRefusal { row, code, detail }),
            }
        }
        // An upsert may be repeated whole: whoever is told that the outcome is unknown loses nothing by the rows that
        // were taken. «Not ready» says that nothing was done, so it answers for all rows only where that is true.
        match (unknown, unread && outcome.accepted == 0) {
            (true, _) => Err(EngineError::Unknown),
            (false, true) => Err(not_ready()),
            (false, false) => Ok(outcome),
        }
    }

    /// A message to an actor that is gone drops what would be told, which those who wait for it see.
    fn make(&self, changes: Vec<MakeChange>) {
        self.inner.running.catalogue.do_send(MakeChanges(changes));
    }

    /// Corrects counted stock by hand.
    pub async fn adjust_stock(
        &self,
        product_id: ProductId,
        delta: i64,
        reason: Box<str>,
        idempotency: Option<IdempotencyClaim>,
    ) -> Result<AdjustOutcome, EngineError> {
        self.inner.running.admission.check_journal().map_err(EngineError::Unavailable)?;
        match idempotency.map(|claim| self.inner.rest.keys.claim(claim)) {
            None | Some(ClaimResult::Claimed) => {}
            Some(ClaimResult::InProgress) => return Err(EngineError::KeyInProgress),
            Some(ClaimResult::Reused) => return Err(EngineError::KeyReused),
            Some(ClaimResult::Burnt(burnt)) => return self.adjusted_before(burnt).await,
        }
        let adjusted = StockAdjusted { product_id, delta, reason: reason.clone(), idempotency };
        let (done, made) = oneshot::channel();
        self.make(vec![MakeChange { change: Change::Adjust(Box::new(adjusted)), done }]);
        match made.await.map_err(|_| not_ready())? {
            ChangeResult::Done { seq, at } => {
                let available = self.product(product_id).await?.and_then(|product| product.available);
                Ok(AdjustOutcome::Adjusted { seq, at, delta, reason, available, replayed: false })
            }
            ChangeResult::Refused(ChangeRefusal::Unknown) => Ok(AdjustOutcome::UnknownProduct),
            ChangeResult::Refused(ChangeRefusal::NotCounted) => Ok(AdjustOutcome::NotCounted),
            ChangeResult::Refused(ChangeRefusal::OutOfRange { available }) => {
                Ok(AdjustOutcome::Insufficient { available })
            }
            ChangeResult::NotReady => Err(not_ready()),
            ChangeResult::Unknown => Err(EngineError::Unknown),
        }
    }

    /// The adjustment that a key was burnt for: from the store, or from the journal if the store does not have it
    /// yet.
    async fn adjusted_before(&self, burnt: Burnt) -> Result<AdjustOutcome, EngineError> {
        let record = if let Some(parked) = self.inner.running.parked.get(burnt.seq) {
            Some(parked.record.clone())
        } else if burnt.seq <= self.inner.running.writer.checkpoint_seq() {
            self.inner.store.stock_adjustment(burnt.seq).await.map_err(|_| not_ready())?
        } else {
            let mut frames = self.inner.running.journal.read_from(burnt.seq);
            let frame = frames.next().transpose().map_err(|_| not_ready())?;
            frame.and_then(|frame| frame.records.into_iter().find(|record| record.seq == burnt.seq))
        };
        let record = record.ok_or(EngineError::Unknown)?;
        let Event::StockAdjusted(adjusted) = record.event else { return Err(EngineError::KeyReused) };
        let StockAdjusted { product_id, delta, reason, .. } = *adjusted;
        let available = self.product(product_id).await?.and_then(|product| product.available);
        Ok(AdjustOutcome::Adjusted {
            seq: record.seq,
            at: record.at,
            delta,
            reason,
            available,
            replayed: true,
        })
    }

    /// Begins a warm-up. The inner `Err` is the one that runs.
    pub async fn start_warmup(
        &self,
        scope: WarmupScope,
    ) -> Result<Result<WarmupJob, WarmupJob>, EngineError> {
        let total = match &scope {
            WarmupScope::All => self.inner.store.product_count().await.map_err(|_| not_ready())?,
            WarmupScope::Some { products, sellers } => (products.len() + sellers.len()) as u64,
        };
        self.inner.running.catalogue.send(BeginWarmup { scope, total }).await.map_err(|_| not_ready())
    }

    /// Writes the catalogue cache file now; where one is being written, waits for that. Dropping the future changes
    /// nothing.
    pub async fn snapshot(&self) -> Result<SnapshotInfo, EngineError> {
        let running = &self.inner.running;
        if running.admission.is_stopping() {
            return Err(not_ready());
        }
        let mut job = running.snapshots.begin().ok_or(EngineError::SwitchedOff("cache.file is off"))?;
        let end = job.wait_for(|job| *job != SnapshotJob::UnderWay).await.map_err(|_| not_ready())?;
        match &*end {
            SnapshotJob::Written(info) => Ok(info.clone()),
            SnapshotJob::UnderWay | SnapshotJob::Failed => Err(not_ready()),
        }
    }

    /// The last warm-up; the start of the engine counts as one.
    pub fn warmup(&self) -> Option<WarmupJob> {
        self.inner.running.catalogue_figures.warmup.lock().as_ref().map(WarmupRecord::job)
    }
}

/// The engine judges every row itself, whoever brings it: what it journals must fit every table.
fn judge(input: &ProductInput) -> Result<(), (&'static str, String)> {
    let mut wrong = judge_product(&input.product);
    if let Some(stock) = input.stock.filter(|stock| !(0..=STOCK_MAX).contains(stock)) {
        wrong.push(format!("stock: {stock} is not in 0 … {STOCK_MAX}"));
    }
    refuse_if(wrong)
}

fn refuse_if(wrong: Vec<String>) -> Result<(), (&'static str, String)> {
    if wrong.is_empty() { Ok(()) } else { Err(("invalid_field", wrong.join("; "))) }
}

fn describe(refusal: ChangeRefusal) -> (&'static str, String) {
    match refusal {
        ChangeRefusal::OutOfRange { available } => (
            "insufficient_stock",
            format!(
                "stock: only {available} pieces are free, the rest is held by checkouts under way; try again"
            ),
        ),
        ChangeRefusal::Unknown => ("unknown_product", "product_id: no such product".to_owned()),
        ChangeRefusal::NotCounted => ("stock_not_counted", "stock: not counted".to_owned()),
    }
}
