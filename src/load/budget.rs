//! The time budgets of a checkout's phases, and whether they were kept.

use super::scrape::{Between, Scrape};
use std::time::Duration;

/// The quantiles at which each budget is held, in thousandths.
pub const AT: [(&str, u64); 3] = [("p50", 500), ("p99", 990), ("p99.9", 999)];

/// A phase and the time that it may take.
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// What it may take.
    pub limit: Duration,
    /// Where it is measured: the first that the server has.
    sources: &'static [Source],
}

/// A histogram of the server.
struct Source {
    name: &'static str,
    labels: &'static [(&'static str, &'static str)],
    /// What it is, for the report.
    said: &'static str,
}

const HTTP: &str = "floodgate_http_request_duration_seconds";
const PHASES_OF_CHECKOUT: &str = "floodgate_checkout_phase_duration_seconds";

/// Enough where the phase is not measured by itself: all of a quote is validation, look-ups and pricing.
const QUOTE: Source = Source {
    name: HTTP,
    labels: &[("route", "/v1/quotes"), ("status_class", "2xx")],
    said: "not measured by itself; a whole quote, which contains it",
};

/// Validation, the seller's terms and what is digital are looked up in one pass over a cart.
const PASS: Source = Source {
    name: PHASES_OF_CHECKOUT,
    labels: &[("phase", "take")],
    said: "every line judged and taken on all shards, which contains it",
};

/// All phases that have a budget. The whole answer is measured by the client.
pub const PHASES: [Phase; 5] = [
    Phase { name: "validate", limit: Duration::from_millis(50), sources: &[PASS, QUOTE] },
    Phase {
        name: "create",
        limit: Duration::from_millis(200),
        sources: &[Source {
            name: HTTP,
            labels: &[("route", "/v1/checkouts"), ("status_class", "2xx")],
            said: "the whole checkout at the server, from its head to its answer",
        }],
    },
    Phase {
        name: "insert of the items (10 lines)",
        limit: Duration::from_millis(100),
        sources: &[Source {
            name: "floodgate_store_insert_duration_seconds",
            labels: &[("table", "order_items")],
            said: "one bulk INSERT of the items of a whole batch of orders",
        }],
    },
    Phase { name: "seller look-up", limit: Duration::from_millis(30), sources: &[PASS, QUOTE] },
    Phase { name: "digital check", limit: Duration::from_millis(20), sources: &[PASS, QUOTE] },
];

/// Name and limit of the whole answer.
pub const WHOLE: (&str, Duration) = ("whole answer", Duration::from_millis(500));

/// Whether a budget was kept at a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was.
    Kept,
    /// It was not.
    Missed,
    /// The limit lies within the bucket.
    CannotBeTold,
}

impl Verdict {
    /// A word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Missed => "missed",
            Self::CannotBeTold => "cannot be told",
        }
    }

    fn of(between: Between, limit: Duration) -> Self {
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        match between {
            Between { to, .. } if to <= limit => Self::Kept,
            Between { from, .. } if from >= limit => Self::Missed,
            Between { .. } => Self::CannotBeTold,
        }
    }
}

/// A budget after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The phase.
    pub name: &'static str,
    /// What it may take.
    pub limit: Duration,
    /// How it was measured, or why it was not.
    pub said: &'static str,
    /// How many were measured.
    pub count: u64,
    /// At each of [`AT`]; empty where nothing was measured.
    pub at: Vec<(&'static str, Between, Verdict)>,
}

impl Budget {
    /// Missed at some quantile.
    pub fn is_missed(&self) -> bool {
        self.at.iter().any(|(_, _, verdict)| *verdict == Verdict::Missed)
    }

    /// The whole answer, as the client measured it: nanoseconds at a quantile in thousandths.
    pub fn of_whole(count: u64, at: impl Fn(u64) -> u64) -> Self {
        let (name, limit) = WHOLE;
        let one = |(quantile, thousandths): (&'static str, u64)| {
            let value = at(thousandths);
            let between = Between { from: value, to: value };
            (quantile, between, Verdict::of(between, limit))
        };
        let at = if count > 0 { AT.into_iter().map(one).collect() } else { Vec::new() };
        Self { name, limit, said: "a checkout from the moment that it was due, at the client", count, at }
    }
}

/// All phases, by what was added to the server's histograms.
pub fn of_phases(before: &Scrape, after: &Scrape) -> Vec<Budget> {
    PHASES.iter().map(|phase| of_phase(phase, before, after)).collect()
}

fn of_phase(phase: &Phase, before: &Scrape, after: &Scrape) -> Budget {
    let mut budget = Budget {
        name: phase.name,
        limit: phase.limit,
        said: "not measured by this server",
        count: 0,
        at: Vec::new(),
    };
    let measured = phase.sources.iter().find_map(|source| {
        let added = after.added(before, source.name, source.labels)?;
        (added.count() > 0).then_some((source, added))
    });
    if let Some((source, added)) = measured {
        budget.said = source.said;
        budget.count = added.count();
        budget.at = AT
            .into_iter()
            .filter_map(|(quantile, thousandths)| {
                let between = added.quantile(thousandths)?;
                Some((quantile, between, Verdict::of(between, phase.limit)))
            })
            .collect();
    }
    budget
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotes(fast: u64, slow: u64) -> Scrape {
        let series = "floodgate_http_request_duration_seconds_bucket{method=\"POST\",route=\"/v1/quotes\",status_class=\"2xx\"";
        Scrape::read(&format!(
            "{series},le=\"0.01\"}} {fast}\n{series},le=\"0.04\"}} {fast}\n{series},le=\"0.1\"}} {}\n{series},le=\"+Inf\"}} {}\n",
            fast + slow,
            fast + slow
        ))
    }

    #[test]
    fn a_budget_is_kept_missed_or_cannot_be_told() {
        let before = quotes(10, 0);
        let verdicts = |after: &Scrape, name: &str| {
            let budgets = of_phases(&before, after);
            let budget = budgets.into_iter().find(|budget| budget.name == name).expect("a budget");
            budget.at.into_iter().map(|(_, _, verdict)| verdict).collect::<Vec<_>>()
        };
        use Verdict::{CannotBeTold, Kept, Missed};
        let all_fast = quotes(1_010, 0);
        assert_eq!(verdicts(&all_fast, "validate"), [Kept, Kept, Kept]);
        let some_slow = quotes(510, 500);
        assert_eq!(verdicts(&some_slow, "validate"), [Kept, CannotBeTold, CannotBeTold]);
        assert_eq!(verdicts(&some_slow, "seller look-up"), [Kept, Missed, Missed]);
        assert!(verdicts(&all_fast, "create").is_empty(), "no checkout was measured");
    }

    #[test]
    fn the_whole_answer_is_the_clients_business() {
        let slow = Budget::of_whole(10, |thousandths| thousandths * 1_000_000);
        assert!(slow.is_missed());
        assert!(!Budget::of_whole(10, |_| 500_000_000).is_missed());
        assert!(Budget::of_whole(0, |_| 0).at.is_empty());
    }
}
