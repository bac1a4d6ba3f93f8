//! What is measured at the front door, and what is looked up when somebody scrapes.

use super::error::{ErrorCode, Failure};
use super::route::ROUTES;
use floodgate_actors::EngineStatus;
use floodgate_persistence::model::Timestamp;
use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::Duration;

/// Upper ends of the histograms in seconds, for durations from a cached read to the request time-out.
const BUCKETS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

const DURATION: &str = "floodgate_http_request_duration_seconds";
const CHECKOUTS: &str = "floodgate_checkouts_total";
const CONNECTIONS: &str = "floodgate_http_connections";
const TURNED_AWAY: &str = "floodgate_http_connections_turned_away_total";

/// Status classes that are told apart; whatever else there may be counts as the last.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// The outcome of a checkout that placed an order; refusals go by their code.
const PLACED: &str = "placed";

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Makes a Prometheus recorder the process's own, once, and returns what renders it. To be called before anything is
/// measured: a metric that was looked up earlier counts for nobody.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().set_buckets(BUCKETS)?.install_recorder()?;
    Ok(RECORDER.get_or_init(|| handle).clone())
}

/// The handles of everything that a request touches, looked up once.
pub(super) struct HttpMetrics {
    /// By route and status class.
    durations: Vec<[Histogram; CLASSES.len()]>,
    placed: Counter,
    /// By place in [`ErrorCode::ALL`].
    refused: Vec<(ErrorCode, Counter)>,
    /// Open connections.
    pub(super) connections: Gauge,
    /// Connections above the cap.
    pub(super) turned_away: Counter,
}

impl HttpMetrics {
    /// Looks everything up, so that every series is there from the start.
    pub(super) fn new() -> Self {
        describe();
        let of_route = |(method, route, _): &(&'static str, &'static str, _)| {
            CLASSES.map(
                |class| histogram!(DURATION, "method" => *method, "route" => *route, "status_class" => class),
            )
        };
        Self {
            durations: ROUTES.iter().map(of_route).collect(),
            placed: counter!(CHECKOUTS, "outcome" => PLACED),
            refused: ErrorCode::ALL
                .iter()
                .map(|code| (*code, counter!(CHECKOUTS, "outcome" => code.as_str())))
                .collect(),
            connections: gauge!(CONNECTIONS),
            turned_away: counter!(TURNED_AWAY),
        }
    }

    /// Counts a request that was answered.
    pub(super) fn request(&self, route: usize, status: u16, took: Duration) {
        let class = usize::from(status / 100).saturating_sub(2).min(CLASSES.len() - 1);
        if let Some(histogram) = self.durations.get(route).and_then(|classes| classes.get(class)) {
            histogram.record(took);
        }
    }

    /// Counts a checkout that was answered, in a batch or by itself.
    pub(super) fn checkout(&self, failure: Option<&Failure>) {
        match failure {
            None => self.placed.increment(1),
            Some(failure) => {
                let counter = self.refused.iter().find(|(code, _)| *code == failure.code());
                counter.map(|(_, counter)| counter.increment(1)).unwrap_or_default();
            }
        }
    }
}

fn describe() {
    describe_histogram!(DURATION, "Time from a request's head to its answer.");
    describe_counter!(CHECKOUTS, "Checkouts answered, by outcome: placed, or the code of the refusal.");
    describe_gauge!(CONNECTIONS, "Open connections.");
    describe_counter!(TURNED_AWAY, "Connections above the cap that were turned away.");
    for (name, help, _) in GAUGES {
        describe_gauge!(*name, *help);
        gauge!(*name).set(0.0);
    }
    for (name, help, _) in COUNTERS {
        describe_counter!(*name, *help);
        counter!(*name).absolute(0);
    }
}

type GaugeOf = (&'static str, &'static str, fn(&EngineStatus) -> f64);
type CounterOf = (&'static str, &'static str, fn(&EngineStatus) -> u64);

