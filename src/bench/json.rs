//! The report as JSON, for machines.

use super::goals::{Goal, Row};
use super::results::{Bare, Measured, Report, SideResult};
use super::table::verdict;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

impl Report {
    /// Everything, round by round.
    pub fn to_json(&self) -> Value {
        let (machine, checked) = (&self.machine, self.checked());
        json!({
            "machine": {
                "cores": machine.cores,
                "cpu": machine.cpu,
                "kernel": machine.kernel,
                "file_system": machine.file_system,
                "sync_4k_p50_us": machine.sync_p50_us,
                "sync_4k_p99_us": machine.sync_p99_us,
            },
            "settings": self.settings,
            "sides": self.sides.iter().map(side).collect::<Vec<_>>(),
            "ratios": self.rows.iter().map(row).collect::<Vec<_>>(),
            "books": {
                "orders": checked.orders,
                "lines": checked.lines,
                "products": checked.products,
                "keys": checked.keys,
                "differences": 0,
            },
        })
    }
}

fn side(side: &SideResult) -> Value {
    json!({
        "name": side.name,
        "rounds": side.rounds.iter().map(round).collect::<Vec<_>>(),
        "bare": side.bare.iter().map(bare).collect::<Vec<_>>(),
        "syncs_us": side.syncs.iter().map(micros).collect::<Vec<_>>(),
    })
}

fn round(round: &Measured) -> Value {
    let by_group = round.cpu_by_group_us.iter().map(|(group, micros)| (group.as_str(), *micros));
    json!({
        "orders_per_second": round.rate,
        "offered_per_second": round.offered,
        "cpu_us_engine": round.cpu_engine_us,
        "cpu_us_total": round.cpu_total_us,
        "cpu_us_by_threads": by_group.collect::<std::collections::BTreeMap<_, _>>(),
        "journal_bytes_an_order": round.bytes_an_order,
        "groups_per_second": round.groups_per_second,
        "orders_a_group": round.group_orders,
        "sync_p50_us": round.sync_p50_us,
        "sync_mean_us": round.sync_mean_us,
        "latency_us": micros(&round.latency),
        "lateness_us": micros(&round.lateness),
        "shed": round.shed,
        "not_placed": round.not_placed,
        "restart_orders_per_second": round.replay_rate,
        "orders_checked": round.checked.orders,
    })
}

fn bare(bare: &Bare) -> Value {
    json!({
        "same_groups": {
            "orders_per_second": bare.same_groups.orders_per_second,
            "cpu_us": bare.same_groups.cpu_us,
        },
        "best_group": {
            "orders_per_second": bare.best_group.orders_per_second,
            "cpu_us": bare.best_group.cpu_us,
        },
    })
}

fn micros(histogram: &Histogram<u64>) -> Value {
    let at = |share| histogram.value_at_quantile(share) / 1000;
    json!({ "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p99_9": at(0.999), "max": histogram.max() / 1000 })
}

fn row(row: &Row) -> Value {
    let goal = match row.goal {
        Goal::AtLeast(limit) => json!({ "at_least": limit }),
        Goal::AtMost(limit) => json!({ "at_most": limit }),
        Goal::None => Value::Null,
    };
    json!({
        "ratio": row.ratio,
        "what": row.what,
        "median": row.value.median,
        "min": row.value.min,
        "max": row.value.max,
        "goal": goal,
        "verdict": verdict(row.goal, row.value.median),
    })
}
