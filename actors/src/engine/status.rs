//! One page of everything.

use super::{Engine, lazy_sync, not_ready};
use crate::api::{EngineError, EngineStatus, JournalStatus, ShardStatus, WriterStatus};
use crate::order_book::HashOpenOrders;
use crate::sequencer::JournalInput;
use crate::shard::{Question, ShardInput};
use crate::write_behind::WriterState;
use floodgate_persistence::model::Timestamp;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;

impl Engine {
    /// One page of everything.
    pub async fn status(&self) -> Result<EngineStatus, EngineError> {
        let inner = &self.inner;
        let running = &inner.running;
        Ok(EngineStatus {
            node: inner.rest.node.to_string(),
            epoch: inner.rest.epoch,
            uptime: inner.began.elapsed(),
            shards: self.shard_status().await?,
            journal: self.journal_status(),
            writer: self.writer_status(),
            pool: inner.store.pool(),
            in_flight: running.admission.in_flight(),
            in_flight_max: running.admission.in_flight_max(),
            shed: running.admission.shed(),
            open_orders: running.admission.open_orders(),
            idempotency_keys: inner.rest.keys.len(),
            idempotency_oldest: inner.rest.keys.oldest(),
            cache_hits: running.around.cache_hits.load(Ordering::Relaxed),
            cache_misses: running.catalogue_figures.misses.load(Ordering::Relaxed),
            cache_unknown: running.catalogue_figures.unknown.load(Ordering::Relaxed),
            products_read_at: Timestamp(running.catalogue_figures.products_read_at.load(Ordering::Relaxed)),
            sellers_read_at: Timestamp(running.catalogue_figures.sellers_read_at.load(Ordering::Relaxed)),
            warmup: self.warmup(),
        })
    }

    async fn shard_status(&self) -> Result<Vec<ShardStatus>, EngineError> {
        let mut shards = Vec::new();
        for door in &self.inner.running.around.shards {
            let (reply, answer) = oneshot::channel();
            door.send(ShardInput::Ask(Question::Status(reply)));
            shards.push(answer.await.map_err(|_| not_ready())?);
        }
        Ok(shards)
    }

    fn journal_status(&self) -> JournalStatus {
        let running = &self.inner.running;
        let figures = &running.journal_figures;
        JournalStatus {
            last_seq: running.tail.durable_seq(),
            first_seq: running.journal.first_retained_seq(),
            bytes: running.journal.total_bytes(),
            groups: figures.groups.load(Ordering::Relaxed),
            events: figures.events.load(Ordering::Relaxed),
            written_bytes: figures.bytes.load(Ordering::Relaxed),
            sync_total: Duration::from_micros(figures.sync_us_sum.load(Ordering::Relaxed)),
            last_sync: Duration::from_micros(figures.last_sync_us.load(Ordering::Relaxed)),
            sync: lazy_sync(self.inner.config.journal.sync).unwrap_or_else(|| "always".to_owned()),
            disk_free: running.disk_watch.found().bytes,
            poisoned: running.journal.is_poisoned(),
        }
    }

    fn writer_status(&self) -> WriterStatus {
        let writer = &self.inner.running.writer;
        let checkpoint_seq = writer.checkpoint_seq();
        let (state, last_error) = match &*writer.state.lock() {
            WriterState::Idle => ("idle", None),
            WriterState::Writing => ("writing", None),
            WriterState::Retrying(why) => ("retrying", Some(why.clone())),
            WriterState::Stopped(why) => ("stopped", Some(why.clone())),
        };
        let oldest_ms = writer.oldest_ms.load(Ordering::Relaxed);
        let age_ms = if oldest_ms == 0 { 0 } else { Timestamp::now().0.saturating_sub_unsigned(oldest_ms) };
        WriterStatus {
            store: self.inner.store.describe(),
            checkpoint_seq,
            backlog: self.inner.running.tail.durable_seq().saturating_sub(checkpoint_seq),
            backlog_age: Duration::from_millis(u64::try_from(age_ms).unwrap_or(0)),
            state,
            last_error,
            batches: writer.batches.load(Ordering::Relaxed),
            orders: writer.orders.load(Ordering::Relaxed),
            retries: writer.retries.load(Ordering::Relaxed),
            parked: self.inner.running.parked.len(),
        }
    }

    /// A hash over the whole durable state (products, stock, sellers, open orders, keys, counters). Equal before a
    /// crash and after its recovery, when nothing is under way.
    pub async fn state_hash(&self) -> Result<u64, EngineError> {
        let running = &self.inner.running;
        let mut hasher = DefaultHasher::new();
        let mut products = 0u64;
        let mut sellers = None;
        for door in &running.around.shards {
            let (reply, answer) = oneshot::channel();
            door.send(ShardInput::Ask(Question::StateHash(reply)));
            let (of_products, of_sellers) = answer.await.map_err(|_| not_ready())?;
            products = products.wrapping_add(of_products);
            let all_agree = *sellers.get_or_insert(of_sellers) == of_sellers;
            assert!(all_agree, "every shard has the same sellers");
        }
        let open = running.book.send(HashOpenOrders).await.map_err(|_| not_ready())?;
        let (reply, counters) = oneshot::channel();
        running.around.journal.send(JournalInput::StateHash(reply));
        let counters = counters.await.map_err(|_| not_ready())?;
        (products, sellers, open, counters, self.inner.rest.keys.state_hash()).hash(&mut hasher);
        Ok(hasher.finish())
    }
}
