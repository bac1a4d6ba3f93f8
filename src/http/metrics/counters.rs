use crate::http::error::{ErrorCode, Failure};
use crate::http::route::ROUTES;
use floodgate_persistence::histogram::{Histogram, HistogramSnapshot};
use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const CHECKOUTS: &str = "floodgate_checkouts_total";
const CONNECTIONS: &str = "floodgate_http_connections";
const TURNED_AWAY: &str = "floodgate_http_connections_turned_away_total";
const AUDIT_FAILURES: &str = "floodgate_audit_failures_total";

/// Status classes that are told apart; whatever else there may be counts as the last.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// The outcome of a checkout that placed an order; refusals go by their code.
const PLACED: &str = "placed";

const PROBLEMS: &str = "floodgate_checkout_problems_total";

/// The names of [`ProblemCode`](floodgate_actors::rules::ProblemCode): a test holds the two together.
const PROBLEM_NAMES: [&str; 15] = [
    "empty_cart",
    "too_many_lines",
    "unknown_product",
    "inactive_product",
    "inactive_seller",
    "currency_mismatch",
    "quantity_out_of_range",
    "amount_out_of_range",
    "unknown_coupon",
    "coupon_not_valid",
    "coupon_used_up",
    "unknown_referral",
    "payment_not_available",
    "insufficient_stock",
    "price_changed",
];

/// What requests count. The busiest figures are numbers of our own, published when somebody scrapes.
pub(in crate::http) struct HttpMetrics {
    /// By route and status class, in nanoseconds.
    durations: Vec<[Histogram; CLASSES.len()]>,
    placed: AtomicU64,
    /// By place in [`ErrorCode::ALL`].
    refused: Vec<AtomicU64>,
    /// By place in [`PROBLEM_NAMES`].
    problems: [AtomicU64; PROBLEM_NAMES.len()],
    /// Open connections.
    pub(in crate::http) connections: Gauge,
    /// Connections above the cap.
    pub(in crate::http) turned_away: Counter,
    /// Admin actions that could not be written down.
    pub(in crate::http) audit_failures: Counter,
}

/// Requests so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    /// All of them.
    pub(crate) all: u64,
    /// Answered with a server error.
    pub(crate) failed: u64,
    /// From the head to the answer, all together, in nanoseconds.
    pub(crate) time_ns: u64,
}

/// The times of one route and status class.
pub(super) struct RouteTimes {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) class: &'static str,
    pub(super) times: HistogramSnapshot,
}

impl HttpMetrics {
    /// Looks everything up, so that every series is there from the start.
    pub(in crate::http) fn new() -> Self {
        describe_counter!(CHECKOUTS, "Checkouts answered, by outcome: placed, or the code of the refusal.");
        describe_counter!(
            PROBLEMS,
            "Refused checkouts by what was wrong; one with several problems counts for each."
        );
        describe_gauge!(CONNECTIONS, "Open connections.");
        describe_counter!(TURNED_AWAY, "Connections above the cap that were turned away.");
        describe_counter!(AUDIT_FAILURES, "Admin actions that could not be written to the audit log.");
        super::levels::describe();
        let metrics = Self {
            durations: ROUTES.iter().map(|_| CLASSES.map(|_| Histogram::of_durations())).collect(),
            placed: AtomicU64::new(0),
            refused: ErrorCode::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            problems: Default::default(),
            connections: gauge!(CONNECTIONS),
            turned_away: counter!(TURNED_AWAY),
            audit_failures: counter!(AUDIT_FAILURES),
        };
        metrics.publish();
        metrics
    }

    /// Counts a request that was answered.
    pub(in crate::http) fn request(&self, route: usize, status: u16, took: Duration) {
        let class = usize::from(status / 100).saturating_sub(2).min(CLASSES.len() - 1);
        if let Some(histogram) = self.durations.get(route).and_then(|classes| classes.get(class)) {
            histogram.record_duration(took);
        }
    }

