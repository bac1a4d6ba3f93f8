//! The ratios of `BENCHMARKS.md` that need no HTTP, each with its goal.

use super::results::{Report, SideResult};
use super::sides::names;
use super::stats::{Spread, quotient, ratios, real};
use hdrhistogram::Histogram;

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// Only shown.
    None,
}

impl Goal {
    /// Whether it was reached; `None` where there is none.
    pub fn is_met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(limit) => Some(value >= limit),
            Self::AtMost(limit) => Some(value <= limit),
            Self::None => None,
        }
    }
}

/// One line of the table of ratios.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which ratio of `BENCHMARKS.md`.
    pub ratio: &'static str,
    /// In words.
    pub what: String,
    /// Over all rounds.
    pub value: Spread,
    /// What it should be.
    pub goal: Goal,
}

/// All ratios whose sides were measured.
pub fn rows(report: &Report) -> Vec<Row> {
    let rows = [
        r1(report),
        r1_beside(report),
        r8_and_r9(report),
        r10(report),
        r13(report),
        ready_again(report),
        r15(report),
    ];
    rows.into_iter().flatten().collect()
}

fn row(ratio: &'static str, what: impl Into<String>, values: &[f64], goal: Goal) -> Option<Row> {
    Some(Row { ratio, what: what.into(), value: Spread::of(values)?, goal })
}

/// Orders a second of one side over another's, round by round.
fn rate_ratio(report: &Report, over: &str, under: &str) -> Option<Vec<f64>> {
    let rate = |name| Some(report.side(name)?.each(|round| round.rate));
    Some(ratios(&rate(over)?, &rate(under)?))
}

fn r1(report: &Report) -> Vec<Row> {
    let ratio = rate_ratio(report, names::ALWAYS, names::NEVER).unwrap_or_default();
    let cpu = |name| report.side(name).map(|side| side.each(|round| round.cpu_engine_us)).unwrap_or_default();
    let with_driver = report.side(names::ALWAYS).map(|side| side.each(|round| round.cpu_total_us));
    let rows = [
        row("R1", "orders/s, always over never", &ratio, Goal::AtLeast(0.8)),
        row("R1", "CPU µs an order, always, engine threads", &cpu(names::ALWAYS), Goal::AtMost(3.0)),
        row(
            "R1",
            "CPU µs an order, always, driver included",
            &with_driver.unwrap_or_default(),
            Goal::AtMost(3.0),
        ),
        row("R1", "CPU µs an order, never, engine threads", &cpu(names::NEVER), Goal::None),
    ];
    rows.into_iter().flatten().collect()
}

/// What `BENCHMARKS.md` wants beside R1.
fn r1_beside(report: &Report) -> Vec<Row> {
    let mut rows = Vec::new();
    for (over, under) in [(names::ALWAYS_1024, names::NEVER_1024), (names::ALWAYS_64, names::NEVER_64)] {
        let ratio = rate_ratio(report, over, under).unwrap_or_default();
        rows.extend(row("R1", format!("orders/s, {over} over never"), &ratio, Goal::None));
    }
    for side in report.sides.iter().filter(|side| !side.bare.is_empty()) {
        rows.extend(over_bare(side));
    }
    rows
}

fn over_bare(side: &SideResult) -> Vec<Row> {
    let rates = side.each(|round| round.rate);
    let same: Vec<f64> = side.bare.iter().map(|bare| bare.same_groups.orders_per_second).collect();
    let best: Vec<f64> = side.bare.iter().map(|bare| bare.best_group.orders_per_second).collect();
    let name = side.name;
    let rows = [
        row(
            "R1",
            format!("{name}, over the bare loop of the same groups"),
            &ratios(&rates, &same),
            Goal::None,
        ),
        row(
            "R1",
            format!("{name}, over the bare loop at its best group"),
            &ratios(&rates, &best),
            Goal::None,
        ),
    ];
    rows.into_iter().flatten().collect()
}

