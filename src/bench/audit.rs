//! Checks the books after a round: the engine is started again on what it left, and asked.

use super::bed::{Bed, Running};
use super::books::{Acknowledged, Books, Difference, Ledger};
use super::carts::Carts;
use super::discard::Batches;
use super::settings::{BenchError, Side};
use floodgate_actors::{CheckoutOutcome, Engine};
use floodgate_persistence::journal;
use floodgate_persistence::model::ProductId;
use floodgate_persistence::page_cache::forget_files;
use std::time::{Duration, Instant};

/// Products whose stock is compared, beside the hot one.
const PRODUCTS: u64 = 500;

/// Keys that are tried again.
const KEYS: usize = 500;

/// What stock some products have, and where the journal ends.
pub struct Before {
    /// Last sequence.
    pub seq: u64,
    /// Stock by product.
    pub stock: Vec<(ProductId, i64)>,
}

/// Looks before a round begins.
pub fn look(running: &Running, carts: &Carts) -> Result<Before, BenchError> {
    let step = (carts.wares().products() / PRODUCTS).max(1);
    let ids = (1..=carts.wares().products()).step_by(usize::try_from(step).unwrap_or(1)).map(ProductId);
    let mut stock = Vec::new();
    for id in ids.chain([carts.hot_product()]) {
        stock.push((id, running.wait_for(available(&running.engine, id))?));
    }
    let seq = running.wait_for(running.engine.status())?.journal.last_seq;
    Ok(Before { seq, stock })
}

async fn available(engine: &Engine, id: ProductId) -> Result<i64, BenchError> {
    let product = engine.product(id).await?;
    Ok(product.and_then(|product| product.available).unwrap_or(0))
}

/// What the journal consists of, group by group: orders and bytes of the frame.
pub type Trace = Vec<(u32, u32)>;

/// The result.
pub struct Audit {
    /// What was checked and found.
    pub books: Books,
    /// The groups of the journal.
    pub trace: Trace,
    /// How long the restart took until it was ready.
    pub restart: Duration,
}

/// Reads the journal, restarts the engine on it, and compares both with what was acknowledged.
pub fn audit(
    bed: &Bed,
    side: &Side,
    carts: &Carts,
    acknowledged: &Acknowledged,
    before: &Before,
) -> Result<Audit, BenchError> {
    let mut ledger = Ledger::new(carts, acknowledged);
    let trace = read(bed, before.seq, &mut ledger)?;
    let mut books = ledger.close();
    if side.cold_restart {
        forget_files(bed.journal_dir())?;
    }
    let began = Instant::now();
    let running = bed.start(side, Batches::Held)?;
    let restart = began.elapsed();
    for (product, stock) in &before.stock {
        let left = running.wait_for(available(&running.engine, *product))?;
        books.compare_stock(*product, *stock, left);
    }
    ask_keys(&running, carts, acknowledged, &mut books)?;
    place_one_more(&running, carts, acknowledged, &mut books)?;
    let held: u64 = running.wait_for(running.engine.status())?.shards.iter().map(|shard| shard.held).sum();
    if held > 0 {
        books.differs(Difference::Held(held));
    }
    running.stop_now();
    Ok(Audit { books, trace, restart })
}

fn read(bed: &Bed, after_seq: u64, ledger: &mut Ledger<'_>) -> Result<Trace, BenchError> {
    let mut trace = Trace::new();
    let mut last = None;
    for frame in journal::frames(bed.journal_dir())? {
        let frame = frame?;
        let position = frame.position;
        // A frame reaches to where the next begins; of the last one of a segment that is not known.
        if let Some((segment, offset, records)) =
            last.replace((position.segment, position.offset, frame.records.len()))
            && segment == position.segment
        {
            trace.push((u32::try_from(records).unwrap_or(u32::MAX), position.offset - offset));
        }
        frame.records.iter().filter(|record| record.seq > after_seq).for_each(|record| ledger.record(record));
    }
    Ok(trace)
}

/// Tries keys again, evenly spread over the sample.
fn ask_keys(
    running: &Running,
    carts: &Carts,
    acknowledged: &Acknowledged,
    books: &mut Books,
) -> Result<(), BenchError> {
    let sample = acknowledged.sample();
    for answered in sample.iter().step_by((sample.len() / KEYS).max(1)) {
        let permit = running.engine.admit(1).map_err(floodgate_actors::EngineError::Unavailable)?;
        let again = running.wait_for(running.port.checkout(carts.command(answered.number), permit));
        books.keys += 1;
        let same = matches!(&again, CheckoutOutcome::Placed(placed)
            if placed.replayed && placed.order.order_id == answered.order_id && placed.seq == answered.seq);
        if !same {
            books.differs(Difference::KeyForgotten(answered.number));
        }
    }
    Ok(())
}

/// The next order must get the id after the last one.
fn place_one_more(
    running: &Running,
    carts: &Carts,
    acknowledged: &Acknowledged,
    books: &mut Books,
) -> Result<(), BenchError> {
    let permit = running.engine.admit(1).map_err(floodgate_actors::EngineError::Unavailable)?;
    let number = acknowledged.unused_number();
    let placed = running.wait_for(running.port.checkout(carts.command(number), permit));
    let found = match placed {
        CheckoutOutcome::Placed(placed) => placed.order.order_id.get(),
        _ => 0,
    };
    if let Some(expected) = books.last_order.map(|last| last.get() + 1)
        && found != expected
    {
        books.differs(Difference::NextId { found, expected });
    }
    Ok(())
}
