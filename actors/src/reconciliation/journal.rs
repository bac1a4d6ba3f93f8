//! The journal's side: what is in the segments, from the oldest record on, read once.

use super::moves::Moves;
use super::{Findings, ReconciliationError};
use floodgate_persistence::journal::{Frame, FrameReader, JournalError, JournalHandle};
use floodgate_persistence::model::{Event, OrderId, OrderPlaced, Record, Timestamp};
use floodgate_persistence::store::{Account, Day, Ledger, Sums};
use std::iter::Peekable;

/// Frames after which others get a turn.
const FRAMES_PER_TURN: usize = 64;

/// What the journal says.
#[derive(Debug, Default)]
pub struct JournalBooks {
    /// Sums of the orders up to the checkpoint.
    pub sums: Sums,
    /// All moves up to the checkpoint: of products whose counting began in them, the stock.
    pub to_checkpoint: Moves,
    /// The moves between the two: those that the later of memory and store has, and the earlier has not.
    pub between: Moves,
    /// The store's checkpoint is the later one.
    pub store_is_later: bool,
}

/// The journal, open at its oldest record, so that its segment stays.
pub struct JournalPass {
    frames: Peekable<FrameReader>,
    first_seq: u64,
    /// The first order that is still in it; `None`: there was none when this began, and so none is compared, though some
    /// may have come since.
    pub first_order: Option<OrderId>,
}

impl JournalPass {
    /// Opens the journal, and looks for its first order.
    pub async fn begin(journal: &JournalHandle) -> Result<Self, JournalError> {
        let first_seq = journal.first_retained_seq();
        let mut frames = journal.read_from(first_seq).peekable();
        if let Some(Err(_)) = frames.peek() {
            // Taken out, because an error cannot be copied.
            frames.next().transpose()?;
        }
        let mut first_order = None;
        for (count, frame) in journal.read_from(first_seq).enumerate() {
            first_order = frame?.records.iter().find_map(|record| placed(record).map(|order| order.order_id));
            if first_order.is_some() {
                break;
            }
            take_turns(count).await;
        }
        Ok(Self { frames, first_seq, first_order })
    }

    /// Reads to the later of the two.
    pub async fn read(
        mut self,
        store_seq: u64,
        memory_seq: u64,
        findings: &mut Findings,
    ) -> Result<JournalBooks, ReconciliationError> {
        let (earlier, later) = (store_seq.min(memory_seq), store_seq.max(memory_seq));
        findings.journal_from_seq = self.first_seq;
        if earlier < later && self.first_seq > earlier + 1 {
            let (seq, first_seq) = (earlier + 1, self.first_seq);
            return Err(JournalError::NotRetained { seq, first_seq }.into());
        }
        let compares_orders = self.first_order.is_some();
        let mut books = JournalBooks { store_is_later: store_seq > memory_seq, ..JournalBooks::default() };
        let (mut reached, mut count) = (self.first_seq.saturating_sub(1), 0);
        while reached < later {
            let Some(Frame { records, .. }) = self.frames.next().transpose()? else {
                return Err(ReconciliationError::JournalEnds { reached, later });
            };
            for record in records.iter().filter(|record| record.seq > reached && record.seq <= later) {
                books.add_moves(record, store_seq, earlier);
                if compares_orders && record.seq <= store_seq {
                    books.add_order(record, findings);
                }
            }
            reached = records.last().map_or(reached, |record| record.seq);
            take_turns(count).await;
            count += 1;
        }
        Ok(books)
    }
}

async fn take_turns(frames: usize) {
    if frames % FRAMES_PER_TURN == FRAMES_PER_TURN - 1 {
        tokio::task::yield_now().await;
    }
}

impl JournalBooks {
    fn add_moves(&mut self, record: &Record, store_seq: u64, earlier: u64) {
        if record.seq > earlier {
            self.between.add(&record.event);
        }
        if record.seq <= store_seq {
            self.to_checkpoint.add(&record.event);
        }
    }

    fn add_order(&mut self, record: &Record, findings: &mut Findings) {
        if let Some(order) = placed(record) {
            findings.orders += 1;
            add_order(&mut self.sums, order, record.at);
        }
    }
}

/// The order that a record placed.
pub fn placed(record: &Record) -> Option<&OrderPlaced> {
    match &record.event {
        Event::OrderPlaced(order) => Some(order),
        _ => None,
    }
}

/// Adds an order as it was placed to the sums of its day and its sellers.
pub fn add_order(sums: &mut Sums, order: &OrderPlaced, at: Timestamp) {
    let (day, currency) = (Day::of(at), order.currency);
    let account = |ledger, seller_id| Account { ledger, day, currency, seller_id };
    let OrderPlaced { subtotal, discount, shipping, tax, total, .. } = order;
    let amounts = [subtotal, discount, shipping, tax, total].map(|amount| i128::from(amount.0));
    let [subtotal, discount, shipping, tax, total] = amounts;
    sums.add(account(Ledger::Orders, None), [1, subtotal, discount, shipping, tax, total]);
    for share in &order.sellers {
        let [subtotal, commission, payout] =
            [share.subtotal, share.commission, share.payout].map(|amount| i128::from(amount.0));
        let account = account(Ledger::Shares, Some(share.seller_id));
        sums.add(account, [1, subtotal, commission, payout, 0, 0]);
    }
    for line in &order.lines {
        let [discount, total] = [line.discount, line.line_total].map(|amount| i128::from(amount.0));
        let account = account(Ledger::Lines, Some(line.seller_id));
        sums.add(account, [1, line.quantity.into(), discount, total, 0, 0]);
    }
}
