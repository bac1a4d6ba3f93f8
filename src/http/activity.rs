use super::metrics::Activity;
use super::status::millis;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What happened lately.
#[derive(Serialize, ToSchema)]
#[schema(as = Activity)]
pub(super) struct ActivityJson {
    /// How far it reaches back.
    elapsed_ms: u64,
    requests: u64,
    /// Requests that ended with a server error.
    requests_failed: u64,
    /// Checkouts by outcome: `placed`, or the code of the refusal. Without those that did not happen.
    checkouts: BTreeMap<&'static str, u64>,
    /// Refused checkouts by what was wrong with them; one with several problems counts for each. Without those that did
    /// not happen.
    problems: BTreeMap<&'static str, u64>,
    /// Where checkouts spent their time.
    phases: Vec<PhaseJson>,
}

/// A phase of checkouts.
#[derive(Serialize, ToSchema)]
#[schema(as = Phase)]
pub(super) struct PhaseJson {
    /// `parse`, `take`, `price`, `journal` or `answer`.
    phase: &'static str,
    /// Checkouts measured: all that came by themselves, one in 16 of a batch.
    count: u64,
    /// Half of them took less; `null`: none was measured.
    p50_us: Option<u64>,
    p99_us: Option<u64>,
    p999_us: Option<u64>,
}

impl From<Activity> for ActivityJson {
    fn from(activity: Activity) -> Self {
        let phase = |(phase, times): &(&'static str, floodgate_persistence::histogram::HistogramSnapshot)| {
            let micros = |share| times.per_mille(share).map(|nanoseconds| nanoseconds / 1000);
            PhaseJson {
                phase,
                count: times.count(),
                p50_us: micros(500),
                p99_us: micros(990),
                p999_us: micros(999),
            }
        };
        Self {
            elapsed_ms: millis(activity.elapsed),
            requests: activity.requests.all,
            requests_failed: activity.requests.failed,
            phases: activity.phases.iter().map(phase).collect(),
            problems: activity.problems.into_iter().filter(|(_, count)| *count > 0).collect(),
            checkouts: activity.checkouts.into_iter().filter(|(_, count)| *count > 0).collect(),
        }
    }
}
