//! What was acknowledged against what the journal says.

use super::carts::Carts;
use floodgate_persistence::model::{Event, Money, OrderId, OrderPlaced, ProductId, Record};
use std::collections::HashMap;

/// Most differences that are named; all are counted.
const NAMED_MAX: usize = 10;

/// One answer, kept whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Number of the cart.
    pub number: u64,
    /// The order that it became.
    pub order_id: OrderId,
    /// What it cost.
    pub total: Money,
    /// Its sequence in the journal.
    pub seq: u64,
}

/// All that was answered as placed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged {
    numbers: Vec<u64>,
    sample: Vec<Answered>,
}

impl Acknowledged {
    /// The cart with this number was placed.
    pub fn add(&mut self, number: u64) {
        self.numbers.push(number);
    }

    /// Remembers one answer whole.
    pub fn keep(&mut self, answered: Answered) {
        self.sample.push(answered);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.numbers.len() as u64
    }

    /// The answers kept whole.
    pub fn sample(&self) -> &[Answered] {
        &self.sample
    }

    /// A number that no cart had.
    pub fn unused_number(&self) -> u64 {
        self.numbers.iter().max().map_or(0, |last| last + 1)
    }
}

/// Something that is not as it was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// An acknowledged cart is not in the journal.
    #[error("cart {0} was acknowledged and is not in the journal")]
    Missing(u64),
    /// A cart is in the journal and nobody was told.
    #[error("cart {0} is in the journal and was not acknowledged")]
    NotAcknowledged(u64),
    /// A cart is in the journal twice.
    #[error("cart {0} is in the journal twice")]
    Twice(u64),
    /// An order without a key of this run.
    #[error("order {0} belongs to no cart")]
    Foreign(OrderId),
    /// Lines, prices or quantities are not those of the cart.
    #[error("the lines of order {0} are not those of its cart")]
    WrongLines(OrderId),
    /// Totals or shares do not add up.
    #[error("the amounts of order {0} do not add up")]
    WrongAmounts(OrderId),
    /// The answer said something else than the journal.
    #[error("order {0} was answered with another id, sequence or total")]
    WrongAnswer(OrderId),
    /// Order ids or invoice numbers have a gap.
    #[error("order {0} does not follow the order before it")]
    Gap(OrderId),
    /// Stock is not what it was less what was sold.
    #[error("product {product}: {available} pieces left, {expected} expected")]
    Stock {
        /// The product.
        product: ProductId,
        /// What the engine says.
        available: i64,
        /// What should be left.
        expected: i64,
    },
    /// Pieces are still taken for nobody.
    #[error("{0} pieces are held and nothing is under way")]
    Held(u64),
    /// A key is not answered with its order.
    #[error("the key of cart {0} is not answered with its order")]
    KeyForgotten(u64),
    /// The next order does not get the next id.
    #[error("the next order got id {found}, not {expected}")]
    NextId {
        /// The id that it got.
        found: u64,
        /// The id after the last.
        expected: u64,
    },
}

/// What was checked, and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Orders found in the journal.
    pub orders: u64,
    /// Their lines.
    pub lines: u64,
    /// The sum of their totals.
    pub total: i128,
    /// Products whose stock was compared.
    pub products: u64,
    /// Keys that were tried again.
    pub keys: u64,
    /// The last order.
    pub last_order: Option<OrderId>,
    /// Pieces sold by product.
    pub sold: HashMap<ProductId, i64>,
    /// Number of differences.
    pub differences: u64,
    /// The first of them.
    pub named: Vec<Difference>,
}

impl Books {
    /// Notes something that is wrong.
    pub fn differs(&mut self, difference: Difference) {
        self.differences += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(difference);
        }
    }

    /// Compares a product's stock before and after.
    pub fn compare_stock(&mut self, product: ProductId, before: i64, available: i64) {
        self.products += 1;
        let expected = before - self.sold.get(&product).copied().unwrap_or(0);
        if available != expected {
            self.differs(Difference::Stock { product, available, expected });
        }
    }
}

