//! R2: how fast the write-behind brings a backlog into MySQL or MariaDB, against a plain client that sends the same
//! statements of the same backlog, recorded before, into an equal database.
//!
//! Each round makes two databases beside the one of the URL and drops them again.

use super::bed::Bed;
use super::carts::Carts;
use super::driver::Outcome;
use super::goals::{Goal, Row};
use super::progress::Progress;
use super::random::mix;
use super::settings::{BenchError, Pace, Settings, Side};
use super::side::drive;
use super::sides::sides;
use super::stats::{Spread, per_second, ratios};
use super::wares::Wares;
use super::{StoreChoice, table};
use floodgate_actors::{BATCH_LINES_MAX, BATCH_RECORDS_MAX};
use floodgate_persistence::journal;
use floodgate_persistence::store::{self, PlainFeed, Recorded, Store, StoreConfig, WriteBatch};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is looked how far the write-behind is.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// One round.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    orders: u64,
    /// Orders a second of the write-behind.
    engine: f64,
    /// Orders a second of the plain client.
    plain: f64,
}

/// Runs all rounds; the table as text.
pub fn run(settings: &Settings, orders: u64) -> Result<String, BenchError> {
    settings.check()?;
    let StoreChoice::Url(url) = &settings.store else {
        return Err(BenchError::Settings(
            "--drain needs --store mysql://…: the name of a database".to_owned(),
        ));
    };
    let progress = Progress::new(settings.rounds);
    let mut rounds = Vec::new();
    for number in 1..=settings.rounds {
        let round = measure(settings, url, number, orders)?;
        let Round { orders, engine, plain } = round;
        progress.step(&format!(
            "round {number}: {orders} orders, write-behind {engine:.0}/s, plain {plain:.0}/s"
        ));
        rounds.push(round);
    }
    progress.end();
    Ok(text(&rounds))
}

fn text(rounds: &[Round]) -> String {
    let each = |figure: fn(&Round) -> f64| -> Vec<f64> { rounds.iter().map(figure).collect() };
    let (engine, plain) = (each(|round| round.engine), each(|round| round.plain));
    let row = |what: &str, values: &[f64], goal| {
        Spread::of(values).map(|value| Row { ratio: "R2", what: what.to_owned(), value, goal })
    };
    let rows = [
        row("orders/s of the write-behind, backlog given", &engine, Goal::None),
        row("orders/s of the plain client, the same statements", &plain, Goal::None),
        row("write-behind over plain client", &ratios(&engine, &plain), Goal::AtLeast(0.9)),
    ];
    table::of_rows(&rows.into_iter().flatten().collect::<Vec<_>>())
}

fn measure(settings: &Settings, url: &str, number: usize, orders: u64) -> Result<Round, BenchError> {
    let [ours, theirs] = ["engine", "plain"].map(|whose| format!("{url}_{number}_{whose}"));
    let settings = &Settings { store: StoreChoice::Url(ours.clone()), ..settings.clone() };
    let bed = Bed::new(settings)?;
    let side =
        sides(settings).into_iter().next().ok_or_else(|| BenchError::Settings("no side".to_owned()))?;
    // The catalogue goes into the database, and is copied with it.
    bed.start(&side, super::discard::Batches::Discarded)?.stop();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(copy(&ours, &theirs))?;
    let placed = backlog(settings, &bed, &side, number, orders)?;
    let mut plain = runtime.block_on(PlainFeed::connect(&theirs))?;
    let recorded = runtime.block_on(record(&bed, &theirs, &plain))?;
    let engine = drain(&bed, &side)?;
    let took = runtime.block_on(plain.send(&recorded))?;
    let mut others = runtime.block_on(PlainFeed::connect(&ours))?;
    for (whose, feed) in [("the write-behind", &mut others), ("the plain client", &mut plain)] {
        let found = runtime.block_on(feed.orders())?;
        if found != placed {
            return Err(BenchError::Settings(format!("{whose} wrote {found} of {placed} orders")));
        }
    }
    runtime.block_on(async { others.drop_database().await })?;
    runtime.block_on(async { plain.drop_database().await })?;
    Ok(Round { orders: placed, engine, plain: per_second(placed, took) })
}

async fn open(url: &str) -> Result<Arc<dyn Store>, BenchError> {
    let store = store::open(&StoreConfig::new(url)).await?;
    store.migrate().await?;
    Ok(store)
}

async fn copy(from: &str, to: &str) -> Result<(), BenchError> {
    let (source, target) = (open(from).await?, open(to).await?);
    let copied = store::copy(&*source, &*target, &mut |_| {}).await;
    source.close().await;
    target.close().await;
    Ok(copied?)
}

/// Places so many orders that nobody writes out; how many they became.
fn backlog(
    settings: &Settings,
    bed: &Bed,
    side: &Side,
    number: usize,
    orders: u64,
) -> Result<u64, BenchError> {
    // A quarter of the time before the measured one is spent on warming up.
    let pace = Pace::Open { per_second: orders * 4 / 5 };
    let side = Side { pace, ..side.clone() };
    let settings = Settings { seconds: Duration::from_secs(1), ..settings.clone() };
    let seed = mix(settings.seed ^ number as u64);
    let carts = Carts::new(seed, Wares::new(settings.products), side.shards as u64, side.shape);
    let running = bed.start_held(&side)?;
    let outcome: Outcome = drive(&running, carts, &side, &settings)?.0;
    running.stop_now();
    Ok(outcome.acknowledged.count())
}

/// The batches that the write-behind makes of a backlog, as it would send them to the other database.
async fn record(bed: &Bed, url: &str, feed: &PlainFeed) -> Result<Vec<Recorded>, BenchError> {
    let store = open(url).await?;
    let state = store.state().await?.checkpoint;
    store.close().await;
    let mut recorded = Vec::new();
    let mut batch = WriteBatch::new(state.seq, state.epoch);
    for frame in journal::frames(bed.journal_dir())? {
        for record in frame?.records.iter().filter(|record| record.seq > state.seq) {
            batch.push(record);
            if batch.lines >= BATCH_LINES_MAX || batch.to - batch.from >= BATCH_RECORDS_MAX {
                recorded.push(feed.record(&batch)?);
                batch = WriteBatch::new(batch.to, state.epoch);
            }
        }
    }
    if !batch.is_empty() {
        recorded.push(feed.record(&batch)?);
    }
    Ok(recorded)
}

/// Orders a second from the first look at the running engine to the end of its backlog.
fn drain(bed: &Bed, side: &Side) -> Result<f64, BenchError> {
    let running = bed.start(side, super::discard::Batches::Discarded)?;
    let status = || running.wait_for(running.engine.status());
    let first = status()?.writer;
    let began = Instant::now();
    loop {
        let writer = status()?.writer;
        if writer.state == "stopped" {
            return Err(BenchError::Settings(format!("the write-behind stopped: {:?}", writer.last_error)));
        }
        if writer.backlog == 0 {
            let rate = per_second(writer.orders.saturating_sub(first.orders), began.elapsed());
            running.stop();
            return Ok(rate);
        }
        running.wait_for(async { tokio::time::sleep(LOOK_EVERY).await });
    }
}
