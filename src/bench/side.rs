//! One side, measured once: start, load, stop, check the books.

use super::audit::{self, Audit, Before, Trace};
use super::bed::{Bed, Running};
use super::carts::Carts;
use super::discard::Batches;
use super::driver::{Driver, Outcome};
use super::results::{Checked, Measured};
use super::sampler::{JournalWork, Sampler};
use super::settings::{BenchError, Settings, Side};
use super::stats::{micros_each, per_second, quotient, real};
use super::threads::{DRIVER_THREAD, Group};
use super::wares::Wares;
use tokio::sync::oneshot;

/// Measures `side` and checks its books. `seed` is its own, so that no two sides have a key in common. The trace is
/// what the bare loop writes after it.
pub fn measure(
    settings: &Settings,
    bed: &Bed,
    side: &Side,
    seed: u64,
) -> Result<(Measured, Trace), BenchError> {
    let wares = Wares::new(settings.products);
    let carts = Carts::new(seed, wares, side.shards as u64, side.shape);
    let running = bed.start(side, Batches::Discarded)?;
    let before = audit::look(&running, &carts)?;
    let (outcome, work) = drive(&running, carts, side, settings)?;
    running.stop();
    let audit = check(bed, side, &carts, &outcome, &before)?;
    Ok((figures(&outcome, work, &audit), audit.trace))
}

/// Runs the load on a thread of its own, while this one drives what the store has waiting here.
pub fn drive(
    running: &Running,
    carts: Carts,
    side: &Side,
    settings: &Settings,
) -> Result<(Outcome, JournalWork), BenchError> {
    let (engine, port) = (running.engine.clone(), running.port.clone());
    let (pace, measure) = (side.pace, settings.seconds);
    let sampler = Sampler::start(engine.clone())?;
    let (done, ended) = oneshot::channel();
    let driver = std::thread::Builder::new().name(DRIVER_THREAD.to_owned()).spawn(move || {
        let outcome = Driver::new(engine, port, carts, pace, measure).and_then(Driver::run);
        // The receiver waits until this is sent.
        drop(done.send(outcome));
    })?;
    let outcome = running.wait_for(ended);
    if driver.join().is_err() {
        return Err(BenchError::Io(std::io::Error::other("the driver panicked")));
    }
    let outcome = outcome.map_err(|_| std::io::Error::other("the driver ended without a result"))??;
    let work = sampler.between(outcome.began, outcome.ended);
    Ok((outcome, work))
}

fn check(
    bed: &Bed,
    side: &Side,
    carts: &Carts,
    outcome: &Outcome,
    before: &Before,
) -> Result<Audit, BenchError> {
    let audit = audit::audit(bed, side, carts, &outcome.acknowledged, before)?;
    match audit.books.named.first() {
        None => Ok(audit),
        Some(first) => Err(BenchError::Books {
            count: audit.books.differences,
            first: format!("{}: {first}", side.name),
        }),
    }
}

fn figures(outcome: &Outcome, work: JournalWork, audit: &Audit) -> Measured {
    let elapsed = outcome.ended.saturating_duration_since(outcome.began);
    let cpu_of = |group| (group, micros_each(outcome.cpu.of_group(group), outcome.orders));
    Measured {
        rate: per_second(outcome.orders, elapsed),
        offered: per_second(outcome.offered, elapsed),
        cpu_engine_us: micros_each(outcome.cpu.of_engine(), outcome.orders),
        cpu_total_us: micros_each(outcome.cpu.total(), outcome.orders),
        cpu_by_group_us: Group::ALL.into_iter().map(cpu_of).collect(),
        bytes_an_order: quotient(real(work.bytes), real(work.events)),
        groups_per_second: per_second(work.groups, work.elapsed),
        group_orders: quotient(real(work.events), real(work.groups)),
        sync_p50_us: work.sync_p50_us,
        sync_mean_us: micros_each(work.sync_total, work.groups),
        latency: outcome.latency.clone(),
        lateness: outcome.lateness.clone(),
        shed: outcome.shed,
        not_placed: outcome.not_placed,
        replay_rate: per_second(audit.books.orders, audit.restart),
        checked: Checked {
            orders: audit.books.orders,
            lines: audit.books.lines,
            products: audit.books.products,
            keys: audit.books.keys,
        },
    }
}
