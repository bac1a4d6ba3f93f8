//! What is measured, and what is looked up when somebody scrapes.
//!
//! | part | |
//! | --- | --- |
//! | `counters` | what requests and checkouts count, each by itself |
//! | `levels` | what is taken from the engine's status at a scrape |
//! | `process` | memory, threads, descriptors |
//! | `exposition` | histograms as Prometheus text |
//! | `snapshot` | everything at one moment, for alerts and the dashboard: two of them tell what happened between |

mod counters;
mod exposition;
mod levels;
mod process;
mod snapshot;

pub(super) use counters::HttpMetrics;
pub(super) use levels::effects_of;
pub(crate) use snapshot::{Activity, LastWhile, Snapshot};

use super::config::HttpConfig;
use crate::alerts::{Board, Disk};
use floodgate_actors::{Engine, EngineStatus};
use metrics::{describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// 1: an alert fires.
const FIRING: &str = "floodgate_alert_firing";
const DISK_FREE: &str = "floodgate_disk_free_bytes";
const DISK_SIZE: &str = "floodgate_disk_size_bytes";

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Makes a Prometheus recorder the process's own, once, and returns what renders it. To be called before anything is
/// measured: a metric that was looked up earlier counts for nobody.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().install_recorder()?;
    Ok(RECORDER.get_or_init(|| handle).clone())
}

/// Everything as Prometheus text. `status`: as of now; `None`: what is taken from it is as of the last time.
pub(super) fn render(
    metrics: &HttpMetrics,
    engine: &Engine,
    status: Option<&EngineStatus>,
    alerts: &Board,
    config: &HttpConfig,
) -> String {
    status.map(levels::look_up).unwrap_or_default();
    metrics.publish();
    process::look_up();
    look_at_alerts(alerts);
    look_at_disk(config);
    let mut text = recorded();
    exposition::of_requests(metrics, &mut text);
    exposition::of_engine(&engine.histograms(), &mut text);
    text
}

/// What is recorded by itself, without the engine.
pub(super) fn recorded() -> String {
    RECORDER.get().map(PrometheusHandle::render).unwrap_or_default()
}

fn look_at_alerts(alerts: &Board) {
    describe_gauge!(
        FIRING,
        "1: the alert fires; see /admin/alerts for its value and docs/runbook.md for what to do."
    );
    for alert in alerts.list() {
        gauge!(FIRING, "alert" => alert.name).set(f64::from(u8::from(alert.is_firing)));
    }
}

fn look_at_disk(config: &HttpConfig) {
    describe_gauge!(DISK_FREE, "Free bytes on the disk of the journal.");
    describe_gauge!(DISK_SIZE, "Size of the disk of the journal.");
    if let Some(Disk { free, size }) = Disk::of(&config.journal_dir) {
        gauge!(DISK_FREE).set(levels::number(free));
        gauge!(DISK_SIZE).set(levels::number(size));
    }
}