/// What is taken from the engine's status at each scrape, in base units.
const GAUGES: &[GaugeOf] = &[
    ("floodgate_uptime_seconds", "Time since the start.", |status| status.uptime.as_secs_f64()),
    ("floodgate_checkouts_in_flight", "Checkouts under way.", |status| count(status.in_flight)),
    ("floodgate_checkouts_in_flight_max", "Most checkouts under way.", |status| count(status.in_flight_max)),
    ("floodgate_orders_open", "Orders with a timer running.", |status| count(status.open_orders)),
    ("floodgate_idempotency_keys", "Idempotency keys remembered.", |status| count(status.idempotency_keys)),
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
    ("floodgate_journal_sync_duration_seconds", "Duration of the last sync.", |status| {
        status.journal.last_sync.as_secs_f64()
    }),
    ("floodgate_disk_free_bytes", "Free on the fullest of the journal's and the store's disks.", |status| {
        number(status.journal.disk_free.unwrap_or(0))
    }),
    ("floodgate_journal_poisoned", "1: a write or sync failed, nothing is taken any more.", |status| {
        f64::from(u8::from(status.journal.poisoned))
    }),
    ("floodgate_store_checkpoint_sequence", "All records up to here are in the store.", |status| {
        number(status.writer.checkpoint_seq)
    }),
    ("floodgate_store_backlog_records", "Records not yet in the store.", |status| {
        number(status.writer.backlog)
    }),
    ("floodgate_store_backlog_age_seconds", "Age of the oldest record not yet in the store.", |status| {
        status.writer.backlog_age.as_secs_f64()
    }),
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
    ("floodgate_cache_unknown_total", "Lookups of ids that do not exist.", |status| status.cache_unknown),
    ("floodgate_cache_hits_total", "Lookups that memory answered.", |status| status.cache_hits),
    ("floodgate_cache_misses_total", "Lookups that the store had to answer.", |status| status.cache_misses),
];

/// Brings what is looked up to where the engine is.
pub(super) fn look_up(status: &EngineStatus) {
    for (name, _, value) in GAUGES {
        gauge!(*name).set(value(status));
    }
    for (name, _, value) in COUNTERS {
        counter!(*name).absolute(value(status));
    }
}

/// Seconds since a moment; 0 where the clock was set back.
fn age_seconds(since: Timestamp) -> f64 {
    let age_ms = Timestamp::now().0.saturating_sub(since.0);
    Duration::from_millis(u64::try_from(age_ms).unwrap_or(0)).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a metric is read by its first digits")]
fn number(value: u64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "a metric is read by its first digits")]
fn count(value: usize) -> f64 {
    value as f64
}

/// What renders the metrics, if they are recorded.
pub(super) fn recorder() -> Option<&'static PrometheusHandle> {
    RECORDER.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_there_from_the_start_and_histograms_have_buckets() {
        let handle = install_metrics().expect("a recorder");
        let metrics = HttpMetrics::new();
        let before = handle.render();
        for series in [
            "floodgate_checkouts_total{outcome=\"placed\"} 0",
            "floodgate_checkouts_total{outcome=\"insufficient_stock\"} 0",
            "floodgate_store_backlog_records 0",
            "floodgate_cache_misses_total 0",
            "floodgate_http_connections 0",
        ] {
            assert!(before.contains(series), "{series} in\n{before}");
        }
        metrics.checkout(None);
        metrics.checkout(Some(&Failure::key_reused()));
        metrics.request(0, 201, Duration::from_micros(300));
        let after = handle.render();
        for series in [
            "floodgate_checkouts_total{outcome=\"placed\"} 1",
            "floodgate_checkouts_total{outcome=\"idempotency_key_reused\"} 1",
            "route=\"/v1/checkouts\",status_class=\"2xx\",le=\"0.00025\"} 0",
            "route=\"/v1/checkouts\",status_class=\"2xx\",le=\"0.0005\"} 1",
        ] {
            assert!(after.contains(series), "{series} in\n{after}");
        }
    }
}
