//! Looks at the engine once a second, for all pages together.

use super::super::connection::told_to_stop;
use super::super::metrics::HttpMetrics;
use super::super::status::StatusJson;
use super::feed::{Closes, Feed, Second, frame};
use super::point::{Moment, Point, by_code};
use floodgate_actors::{Engine, EngineStatus, Readiness};
use floodgate_persistence::model::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// A second.
const PACE: Duration = Duration::from_secs(1);

/// A second of the feed.
#[derive(Serialize)]
struct SecondJson<'a> {
    /// `null`: the first, which has no second before it.
    point: Option<&'a Point>,
    ready: bool,
    /// Why it is not ready, or what an operator should know all the same.
    notes: &'a [String],
    /// Refused checkouts by code, since the start.
    refusals: BTreeMap<&'static str, u64>,
    status: StatusJson,
}

/// Samples until it is told to stop, then ends all feeds.
pub(super) async fn sample(
    feed: Arc<Feed>,
    engine: Engine,
    metrics: Arc<HttpMetrics>,
    mut stop: watch::Receiver<bool>,
) {
    let _closes = Closes(&feed);
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before: Option<Moment> = None;
    loop {
        tokio::select! {
            biased;
            () = told_to_stop(&mut stop) => return,
            _ = ticks.tick() => {}
        }
        // An engine that does not answer is no second: a page that hears nothing says so.
        let Ok(Ok(status)) = timeout(PACE, engine.status()).await else { continue };
        let now = Moment::new(Timestamp::now(), metrics.tally.read(), &status);
        let point = before.as_ref().map(|before| now.point_since(before, &status));
        let second = of_both_views(&engine, &now, point.as_ref(), status);
        feed.publish(point, second);
        before = Some(now);
    }
}

fn of_both_views(engine: &Engine, now: &Moment, point: Option<&Point>, mut status: EngineStatus) -> Second {
    let (ready, notes) = match engine.readiness() {
        Readiness::Ready { notes } => (true, notes),
        Readiness::NotReady { reason } => (false, vec![reason]),
    };
    let write = |status| {
        let refusals = by_code(&now.counted);
        let status = StatusJson::new(status, None);
        frame("second", &SecondJson { point, ready, notes: &notes, refusals, status })
    };
    let operator = write(status.clone());
    // What the database says may quote what it was sent.
    status.writer.last_error = None;
    Second { onlooker: write(status), operator }
}