    /// Counts a checkout that was answered, in a batch or by itself.
    pub(in crate::http) fn checkout(&self, failure: Option<&Failure>) {
        let Some(failure) = failure else {
            self.placed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let place = ErrorCode::ALL.iter().position(|code| *code == failure.code());
        if let Some(refused) = place.and_then(|place| self.refused.get(place)) {
            refused.fetch_add(1, Ordering::Relaxed);
        }
        for (name, count) in PROBLEM_NAMES.iter().zip(&self.problems) {
            if failure.errors().iter().any(|entry| entry.code == *name) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Brings the recorder to where these figures are.
    pub(super) fn publish(&self) {
        for (outcome, count) in self.checkouts() {
            counter!(CHECKOUTS, "outcome" => outcome).absolute(count);
        }
        for (problem, count) in self.problems() {
            counter!(PROBLEMS, "problem" => problem).absolute(count);
        }
    }

    /// Checkouts by outcome: those that placed an order first, then the refusals by code.
    pub(in crate::http) fn checkouts(&self) -> Vec<(&'static str, u64)> {
        let refused = ErrorCode::ALL.iter().zip(&self.refused);
        let refused = refused.map(|(code, count)| (code.as_str(), count.load(Ordering::Relaxed)));
        [(PLACED, self.placed.load(Ordering::Relaxed))].into_iter().chain(refused).collect()
    }

    /// Refused checkouts by what was wrong with them; one with three problems counts for each.
    pub(super) fn problems(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.problems.iter().map(|count| count.load(Ordering::Relaxed));
        PROBLEM_NAMES.into_iter().zip(counts)
    }

    /// Checkouts that ended with a server error.
    pub(in crate::http) fn checkouts_failed(&self) -> u64 {
        let failed =
            ErrorCode::ALL.iter().zip(&self.refused).filter(|(code, _)| code.status().is_server_error());
        failed.map(|(_, count)| count.load(Ordering::Relaxed)).sum()
    }

    /// The times of all routes.
    pub(super) fn routes(&self) -> impl Iterator<Item = RouteTimes> {
        ROUTES.iter().zip(&self.durations).flat_map(|((method, route, _), classes)| {
            CLASSES.iter().zip(classes).map(|(class, times)| RouteTimes {
                method,
                route,
                class,
                times: times.snapshot(),
            })
        })
    }

    /// How long requests that place orders took, however they ended.
    pub(in crate::http) fn checkout_times(&self) -> HistogramSnapshot {
        let placing = self.routes().filter(|of| of.method == "POST" && of.route.starts_with("/v1/checkouts"));
        placing.fold(Histogram::of_durations().snapshot(), |sum, of| sum.plus(&of.times))
    }

    /// All requests together.
    pub(super) fn requests(&self) -> Requests {
        self.routes().fold(Requests::default(), |sum, route| {
            let count = route.times.count();
            Requests {
                all: sum.all + count,
                failed: sum.failed + if route.class == "5xx" { count } else { 0 },
                time_ns: sum.time_ns + route.times.sum(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_checkouts_are_counted() {
        let metrics = HttpMetrics::new();
        metrics.checkout(None);
        metrics.checkout(Some(&Failure::key_reused()));
        metrics.checkout(Some(&Failure::unknown_outcome()));
        metrics.request(0, 201, Duration::from_micros(300));
        metrics.request(0, 504, Duration::from_micros(700));
        let counted: Vec<_> = metrics.checkouts().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [("placed", 1), ("idempotency_key_reused", 1), ("timeout", 1)]);
        assert_eq!(metrics.checkouts_failed(), 1);
        assert_eq!(metrics.checkout_times().count(), 2);
        assert_eq!(metrics.requests(), Requests { all: 2, failed: 1, time_ns: 1_000_000 });
    }

    #[test]
    fn every_problem_of_the_rules_has_a_series() {
        let rules = include_str!("../../../actors/src/rules/problem.rs");
        let names = rules.split("impl ProblemCode").nth(1).and_then(|rest| rest.split("fn as_str").nth(1));
        let names = names.and_then(|body| body.split("\n    }\n").next()).expect("the names");
        let names: Vec<&str> =
            names.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(names, PROBLEM_NAMES);
    }

    /// Prometheus knows no status of a checkout, only the code: the rules file names those that are server errors.
    #[test]
    fn the_rules_file_names_all_server_errors() {
        let codes = ErrorCode::ALL.iter().filter(|code| code.status().is_server_error());
        let named = codes.map(|code| code.as_str()).collect::<Vec<_>>().join("|");
        let rules = include_str!("../../../deploy/prometheus/floodgate.rules.yml");
        assert!(rules.contains(&format!("outcome=~\"placed|{named}\"")), "{named}");
    }
}
