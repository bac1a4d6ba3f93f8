//! What was measured.

use super::bare::BareRate;
use super::goals::Row;
use super::machine::Machine;
use super::threads::Group;
use hdrhistogram::Histogram;

/// How much of the books was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Orders, found after the restart exactly as acknowledged.
    pub orders: u64,
    /// Their lines.
    pub lines: u64,
    /// Products whose stock was compared.
    pub products: u64,
    /// Keys that were tried again.
    pub keys: u64,
}

/// One side in one round.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Orders answered a second.
    pub rate: f64,
    /// Checkouts sent a second.
    pub offered: f64,
    /// CPU µs an order, without the driver.
    pub cpu_engine_us: f64,
    /// CPU µs an order, with the driver.
    pub cpu_total_us: f64,
    /// CPU µs an order by group of threads.
    pub cpu_by_group_us: Vec<(Group, f64)>,
    /// Journal bytes an order.
    pub bytes_an_order: f64,
    /// Groups a second.
    pub groups_per_second: f64,
    /// Orders a group.
    pub group_orders: f64,
    /// Write and sync of a group, in µs: the middle.
    pub sync_p50_us: u64,
    /// Write and sync of a group, in µs: the mean.
    pub sync_mean_us: f64,
    /// Nanoseconds from the start to the answer.
    pub latency: Histogram<u64>,
    /// Nanoseconds by which the open loop was late.
    pub lateness: Histogram<u64>,
    /// Times the engine had no room.
    pub shed: u64,
    /// Answers other than placed.
    pub not_placed: u64,
    /// Orders a second while starting again on the journal, the catalogue's loading included.
    pub replay_rate: f64,
    /// What was found after the restart.
    pub checked: Checked,
}

/// The bare loop beside a side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bare {
    /// With the groups that the engine made.
    pub same_groups: BareRate,
    /// With the best group size.
    pub best_group: BareRate,
}

/// All rounds of one side.
#[derive(Clone, Debug)]
pub struct SideResult {
    /// Its name.
    pub name: &'static str,
    /// By round.
    pub rounds: Vec<Measured>,
    /// The bare loop after each round; empty where it was not run.
    pub bare: Vec<Bare>,
    /// Write and sync of a block like the side's own, after each round; empty where it was not measured.
    pub syncs: Vec<Histogram<u64>>,
}

impl SideResult {
    /// One figure of each round.
    pub fn each(&self, figure: impl Fn(&Measured) -> f64) -> Vec<f64> {
        self.rounds.iter().map(figure).collect()
    }

    /// The latencies of all rounds together.
    pub fn latency(&self) -> Option<Histogram<u64>> {
        let mut rounds = self.rounds.iter().map(|round| &round.latency);
        let mut all = rounds.next()?.clone();
        for round in rounds {
            all.add(round).ok()?;
        }
        Some(all)
    }
}

/// Everything that a run found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// What was chosen, in words.
    pub settings: String,
    /// By side.
    pub sides: Vec<SideResult>,
    /// Ratios and goals.
    pub rows: Vec<Row>,
}

impl Report {
    /// The side with this name.
    pub fn side(&self, name: &str) -> Option<&SideResult> {
        self.sides.iter().find(|side| side.name == name)
    }

    /// Everything that was checked.
    pub fn checked(&self) -> Checked {
        let all = self.sides.iter().flat_map(|side| &side.rounds).map(|round| round.checked);
        all.fold(Checked::default(), |sum, round| Checked {
            orders: sum.orders + round.orders,
            lines: sum.lines + round.lines,
            products: sum.products + round.products,
            keys: sum.keys + round.keys,
        })
    }
}
