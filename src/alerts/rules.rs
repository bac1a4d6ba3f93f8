use super::sample::Levels;
use super::window::Window;
use std::time::Duration;

/// Below so many of what a share or a mean is taken of, nothing is said: one slow request of three is no slow service.
const COUNT_MIN: u64 = 100;

/// A backlog of this age means that the database has taken nothing, or not enough, for as long.
const BACKLOG_AGE_MAX: Duration = Duration::from_secs(60);

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 0 … 1.
    Ratio,
    /// Seconds.
    Seconds,
    /// A number of things.
    Count,
}

impl Unit {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Seconds => "seconds",
            Self::Count => "count",
        }
    }
}

/// On which side of the threshold an alert fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fires {
    /// The value is larger.
    Above,
    /// The value is smaller.
    Below,
}

/// An alert: what it looks at, and when it fires.
pub struct Rule {
    /// The name, the same in the API, in metrics and in the runbook; the Prometheus rule is called `Floodgate` and the
    /// same words.
    pub name: &'static str,
    /// When it fires, in words.
    pub summary: &'static str,
    /// What the value is.
    pub unit: Unit,
    /// Where the value is when it fires.
    pub fires: Fires,
    /// The value; `None`: nothing can be said.
    pub value: fn(&Window) -> Option<f64>,
    /// What it is held against.
    pub threshold: fn(&Levels) -> f64,
}

impl Rule {
    /// Whether this value means that somebody should look.
    pub fn is_firing(&self, value: f64, threshold: f64) -> bool {
        match self.fires {
            Fires::Above => value > threshold,
            Fires::Below => value < threshold,
        }
    }
}

/// All alerts.
pub const RULES: [Rule; 11] = [
    Rule {
        name: "checkout_success_low",
        summary: "fewer than 95 % of the checkouts that were not refused placed an order",
        unit: Unit::Ratio,
        fires: Fires::Below,
        value: |window| {
            let grown = window.grown();
            share(grown.checkouts_placed, grown.checkouts_placed + grown.checkouts_failed)
        },
        threshold: |_| 0.95,
    },
    Rule {
        name: "error_rate_high",
        summary: "more than 1 % of all requests ended with a server error",
        unit: Unit::Ratio,
        fires: Fires::Above,
        value: |window| share(window.grown().requests_failed, window.grown().requests),
        threshold: |_| 0.01,
    },
    Rule {
        name: "response_slow",
        summary: "requests take more than a second on average",
        unit: Unit::Seconds,
        fires: Fires::Above,
        value: |window| {
            let grown = window.grown();
            enough(grown.requests).then(|| seconds(grown.request_time_ns / grown.requests.max(1)))
        },
        threshold: |_| 1.0,
    },
    Rule {
        name: "store_pool_high",
        summary: "more than 80 % of the database connections are in use",
        unit: Unit::Ratio,
        fires: Fires::Above,
        value: |window| {
            let (in_use, max) = window.pool();
            (enough(window.grown().requests) && max > 0).then(|| ratio(in_use, max))
        },
        threshold: |_| 0.8,
    },
    Rule {
        name: "cache_hit_rate_low",
        summary: "fewer than 80 % of the known products and sellers were in memory",
        unit: Unit::Ratio,
        fires: Fires::Below,
        value: |window| {
            let grown = window.grown();
            share(grown.cache_hits, grown.cache_hits + grown.cache_misses)
        },
        threshold: |_| 0.8,
    },
    Rule {
        name: "idempotency_window_short",
        summary: "a repeated request is recognised for less time than an unpaid order lives",
        unit: Unit::Seconds,
        fires: Fires::Below,
        value: |window| Some(window.levels().idempotency_window.as_secs_f64()),
        threshold: |levels| levels.payment_window.as_secs_f64(),
    },
    Rule {
        name: "store_backlog_old",
        summary: "orders have been waiting for the database for more than a minute",
        unit: Unit::Seconds,
        fires: Fires::Above,
        value: |window| Some(window.levels().backlog_age.as_secs_f64()),
        threshold: |_| BACKLOG_AGE_MAX.as_secs_f64(),
    },
    Rule {
        name: "journal_budget_low",
        summary: "the journal has used more than 80 % of journal.max_bytes; at 100 % orders are refused",
        unit: Unit::Ratio,
        fires: Fires::Above,
        value: |window| some_ratio(window.levels().journal_bytes, window.levels().journal_bytes_max),
        threshold: |_| 0.8,
    },
    Rule {
        name: "events_parked",
        summary: "the database refuses events; their orders are not in its tables",
        unit: Unit::Count,
        fires: Fires::Above,
        value: |window| Some(number(window.levels().parked)),
        threshold: |_| 0.0,
    },
    Rule {
        name: "effects_failed",
        summary: "side effects of orders were given up",
        unit: Unit::Count,
        fires: Fires::Above,
        value: |window| window.levels().effects_failed.map(number),
        threshold: |_| 0.0,
    },
    Rule {
        name: "disk_low",
        summary: "less than 10 % of the journal's disk is free",
        unit: Unit::Ratio,
        fires: Fires::Below,
        value: |window| window.levels().disk.and_then(|disk| some_ratio(disk.free, disk.size)),
        threshold: |_| 0.1,
    },
];

const fn enough(count: u64) -> bool {
    count >= COUNT_MIN
}

/// A share of enough.
fn share(part: u64, whole: u64) -> Option<f64> {
    enough(whole).then(|| ratio(part, whole))
}

fn some_ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| ratio(part, whole))
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[expect(clippy::float_arithmetic, reason = "a share of counts, for people to read")]
fn ratio(part: u64, whole: u64) -> f64 {
    number(part) / number(whole)
}

#[expect(clippy::cast_precision_loss, reason = "an alert is read by its first digits")]
fn number(count: u64) -> f64 {
    count as f64
}
