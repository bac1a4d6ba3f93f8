//! What events do to counted stock.

use floodgate_persistence::model::{Event, ProductId, StockChange};
use std::collections::HashMap;

/// Tells each move of counted stock that an event makes, once the event is durable. The one place where a new kind of
/// event says so to the reconciliation.
pub fn stock_moves(event: &Event, mut tell: impl FnMut(ProductId, StockChange)) {
    match event {
        Event::ProductPut(put) => tell(put.product.id, put.stock),
        Event::StockAdjusted(adjusted) => tell(adjusted.product_id, StockChange::Delta(adjusted.delta)),
        Event::OrderPlaced(order) => {
            for line in order.lines.iter().filter(|line| line.stock_taken > 0) {
                tell(line.product_id, StockChange::Delta(-i64::from(line.stock_taken)));
            }
        }
        Event::OrderChanged(changed) => {
            for back in &changed.stock {
                tell(back.product_id, StockChange::Delta(i64::from(back.quantity)));
            }
        }
        _ => {}
    }
}

/// The sum of a product's moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Counting began among them: `delta` is the whole stock, whatever it was before.
    pub from_zero: bool,
    /// All moves, or those since counting began.
    pub delta: i64,
}

impl Moved {
    fn add(&mut self, change: StockChange) {
        match change {
            StockChange::Unchanged => {}
            StockChange::Delta(delta) => self.delta += delta,
            StockChange::Counted(quantity) => *self = Self { from_zero: true, delta: quantity },
        }
    }

    /// The stock after these moves; `None`: not counted, which moves do not change.
    pub fn after(self, before: Option<i64>) -> Option<i64> {
        if self.from_zero { Some(self.delta) } else { before.map(|stock| stock + self.delta) }
    }

    /// The stock before these moves. Not to be asked where counting began among them.
    pub fn before(self, after: Option<i64>) -> Option<i64> {
        after.map(|stock| stock - self.delta)
    }
}

/// The moves of a stretch of the journal, by product. A product that was put is here, moved or not.
#[derive(Debug, Default)]
pub struct Moves {
    products: HashMap<ProductId, Moved>,
}

impl Moves {
    /// Adds an event.
    pub fn add(&mut self, event: &Event) {
        stock_moves(event, |id, change| self.products.entry(id).or_default().add(change));
    }

    /// What moved of a product; `None`: no event was about it.
    pub fn of(&self, id: ProductId) -> Option<Moved> {
        self.products.get(&id).copied()
    }
}