fn r8_and_r9(report: &Report) -> Vec<Row> {
    let wanted = [
        ("R8", "orders/s, one hot product over uniform", names::HOT, names::ALWAYS, 0.9),
        ("R9", "orders/s, carts on 2 of 4 shards over 1", names::TWO_SHARDS, names::ONE_SHARD, 0.6),
        ("R9", "orders/s, carts on 4 of 4 shards over 1", names::FOUR_SHARDS, names::ONE_SHARD, 0.6),
    ];
    let row_of = |(ratio, what, over, under, limit)| {
        row(ratio, what, &rate_ratio(report, over, under)?, Goal::AtLeast(limit))
    };
    wanted.into_iter().filter_map(row_of).collect()
}

fn r10(report: &Report) -> Vec<Row> {
    let Some(side) = report.side(names::HALF_RATE) else { return Vec::new() };
    let over_sync = |share| -> Vec<f64> {
        let pairs = side.rounds.iter().zip(&side.syncs);
        pairs.map(|(round, syncs)| quotient(at(&round.latency, share), at(syncs, share))).collect()
    };
    let achieved = ratios(&side.each(|round| round.rate), &side.each(|round| round.offered));
    let late =
        |share| -> Vec<f64> { side.rounds.iter().map(|round| micros(&round.lateness, share)).collect() };
    let rows = [
        row("R10", "p50 at half the rate over p50 of a bare sync", &over_sync(0.5), Goal::AtMost(3.0)),
        row("R10", "p99 at half the rate over p99 of a bare sync", &over_sync(0.99), Goal::AtMost(4.0)),
        row("R10", "orders/s achieved over offered", &achieved, Goal::None),
        row("R10", "of the latency, the load's own lateness: p50, µs", &late(0.5), Goal::None),
        row("R10", "of the latency, the load's own lateness: p99, µs", &late(0.99), Goal::None),
    ];
    rows.into_iter().flatten().collect()
}

fn at(histogram: &Histogram<u64>, share: f64) -> f64 {
    real(histogram.value_at_quantile(share))
}

/// The restart of a check: it loads the catalogue and plays the journal forward.
fn r13(report: &Report) -> Vec<Row> {
    let wanted = [
        ("orders/s of the restart (page cache warm) over R1's", names::ALWAYS),
        ("orders/s of the restart (page cache dropped) over R1's", names::COLD),
    ];
    let row_of = |(what, name)| {
        let side = report.side(name)?;
        let ratio = ratios(&side.each(|round| round.replay_rate), &side.each(|round| round.rate));
        row("R13", what, &ratio, Goal::AtLeast(2.0))
    };
    wanted.into_iter().filter_map(row_of).collect()
}

/// Fault 1 of the list: how soon it is ready with a million orders since the checkpoint. The catalogue's loading is in it.
fn ready_again(report: &Report) -> Vec<Row> {
    let wanted = [("page cache warm", names::ALWAYS), ("page cache dropped", names::COLD)];
    let row_of = |(cache, name)| {
        let seconds = report.side(name)?.each(|round| quotient(1e6, round.replay_rate));
        row("fault 1", format!("seconds until ready, a million orders, {cache}"), &seconds, Goal::AtMost(5.0))
    };
    wanted.into_iter().filter_map(row_of).collect()
}

/// In process: the checkouts under way stand for connections.
fn r15(report: &Report) -> Vec<Row> {
    let wanted = [
        ("orders/s in process, 1 ms added to each sync, over without", names::PLUS_1_MS),
        ("orders/s in process, 3.5 ms added to each sync, over without", names::PLUS_3_5_MS),
    ];
    let row_of =
        |(what, over)| row("R15", what, &rate_ratio(report, over, names::ALWAYS)?, Goal::AtLeast(0.9));
    wanted.into_iter().filter_map(row_of).collect()
}

fn micros(histogram: &Histogram<u64>, share: f64) -> f64 {
    real(histogram.value_at_quantile(share) / 1000)
}