/// Goes through the journal.
pub struct Ledger<'a> {
    carts: &'a Carts,
    /// By cart number: acknowledged, found.
    seen: Vec<(bool, bool)>,
    answered: HashMap<u64, Answered>,
    invoice: Option<u64>,
    books: Books,
}

impl<'a> Ledger<'a> {
    /// Looks for what was acknowledged.
    pub fn new(carts: &'a Carts, acknowledged: &Acknowledged) -> Self {
        let count = usize::try_from(acknowledged.unused_number()).unwrap_or(0);
        let mut seen = vec![(false, false); count];
        let places = acknowledged.numbers.iter().filter_map(|number| usize::try_from(*number).ok());
        for place in places {
            if let Some((acknowledged, _)) = seen.get_mut(place) {
                *acknowledged = true;
            }
        }
        let answered = acknowledged.sample.iter().map(|answered| (answered.number, *answered)).collect();
        Self { carts, seen, answered, invoice: None, books: Books::default() }
    }

    /// The next record of the journal.
    pub fn record(&mut self, record: &Record) {
        if let Event::OrderPlaced(order) = &record.event {
            self.count(order);
            match order.idempotency.and_then(|claim| self.carts.number_of(claim)) {
                Some(number) => self.compare(number, order, record.seq),
                None => self.books.differs(Difference::Foreign(order.order_id)),
            }
        }
    }

    fn count(&mut self, order: &OrderPlaced) {
        let follows = self.books.last_order.is_none_or(|last| last.get() + 1 == order.order_id.get())
            && self.invoice.is_none_or(|last| last + 1 == order.invoice.number);
        if !follows {
            self.books.differs(Difference::Gap(order.order_id));
        }
        self.books.last_order = Some(order.order_id);
        self.invoice = Some(order.invoice.number);
        self.books.orders += 1;
        self.books.lines += order.lines.len() as u64;
        self.books.total += i128::from(order.total.0);
        for line in &order.lines {
            *self.books.sold.entry(line.product_id).or_default() += i64::from(line.stock_taken);
        }
    }

    fn compare(&mut self, number: u64, order: &OrderPlaced, seq: u64) {
        let place = usize::try_from(number).ok().and_then(|place| self.seen.get_mut(place));
        match place {
            Some((true, found)) if !*found => *found = true,
            Some((true, _)) => self.books.differs(Difference::Twice(number)),
            _ => self.books.differs(Difference::NotAcknowledged(number)),
        }
        let items = self.carts.items(number);
        let same = order.lines.len() == items.len()
            && order.lines.iter().zip(&items).all(|(line, item)| {
                line.product_id == item.product_id
                    && i64::from(line.quantity) == item.quantity
                    && line.stock_taken == line.quantity
                    && line.unit_price == self.carts.wares().price(item.product_id)
                    && line.seller_id == self.carts.wares().seller_of(item.product_id)
            });
        if !same {
            self.books.differs(Difference::WrongLines(order.order_id));
        }
        if order.total != self.carts.total(&items) || !adds_up(order) {
            self.books.differs(Difference::WrongAmounts(order.order_id));
        }
        let as_answered = self.answered.get(&number).is_none_or(|answered| {
            (answered.order_id, answered.total, answered.seq) == (order.order_id, order.total, seq)
        });
        if !as_answered {
            self.books.differs(Difference::WrongAnswer(order.order_id));
        }
    }

    /// The journal is at its end.
    pub fn close(mut self) -> Books {
        for (number, seen) in (0..).zip(&self.seen) {
            if *seen == (true, false) {
                self.books.differs(Difference::Missing(number));
            }
        }
        self.books
    }
}

fn adds_up(order: &OrderPlaced) -> bool {
    let lines: i64 = order.lines.iter().map(|line| line.line_total.0).sum();
    let shares: i64 = order.sellers.iter().map(|share| share.commission.0 + share.payout.0).sum();
    lines == order.subtotal.0
        && shares == order.subtotal.0
        && order.subtotal.0 - order.discount.0 + order.shipping.0 + order.tax.0 == order.total.0
}
