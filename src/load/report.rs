//! What a run found: as text, as JSON, and (in `page`) as a page.

use super::books::Books;
use super::budget::{Budget, Verdict};
use super::scrape::Between;
use super::settings::Settings;
use super::tally::{Counts, Operation, Tally};
use super::timing::{QUANTILES, Timing};
use crate::bench::{cpu_model, kernel_release, per_second, real};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// On what and how.
#[derive(Clone, Debug)]
pub struct About {
    /// The settings.
    pub settings: Settings,
    /// Products that were bought from.
    pub products: usize,
    /// The client's machine in one line.
    pub machine: String,
    /// The client's version.
    pub version: &'static str,
}

impl About {
    pub(super) fn new(settings: &Settings, products: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cpu = cpu_model().unwrap_or_else(|| "unknown CPU".to_owned());
        Self {
            settings: settings.clone(),
            products,
            machine: format!("{cores} × {cpu}, Linux {}", kernel_release()),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// One kind of request.
#[derive(Clone)]
pub struct OfOperation {
    /// The call.
    pub name: &'static str,
    /// How they ended.
    pub counts: Counts,
    /// What they took.
    pub timing: Timing,
}

/// A point of the charts.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Time from the start.
    pub at: Duration,
    /// Requests a second.
    pub rate: f64,
    /// Of them, shed.
    pub shed: f64,
    /// Of them, failed.
    pub failed: f64,
    /// Latency in microseconds.
    pub p50_us: u64,
    /// Latency in microseconds.
    pub p99_us: u64,
    /// Users that are meant to be there.
    pub users: usize,
}

/// The result.
pub struct Report {
    /// On what.
    pub about: About,
    /// By operation.
    pub operations: Vec<OfOperation>,
    /// Everything that was not answered as it was meant: call, status (0: no answer), code, how often.
    pub codes: Vec<(&'static str, u16, String, u64)>,
    /// By time.
    pub points: Vec<Point>,
    /// The phases and the whole.
    pub budgets: Vec<Budget>,
    /// The check.
    pub books: Books,
    /// Requests that were due and could not be sent before the end.
    pub unsent: u64,
}

impl Report {
    pub(super) fn new(about: About, tally: &Tally, mut budgets: Vec<Budget>, books: Books) -> Self {
        let operations: Vec<_> = Operation::ALL
            .into_iter()
            .filter_map(|operation| {
                let counts = *tally.counts.get(&operation)?;
                let timing = tally.timings.get(&operation)?.clone();
                Some(OfOperation { name: operation.name(), counts, timing })
            })
            .collect();
        if let Some(checkouts) = tally.timings.get(&Operation::Checkout) {
            budgets.push(of_whole(&checkouts.due));
        }
        let codes = tally
            .codes
            .iter()
            .map(|((operation, status, code), count)| (operation.name(), *status, code.clone(), *count));
        let codes = codes.collect();
        let points = points(&about.settings, tally);
        Self { about, operations, codes, points, budgets, books, unsent: tally.unsent }
    }

    /// How all requests ended.
    pub fn counts(&self) -> Counts {
        let mut all = Counts::default();
        self.operations.iter().for_each(|operation| all.add(&operation.counts));
        all
    }

    /// Some budget was missed.
    pub fn misses_a_budget(&self) -> bool {
        self.budgets.iter().any(Budget::is_missed)
    }

    /// All figures.
    pub fn to_json(&self) -> Value {
        let settings = &self.about.settings;
        let books = &self.books;
        json!({
            "tier": settings.tier.name(), "url": settings.url, "users": settings.users,
            "seconds": settings.duration.as_secs_f64(), "think_s": settings.think.as_secs_f64(),
            "seed": settings.seed, "products": self.about.products, "machine": self.about.machine,
            "version": self.about.version, "unsent": self.unsent,
            "operations": self.operations.iter().map(operation_json).collect::<Vec<_>>(),
            "errors": self.codes.iter().map(|(call, status, code, count)|
                json!({ "call": call, "status": status, "code": code, "count": count })).collect::<Vec<_>>(),
            "budgets": self.budgets.iter().map(budget_json).collect::<Vec<_>>(),
            "books": {
                "orders": books.orders, "resolved": books.resolved, "total": books.total.to_string(),
                "customers": books.customers, "products": books.products, "units": books.units,
                "differences": books.differences,
                "named": books.named.iter().map(ToString::to_string).collect::<Vec<_>>(),
            },
        })
    }
}

fn of_whole(due: &Histogram<u64>) -> Budget {
    Budget::of_whole(due.len(), |thousandths| {
        due.value_at_quantile(quantile(thousandths)).saturating_mul(1_000)
    })
}

#[expect(clippy::float_arithmetic, reason = "a histogram is asked with a number from 0 to 1")]
fn quantile(thousandths: u64) -> f64 {
    real(thousandths) / 1_000.0
}

fn points(settings: &Settings, tally: &Tally) -> Vec<Point> {
    let presences: Vec<_> = (0..settings.users)
        .map(|number| settings.tier.presence(number, settings.users, settings.duration))
        .collect();
    (0u32..)
        .zip(&tally.slices)
        .map(|(place, slice)| {
            let at = tally.slice * place;
            let length = tally.slice.min(settings.duration.saturating_sub(at));
            let middle = at + length / 2;
            let there = presences.iter().filter(|user| user.from <= middle && middle < user.until).count();
            Point {
                at,
                rate: per_second(slice.counts.total(), length),
                shed: per_second(slice.counts.shed, length),
                failed: per_second(slice.counts.failed, length),
                p50_us: slice.due.value_at_quantile(0.5),
                p99_us: slice.due.value_at_quantile(0.99),
                users: there,
            }
        })
        .collect()
}

fn operation_json(operation: &OfOperation) -> Value {
    let counts = &operation.counts;
    let times = |histogram: &Histogram<u64>| {
        let at =
            QUANTILES.map(|(name, quantile)| (name.to_owned(), json!(histogram.value_at_quantile(quantile))));
        Value::Object(at.into_iter().collect())
    };
    json!({
        "call": operation.name, "answered": counts.answered, "refused": counts.refused, "shed": counts.shed,
        "failed": counts.failed, "from_due_us": times(&operation.timing.due),
        "from_sent_us": times(&operation.timing.sent),
    })
}

fn budget_json(budget: &Budget) -> Value {
    let at: Vec<_> = budget.at.iter().map(|(quantile, between, verdict)| {
        let to = (between.to != u64::MAX).then_some(between.to / 1_000);
        json!({ "at": quantile, "from_us": between.from / 1_000, "to_us": to, "verdict": verdict.as_str() })
    }).collect();
    json!({
        "phase": budget.name, "limit_ms": milliseconds(budget.limit), "count": budget.count, "measured": budget.said,
        "at": at,
    })
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A number of microseconds as milliseconds.
#[expect(clippy::float_arithmetic, reason = "a figure to look at")]
pub fn in_ms(micros: u64) -> String {
    let value = real(micros) / 1_000.0;
    if micros < 10_000 { format!("{value:.2}") } else { format!("{value:.0}") }
}

/// A budget's figure at a quantile.
pub fn measured(between: Between, verdict: Verdict) -> String {
    let figure = match between {
        Between { to: u64::MAX, from } => format!("over {} ms", in_ms(from / 1_000)),
        Between { from, to } if from == to => format!("{} ms", in_ms(to / 1_000)),
        Between { from: 0, to } => format!("at most {} ms", in_ms(to / 1_000)),
        Between { from, to } => format!("{} to {} ms", in_ms(from / 1_000), in_ms(to / 1_000)),
    };
    format!("{figure}: {}", verdict.as_str())
}

/// The check of the books in a sentence or several.
pub fn books_in_words(books: &Books) -> Vec<String> {
    let mut lines = vec![format!(
        "{} acknowledged orders over {} (minor units), each looked up by its id and in the lists of {} customers; \
         {} of them settled by asking again under their key; {} units of {} counted products against their stock.",
        books.orders, books.total, books.customers, books.resolved, books.units, books.products
    )];
    lines.push(match books.differences {
        0 => "The books balance.".to_owned(),
        count => format!("{count} differences."),
    });
    lines.extend(books.named.iter().map(ToString::to_string));
    lines
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.about.settings;
        writeln!(out, "{} against {}", settings.tier.name(), settings.url)?;
        writeln!(
            out,
            "{} users, a request each {:?} in the mean, {:?}, {} products, seed {}",
            settings.users, settings.think, settings.duration, self.about.products, settings.seed
        )?;
        let all = self.counts();
        writeln!(
            out,
            "{} requests ({:.0}/s): {} answered, {} refused, {} shed, {} failed; {} never sent\n",
            all.total(),
            per_second(all.total(), settings.duration),
            all.answered,
            all.refused,
            all.shed,
            all.failed,
            self.unsent
        )?;
        self.write_latencies(out)?;
        self.write_codes(out)?;
        self.write_budgets(out)?;
        books_in_words(&self.books).iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

impl Report {
    fn write_latencies(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:24} {:>9}", "latency in ms", "requests")?;
        QUANTILES.iter().try_for_each(|(name, _)| write!(out, " {name:>8}"))?;
        writeln!(out)?;
        for operation in &self.operations {
            let rows = [("", &operation.timing.due), ("  from its sending", &operation.timing.sent)];
            for (name, histogram) in rows {
                let (name, count) = match name {
                    "" => (operation.name, operation.counts.total().to_string()),
                    name => (name, String::new()),
                };
                write!(out, "{name:24} {count:>9}")?;
                for (_, quantile) in QUANTILES {
                    write!(out, " {:>8}", in_ms(histogram.value_at_quantile(quantile)))?;
                }
                writeln!(out)?;
            }
        }
        writeln!(out)
    }

    fn write_codes(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (call, status, code, count) in &self.codes {
            writeln!(out, "{count:>9} × {status} {code} ({call})")?;
        }
        writeln!(out)
    }

    fn write_budgets(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for budget in &self.budgets {
            writeln!(
                out,
                "{} < {} ms ({}, {} times)",
                budget.name,
                milliseconds(budget.limit),
                budget.said,
                budget.count
            )?;
            for (quantile, between, verdict) in &budget.at {
                writeln!(out, "  {quantile:6} {}", measured(*between, *verdict))?;
            }
        }
        writeln!(out)
    }
}
