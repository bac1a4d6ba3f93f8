use floodgate_actors::{CacheCounts, EngineStatus};
use floodgate_persistence::model::Timestamp;
use metrics::{counter, describe_counter, describe_gauge, gauge};
use std::time::Duration;

type GaugeOf = (&'static str, &'static str, fn(&EngineStatus) -> f64);
type CounterOf = (&'static str, &'static str, fn(&EngineStatus) -> u64);

/// What is taken from the engine's status at each scrape, in base units.
const GAUGES: &[GaugeOf] = &[
    ("floodgate_uptime_seconds", "Time since the start.", |status| status.uptime.as_secs_f64()),
    ("floodgate_checkouts_in_flight", "Checkouts under way.", |status| count(status.in_flight)),
    ("floodgate_checkouts_in_flight_max", "Most checkouts under way.", |status| count(status.in_flight_max)),
    ("floodgate_orders_open", "Orders with a timer running.", |status| count(status.open_orders)),
    ("floodgate_idempotency_keys", "Idempotency keys remembered.", |status| count(status.idempotency_keys)),
    ("floodgate_idempotency_keys_max", "Most idempotency keys remembered.", |status| {
        count(status.idempotency_keys_max)
    }),
    (
        "floodgate_idempotency_window_seconds",
        "How long a repeated request is recognised as things are.",
        |status| status.idempotency_window.as_secs_f64(),
    ),
    ("floodgate_orders_payment_window_seconds", "How long an unpaid order lives.", |status| {
        status.payment_window.as_secs_f64()
    }),
    ("floodgate_products_hot", "Products in memory.", |status| {
        count(status.shards.iter().map(|shard| shard.products).sum())
    }),
    ("floodgate_shards_queued", "Messages waiting at all shards.", |status| {
        count(status.shards.iter().map(|shard| shard.queued).sum())
    }),
    ("floodgate_stock_held_units", "Units sold and not yet durable.", |status| {
        number(status.shards.iter().map(|shard| shard.held).sum())
    }),
    ("floodgate_journal_sequence", "Last synced sequence.", |status| number(status.journal.last_seq)),
    ("floodgate_journal_bytes", "Bytes of all segments.", |status| number(status.journal.bytes)),
    ("floodgate_journal_max_bytes", "Most bytes of all segments.", |status| number(status.journal.bytes_max)),
    ("floodgate_journal_poisoned", "1: a write or sync failed, nothing is taken any more.", |status| {
        f64::from(u8::from(status.journal.poisoned))
    }),
    ("floodgate_store_checkpoint_sequence", "All records up to here are in the store.", |status| {
        number(status.writer.checkpoint_seq)
    }),
    ("floodgate_store_backlog_records", "Records not yet in the store.", |status| {
        number(status.writer.backlog)
    }),
    ("floodgate_store_backlog_orders", "Orders not yet in the store.", |status| {
        number(status.writer.backlog_orders)
    }),
    ("floodgate_store_backlog_age_seconds", "Age of the oldest record not yet in the store.", |status| {
        status.writer.backlog_age.as_secs_f64()
    }),
    (
        "floodgate_store_writer_stopped",
        "1: the write-behind stopped, orders are kept in the journal.",
        |status| f64::from(u8::from(status.writer.state == "stopped")),
    ),
    ("floodgate_store_parked_events", "Events that the store refused.", |status| count(status.writer.parked)),
    ("floodgate_catalogue_age_seconds", "Time since all products were last read from the store.", |status| {
        age_seconds(status.products_read_at)
    }),
    ("floodgate_store_connections_max", "Most connections to the store.", |status| count(status.pool.max)),
    ("floodgate_store_connections_in_use", "Connections to the store in use.", |status| {
        count(status.pool.in_use)
    }),
    ("floodgate_store_connections_waiting", "Callers waiting for a connection to the store.", |status| {
        count(status.pool.waiting)
    }),
];

