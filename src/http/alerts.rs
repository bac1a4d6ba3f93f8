use super::metrics::{HttpMetrics, LastWhile, Snapshot, effects_of};
use super::order_json::as_text;
use super::shop::{Shop, ok};
use crate::alerts::{Alert, Board, Disk, Levels, Sample, Totals};
use axum::extract::State;
use axum::response::Response;
use floodgate_actors::{Engine, EngineStatus};
use floodgate_persistence::model::Timestamp;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use utoipa::ToSchema;

/// All alerts.
#[derive(Serialize, ToSchema)]
#[schema(as = Alerts)]
pub(super) struct AlertsJson {
    data: Vec<AlertJson>,
}

/// An alert as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Alert)]
pub(super) struct AlertJson {
    name: &'static str,
    /// `ok` or `firing`.
    state: &'static str,
    /// What was measured; `null`: too little happened to say anything.
    value: Option<f64>,
    /// What it is held against.
    threshold: f64,
    /// `ratio`, `seconds` or `count`.
    unit: &'static str,
    /// Since when it is as it is.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When it fires, in words.
    summary: &'static str,
}

impl From<Alert> for AlertJson {
    fn from(alert: Alert) -> Self {
        Self {
            name: alert.name,
            state: if alert.is_firing { "firing" } else { "ok" },
            value: alert.value,
            threshold: alert.threshold,
            unit: alert.unit.as_str(),
            since: alert.since,
            summary: alert.summary,
        }
    }
}

/// What an operator should look at.
///
/// Judged every second over the last minute. What is a share or a mean says nothing below 100 of what it is taken of.
/// What each alert means and what to do about it: `docs/runbook.md`.
#[utoipa::path(
    get, path = "/admin/alerts", tag = "admin",
    responses((status = 200, description = "All alerts", body = AlertsJson))
)]
pub(super) async fn list_alerts(State(shop): State<Shop>) -> Response {
    ok(&AlertsJson { data: as_json(&shop.alerts) })
}

/// All alerts, in their order.
pub(super) fn as_json(board: &Board) -> Vec<AlertJson> {
    board.list().into_iter().map(AlertJson::from).collect()
}

/// Judges the alerts again and again.
pub(super) struct Watch {
    pub(super) engine: Engine,
    pub(super) metrics: Arc<HttpMetrics>,
    pub(super) board: Arc<Board>,
    pub(super) last_while: Arc<LastWhile>,
    pub(super) journal_dir: PathBuf,
    /// How far alerts look back.
    pub(super) window: Duration,
}

impl Watch {
    /// Runs until the server stops, on a thread of its own: requests that wait for a busy worker are what it is to see.
    pub(super) fn start(self, mut stop: watch::Receiver<bool>) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let watching = async move {
            // 60 samples a window are fine enough, and no more than ten a second are worth it.
            let every = (self.window / 60).clamp(Duration::from_millis(100), Duration::from_secs(1));
            let mut rounds = interval(every);
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !*stop.borrow_and_update() {
                tokio::select! {
                    _ = rounds.tick() => self.look().await,
                    changed = stop.changed() => if changed.is_err() { return },
                }
            }
        };
        std::thread::Builder::new().name("alerts".to_owned()).spawn(move || runtime.block_on(watching))?;
        Ok(())
    }

    /// An engine that does not answer is ending.
    async fn look(&self) {
        let Ok(status) = self.engine.status().await else { return };
        let snapshot = Snapshot::take(&self.metrics, &self.engine);
        let levels = levels(&status, Disk::of(&self.journal_dir));
        let sample = Sample { at: snapshot.at, totals: totals(&snapshot, &status), levels };
        self.board.observe(sample, Timestamp::now());
        self.last_while.push(snapshot);
    }
}

fn totals(snapshot: &Snapshot, status: &EngineStatus) -> Totals {
    let cache = status.cache_products.plus(status.cache_sellers);
    Totals {
        checkouts_placed: snapshot.placed(),
        checkouts_failed: snapshot.checkouts_failed,
        requests: snapshot.requests.all,
        requests_failed: snapshot.requests.failed,
        request_time_ns: snapshot.requests.time_ns,
        cache_hits: cache.hits,
        cache_misses: cache.misses,
    }
}

fn levels(status: &EngineStatus, disk: Option<Disk>) -> Levels {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Levels {
        pool_in_use: count(status.pool.in_use),
        pool_max: count(status.pool.max),
        idempotency_window: status.idempotency_window,
        payment_window: status.payment_window,
        backlog_age: status.writer.backlog_age,
        journal_bytes: status.journal.bytes,
        journal_bytes_max: status.journal.bytes_max,
        parked: count(status.writer.parked),
        effects_failed: effects_of(status).map(|effects| effects.failed),
        disk,
    }
}
