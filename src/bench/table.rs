//! The report as text, in tables that Markdown understands.

use super::goals::{Goal, Row};
use super::results::{Checked, Measured, Report, SideResult};
use super::stats::{Spread, real};
use super::threads::Group;
use std::fmt::{self, Display, Formatter};

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(
            out,
            "{} × {}, Linux {}, {}",
            machine.cores, machine.cpu, machine.kernel, machine.file_system
        )?;
        let (p50, p99) = (machine.sync_p50_us, machine.sync_p99_us);
        writeln!(out, "write and fdatasync of 4 KiB: p50 {p50} µs, p99 {p99} µs")?;
        writeln!(out, "{}", self.settings)?;
        rates(out, &self.sides)?;
        latencies(out, &self.sides)?;
        cpu(out, &self.sides)?;
        bare(out, &self.sides)?;
        goals(out, &self.rows)?;
        books(out, self.checked())
    }
}

/// The median of one figure over all rounds.
fn median(side: &SideResult, figure: impl Fn(&Measured) -> f64) -> f64 {
    spread(side, figure).median
}

fn spread(side: &SideResult, figure: impl Fn(&Measured) -> f64) -> Spread {
    Spread::of(&side.each(figure)).unwrap_or_default()
}

fn rates(out: &mut Formatter<'_>, sides: &[SideResult]) -> fmt::Result {
    writeln!(
        out,
        "\n| side | orders/s | min … max | CPU µs/order | with driver | B/order | groups/s | orders/group | sync p50 µs | shed | refused |"
    )?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
    for side in sides {
        let rate = spread(side, |round| round.rate);
        writeln!(
            out,
            "| {} | {} | {} … {} | {:.2} | {:.2} | {:.0} | {} | {:.0} | {:.0} | {} | {} |",
            side.name,
            thousands(rate.median),
            thousands(rate.min),
            thousands(rate.max),
            median(side, |round| round.cpu_engine_us),
            median(side, |round| round.cpu_total_us),
            median(side, |round| round.bytes_an_order),
            thousands(median(side, |round| round.groups_per_second)),
            median(side, |round| round.group_orders),
            median(side, |round| real(round.sync_p50_us)),
            side.rounds.iter().map(|round| round.shed).sum::<u64>(),
            side.rounds.iter().map(|round| round.not_placed).sum::<u64>(),
        )?;
    }
    Ok(())
}

fn latencies(out: &mut Formatter<'_>, sides: &[SideResult]) -> fmt::Result {
    writeln!(out, "\nFrom the start of a checkout to its answer, all rounds, in µs:\n")?;
    writeln!(out, "| side | p50 | p90 | p99 | p99.9 | max | offered/s |")?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: |")?;
    for side in sides {
        let Some(latency) = side.latency() else { continue };
        write!(out, "| {} |", side.name)?;
        for share in [0.5, 0.9, 0.99, 0.999, 1.0] {
            write!(out, " {} |", thousands(real(latency.value_at_quantile(share) / 1000)))?;
        }
        writeln!(out, " {} |", thousands(median(side, |round| round.offered)))?;
    }
    Ok(())
}

fn cpu(out: &mut Formatter<'_>, sides: &[SideResult]) -> fmt::Result {
    writeln!(out, "\nCPU µs an order by threads:\n")?;
    let names = Group::ALL.map(Group::as_str).join(" | ");
    writeln!(out, "| side | {names} |")?;
    writeln!(out, "| --- |{}", " ---: |".repeat(Group::ALL.len()))?;
    for side in sides {
        write!(out, "| {} |", side.name)?;
        for group in Group::ALL {
            write!(out, " {:.2} |", median(side, |round| of_group(round, group)))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn of_group(round: &Measured, group: Group) -> f64 {
    round.cpu_by_group_us.iter().find(|(name, _)| *name == group).map_or(0.0, |(_, micros)| *micros)
}

fn bare(out: &mut Formatter<'_>, sides: &[SideResult]) -> fmt::Result {
    if sides.iter().all(|side| side.bare.is_empty()) {
        return Ok(());
    }
    writeln!(out, "\nThe bare loop that writes and syncs the same bytes:\n")?;
    writeln!(out, "| beside | same groups, orders/s | CPU µs/order | best group, orders/s | CPU µs/order |")?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: |")?;
    for side in sides.iter().filter(|side| !side.bare.is_empty()) {
        let middle = |figure: fn(&super::results::Bare) -> f64| {
            Spread::of(&side.bare.iter().map(figure).collect::<Vec<_>>()).unwrap_or_default().median
        };
        writeln!(
            out,
            "| {} | {} | {:.2} | {} | {:.2} |",
            side.name,
            thousands(middle(|bare| bare.same_groups.orders_per_second)),
            middle(|bare| bare.same_groups.cpu_us),
            thousands(middle(|bare| bare.best_group.orders_per_second)),
            middle(|bare| bare.best_group.cpu_us),
        )?;
    }
    Ok(())
}

/// Rows by themselves.
pub fn of_rows(rows: &[Row]) -> String {
    struct Rows<'a>(&'a [Row]);
    impl Display for Rows<'_> {
        fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
            goals(out, self.0)
        }
    }
    Rows(rows).to_string()
}

fn goals(out: &mut Formatter<'_>, rows: &[Row]) -> fmt::Result {
    writeln!(out, "\n| ratio | what | median | min … max | goal | |")?;
    writeln!(out, "| --- | --- | ---: | ---: | --- | --- |")?;
    for Row { ratio, what, value, goal } in rows {
        let Spread { median, min, max } = value;
        let (goal_text, verdict) = (goal_text(*goal), verdict(*goal, *median));
        writeln!(out, "| {ratio} | {what} | {median:.2} | {min:.2} … {max:.2} | {goal_text} | {verdict} |")?;
    }
    Ok(())
}

fn goal_text(goal: Goal) -> String {
    match goal {
        Goal::AtLeast(limit) => format!("≥ {limit}"),
        Goal::AtMost(limit) => format!("≤ {limit}"),
        Goal::None => "–".to_owned(),
    }
}

/// In a word, whether the goal was reached.
pub fn verdict(goal: Goal, value: f64) -> &'static str {
    match goal.is_met(value) {
        Some(true) => "reached",
        Some(false) => "missed",
        None => "",
    }
}

fn books(out: &mut Formatter<'_>, checked: Checked) -> fmt::Result {
    let Checked { orders, lines, products, keys } = checked;
    writeln!(
        out,
        "\nBooks: {} orders with {} lines found again after a restart exactly as acknowledged; stock of {} products \
         and {} keys compared; nothing held; no difference.",
        thousands(real(orders)),
        thousands(real(lines)),
        thousands(real(products)),
        thousands(real(keys)),
    )
}

/// A whole number with a comma after each three digits.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
