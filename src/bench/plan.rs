//! Which sides are measured, and in which order: all of them once a round, so that a drift of the machine hits all.

use super::audit::Trace;
use super::bare::BareFile;
use super::bed::Bed;
use super::goals;
use super::machine::Machine;
use super::progress::Progress;
use super::random::mix;
use super::results::{Bare, Measured, Report, SideResult};
use super::settings::{BenchError, Pace, Settings, Side};
use super::side::measure;
use super::sides::{names, sides};
use super::stats::{half, mean_block, whole};

/// Syncs of a block that are timed beside the open loop.
const SYNCS_A_ROUND: usize = 300;

/// Runs everything and prints how it goes on standard error.
pub fn run(settings: &Settings) -> Result<Report, BenchError> {
    settings.check()?;
    let sides = sides(settings);
    let bed = Bed::new(settings)?;
    let mut bare = BareFile::create(bed.journal_dir())?;
    let machine = Machine::look(bed.journal_dir(), &mut bare)?;
    let progress = Progress::new(sides.len() * settings.rounds);
    let mut plan = Plan { settings, bed, bare, best_groups: None, best_rate: 0.0, runs: 0, progress };
    let mut results: Vec<SideResult> = sides.iter().map(empty).collect();
    plan.warm_up(&sides)?;
    for round in 1..=settings.rounds {
        for (side, result) in sides.iter().zip(&mut results) {
            plan.step(round, side, result)?;
        }
    }
    plan.progress.end();
    let mut report = Report { machine, settings: describe(settings), sides: results, rows: Vec::new() };
    report.rows = goals::rows(&report);
    Ok(report)
}

fn empty(side: &Side) -> SideResult {
    SideResult { name: side.name, rounds: Vec::new(), bare: Vec::new(), syncs: Vec::new() }
}

fn describe(settings: &Settings) -> String {
    let lines = match settings.lines {
        (min, max) if min == max => format!("{min}"),
        (min, max) => format!("{min}–{max}"),
    };
    format!(
        "{} products, {} in flight, {lines} lines a cart, {} shard(s), {} rounds of {:.1} s, store {}, seed {}",
        settings.products,
        settings.in_flight,
        settings.shards,
        settings.rounds,
        settings.seconds.as_secs_f64(),
        match &settings.store {
            super::StoreChoice::None => "none",
            super::StoreChoice::Url(_) => "by URL",
        },
        settings.seed,
    )
}

/// What goes on through all rounds.
struct Plan<'a> {
    settings: &'a Settings,
    bed: Bed,
    bare: BareFile,
    /// The group size with which the bare loop is fastest.
    best_groups: Option<Trace>,
    /// The best durable rate so far.
    best_rate: f64,
    runs: u64,
    progress: Progress,
}

impl Plan<'_> {
    /// The first engine of a process pays for memory that later ones find: it does not count.
    fn warm_up(&mut self, sides: &[Side]) -> Result<(), BenchError> {
        let Some(first) = sides.first() else { return Ok(()) };
        let (measured, _) = self.measure(first)?;
        self.progress.tell(&format!("warm-up, not counted: {:.0} orders/s", measured.rate));
        Ok(())
    }

    fn measure(&mut self, side: &Side) -> Result<(Measured, Trace), BenchError> {
        if self.bed.is_for_one_side() {
            self.bed = Bed::new(self.settings)?;
        }
        self.runs += 1;
        measure(self.settings, &self.bed, side, mix(self.settings.seed ^ self.runs))
    }

    fn step(&mut self, round: usize, side: &Side, result: &mut SideResult) -> Result<(), BenchError> {
        let (measured, trace) = self.measure(&self.paced(side))?;
        let name = side.name;
        self.progress.step(&format!("round {round}, {name}: {:.0} orders/s", measured.rate));
        if name == names::ALWAYS {
            self.best_rate = self.best_rate.max(measured.rate);
        }
        if side.beside_bare {
            result.bare.push(self.bare_loop(side, &measured, &trace)?);
        }
        if let Pace::Open { .. } = side.pace {
            let block = mean_block(&trace);
            result.syncs.push(self.bare.syncs(block, SYNCS_A_ROUND)?);
        }
        result.rounds.push(measured);
        Ok(())
    }

    /// The open loop goes at half of the best rate so far.
    fn paced(&self, side: &Side) -> Side {
        let pace = match side.pace {
            Pace::Open { .. } => Pace::Open { per_second: half(self.best_rate) },
            closed => closed,
        };
        Side { pace, ..side.clone() }
    }

    fn bare_loop(&mut self, side: &Side, measured: &Measured, trace: &Trace) -> Result<Bare, BenchError> {
        let time = self.settings.seconds / 2;
        let same_groups = self.bare.replay(trace, side.sync, time)?;
        let best = match self.best_groups.take() {
            Some(best) => best,
            None => self.bare.best_groups(whole(measured.bytes_an_order), self.settings.seconds)?,
        };
        let best_group = self.bare.replay(&best, side.sync, time)?;
        self.best_groups = Some(best);
        Ok(Bare { same_groups, best_group })
    }
}
