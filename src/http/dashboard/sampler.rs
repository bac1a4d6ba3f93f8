//! Looks at the engine once a second, for all pages together.

use super::super::activity::ActivityJson;
use super::super::alerts;
use super::super::connection::told_to_stop;
use super::super::metrics::{HttpMetrics, LastWhile};
use super::super::status::StatusJson;
use super::feed::{Closes, Feed, Second, frame};
use super::point::{Moment, Point};
use super::timings::Timing;
use crate::alerts::Board;
use floodgate_actors::{Engine, EngineStatus, Readiness};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
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
    /// Orders placed in this second.
    timings: &'a [Timing],
    status: StatusJson,
}

/// What it looks at.
pub(super) struct Sampler {
    pub(super) feed: Arc<Feed>,
    pub(super) engine: Engine,
    pub(super) metrics: Arc<HttpMetrics>,
    pub(super) alerts: Arc<Board>,
    pub(super) last_while: Arc<LastWhile>,
}

impl Sampler {
    /// Samples until the server stops, then ends all feeds.
    pub(super) fn start(self, stop: watch::Receiver<bool>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let sampling = move || runtime.block_on(self.sample(stop));
        std::thread::Builder::new().name("dashboard".to_owned()).spawn(sampling)?;
        Ok(())
    }

    async fn sample(self, mut stop: watch::Receiver<bool>) {
        let _closes = Closes(&self.feed);
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut before, mut timed): (Option<Moment>, u64) = (None, 0);
        loop {
            tokio::select! {
                biased;
                () = told_to_stop(&mut stop) => return,
                _ = ticks.tick() => {}
            }
            // An engine that does not answer is no second: a page that hears nothing says so.
            let Ok(Ok(status)) = timeout(PACE, self.engine.status()).await else { continue };
            let now = Moment::new(&self.metrics, &status);
            let point = before.as_ref().map(|before| now.point_since(before, &status));
            let timings;
            (timed, timings) = self.feed.timings.after(timed);
            let second = self.in_both_views(&now, point.as_ref(), &timings, status);
            self.feed.publish(point, second);
            before = Some(now);
        }
    }

    fn in_both_views(
        &self,
        now: &Moment,
        point: Option<&Point>,
        timings: &[Timing],
        mut status: EngineStatus,
    ) -> Second {
        let (ready, notes) = match self.engine.readiness() {
            Readiness::Ready { notes } => (true, notes),
            Readiness::NotReady { reason } => (false, vec![reason]),
        };
        let write = |status, timings| {
            let activity = self.last_while.activity().map(ActivityJson::from);
            let status = StatusJson::new(status, alerts::as_json(&self.alerts), activity, None);
            let refusals = now.refusals();
            frame("second", &SecondJson { point, ready, notes: &notes, refusals, timings, status })
        };
        let operator = write(status.clone(), timings);
        // What the database says may quote what it was sent.
        status.writer.last_error = None;
        status.warmup.iter_mut().for_each(|warmup| warmup.error = None);
        Second { onlooker: write(status, &[]), operator }
    }
}