/// As [`GAUGES`], for what only grows.
const COUNTERS: &[CounterOf] = &[
    ("floodgate_journal_groups_total", "Groups synced.", |status| status.journal.groups),
    ("floodgate_journal_events_total", "Events journalled.", |status| status.journal.events),
    ("floodgate_journal_written_bytes_total", "Bytes of frames written.", |status| {
        status.journal.written_bytes
    }),
    ("floodgate_admission_shed_total", "Requests turned away at admission.", |status| status.shed),
    ("floodgate_store_batches_total", "Batches written to the store.", |status| status.writer.batches),
    ("floodgate_store_orders_total", "Orders written to the store.", |status| status.writer.orders),
    ("floodgate_store_retries_total", "Batches that the store did not take at once.", |status| {
        status.writer.retries
    }),
];

type CacheCounterOf = (&'static str, &'static str, fn(CacheCounts) -> u64);

/// As [`COUNTERS`], by kind of what is looked up.
const CACHE_COUNTERS: [CacheCounterOf; 3] = [
    ("floodgate_cache_hits_total", "Look-ups that memory answered.", |counts| counts.hits),
    ("floodgate_cache_misses_total", "Look-ups of something known that the store had to answer.", |counts| {
        counts.misses
    }),
    ("floodgate_cache_unknown_total", "Look-ups of ids that do not exist.", |counts| counts.unknown),
];

/// Side effects that are not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct EffectCounts {
    /// To be done.
    pub(in crate::http) queued: u64,
    /// Given up.
    pub(in crate::http) failed: u64,
}

/// Side effects of the engine; `None`: this engine has none, and then there is no series and no alert about them.
pub(in crate::http) const fn effects_of(_status: &EngineStatus) -> Option<EffectCounts> {
    None
}

/// Says what everything is, and makes every series.
pub(super) fn describe() {
    for (name, help, _) in GAUGES {
        describe_gauge!(*name, *help);
        gauge!(*name).set(0.0);
    }
    for (name, help, _) in COUNTERS {
        describe_counter!(*name, *help);
        counter!(*name).absolute(0);
    }
    for (name, help, _) in CACHE_COUNTERS {
        describe_counter!(name, help);
        set_cache(name, "product", 0);
        set_cache(name, "seller", 0);
    }
}

/// Brings what is looked up to where the engine is.
pub(super) fn look_up(status: &EngineStatus) {
    for (name, _, value) in GAUGES {
        gauge!(*name).set(value(status));
    }
    for (name, _, value) in COUNTERS {
        counter!(*name).absolute(value(status));
    }
    for (name, _, value) in CACHE_COUNTERS {
        set_cache(name, "product", value(status.cache_products));
        set_cache(name, "seller", value(status.cache_sellers));
    }
    if let Some(EffectCounts { queued, failed }) = effects_of(status) {
        describe_gauge!(EFFECTS, "Side effects that are not done, by state.");
        gauge!(EFFECTS, "state" => "queued").set(number(queued));
        gauge!(EFFECTS, "state" => "failed").set(number(failed));
    }
}

const EFFECTS: &str = "floodgate_effects";

fn set_cache(name: &'static str, kind: &'static str, value: u64) {
    counter!(name, "kind" => kind).absolute(value);
}

/// Seconds since a moment; 0 where the clock was set back.
fn age_seconds(since: Timestamp) -> f64 {
    let age_ms = Timestamp::now().0.saturating_sub(since.0);
    Duration::from_millis(u64::try_from(age_ms).unwrap_or(0)).as_secs_f64()
}

/// As a metric is told.
#[expect(clippy::cast_precision_loss, reason = "a metric is read by its first digits")]
pub(super) fn number(value: u64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "a metric is read by its first digits")]
fn count(value: usize) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::install_metrics;

    #[test]
    fn series_are_there_from_the_start() {
        let handle = install_metrics().expect("a recorder");
        describe();
        let before = handle.render();
        for series in [
            "floodgate_store_backlog_records 0",
            "floodgate_store_retries_total 0",
            "floodgate_cache_misses_total{kind=\"seller\"} 0",
        ] {
            assert!(before.contains(series), "{series} in\n{before}");
        }
    }
}
