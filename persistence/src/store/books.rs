//! The store's side of a reconciliation: stock, and sums of orders by day and seller, all in one snapshot.

use super::query::{self, Query};
use super::{ParkedRow, decode};
use crate::model::{Currency, OrderId, ProductId, SellerId, Timestamp};
use std::collections::BTreeMap;
use std::fmt;

/// Products of a part.
const STOCK_ROWS: usize = 5_000;

/// Orders that one question sums up: some ten milliseconds, far below every limit.
const ORDERS_AT_ONCE: u64 = 10_000;

/// Parked events of a part.
const PARKED_ROWS: usize = 1_000;

/// Most amounts that an account has.
pub const AMOUNTS_MAX: usize = 6;

/// What is summed up, and which amounts it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ledger {
    /// The orders of a day.
    Orders,
    /// The sellers' shares of a day.
    Shares,
    /// The sellers' lines of a day.
    Lines,
}

impl Ledger {
    /// Its name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Shares => "seller_orders",
            Self::Lines => "order_items",
        }
    }

    /// Names of its amounts, in their order.
    pub const fn amounts(self) -> &'static [&'static str] {
        match self {
            Self::Orders => &["orders", "subtotal", "discount", "shipping", "tax", "total"],
            Self::Shares => &["orders", "subtotal", "commission", "payout"],
            Self::Lines => &["lines", "pieces", "discount", "line_total"],
        }
    }
}

/// A day in UTC: the days since 1970-01-01. Shown as `2026-11-23`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

/// Milliseconds of a day; leap seconds are not counted.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Day {
    /// The day of a moment.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.0.div_euclid(DAY_MS))
    }

    /// The day of `2026-11-23`.
    pub fn parse(text: &str) -> Option<Self> {
        Timestamp::from_rfc3339(&format!("{text}T00:00:00Z")).map(Self::of)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Timestamp(self.0.saturating_mul(DAY_MS)).to_rfc3339();
        out.write_str(text.split('T').next().unwrap_or_default())
    }
}

/// Whose sums these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// What is summed up.
    pub ledger: Ledger,
    /// Of orders of this day.
    pub day: Day,
    /// Amounts of different currencies are never added.
    pub currency: Currency,
    /// Of this seller; `None`: of all, which is what [`Ledger::Orders`] has.
    pub seller_id: Option<SellerId>,
}

/// The amounts of an account, as [`Ledger::amounts`] names them; 0 behind the last. Wide, so that no sum overflows.
pub type Amounts = [i128; AMOUNTS_MAX];

/// Sums by account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Accounts that nothing was added to are absent.
    pub accounts: BTreeMap<Account, Amounts>,
}

impl Sums {
    /// Adds to an account.
    pub fn add(&mut self, account: Account, amounts: Amounts) {
        let sums = self.accounts.entry(account).or_default();
        for (sum, amount) in sums.iter_mut().zip(amounts) {
            *sum += amount;
        }
    }
}

/// A part of the store's books, all read in one snapshot, in this order.
#[derive(Clone, Debug)]
pub enum BooksPart {
    /// The checkpoint that the snapshot sees: first, and once.
    AsOf(u64),
    /// Events that are parked.
    Parked(Vec<ParkedRow>),
    /// Products and their counted stock, by rising id; also those whose terms are parked, if their stock is counted.
    Stock(Vec<(ProductId, Option<i64>)>),
    /// Sums of some orders.
    Sums(Vec<(Account, Amounts)>),
}

/// What to ask next.
pub(super) enum BooksStep {
    /// Parked events.
    Parked(Query<ParkedRow>),
    /// Stock.
    Stock(Query<(ProductId, Option<i64>)>),
    /// Where the next stretch of orders begins: a row or none.
    Stretch(Query<u64>),
    /// Sums.
    Sums(Query<(Account, Amounts)>),
}

/// Where the walk through the books is.
pub(super) struct BooksWalk {
    stage: Stage,
    first_order: u64,
}

enum Stage {
    Parked { after: u64 },
    Stock { after: u64 },
    Stretch { first: u64 },
    Sums { first: u64, next: Option<u64>, ledger: Option<Ledger> },
    Ended,
}

impl BooksWalk {
    /// At the beginning; orders are summed up from `first_order` on, none where there is no such.
    pub(super) fn new(first_order: Option<OrderId>) -> Self {
        Self { stage: Stage::Parked { after: 0 }, first_order: first_order.map_or(u64::MAX, OrderId::get) }
    }

    /// The next question; `None`: that was all.
    pub(super) fn next(&self) -> Option<BooksStep> {
        Some(match self.stage {
            Stage::Parked { after } => BooksStep::Parked(query::parked(after, PARKED_ROWS)),
            Stage::Stock { after } => BooksStep::Stock(stock(after)),
            Stage::Stretch { first } => BooksStep::Stretch(stretch(first)),
            Stage::Sums { first, next, ledger: Some(ledger) } => BooksStep::Sums(sums(ledger, first, next)),
            Stage::Sums { ledger: None, .. } | Stage::Ended => return None,
        })
    }

    /// Parked events came.
    pub(super) fn parked(&mut self, rows: Vec<ParkedRow>) -> BooksPart {
        let last = rows.last().map(|row| row.seq).filter(|_| rows.len() == PARKED_ROWS);
        self.stage = last.map_or(Stage::Stock { after: 0 }, |after| Stage::Parked { after });
        BooksPart::Parked(rows)
    }

    /// Stock came.
    pub(super) fn stock(&mut self, rows: Vec<(ProductId, Option<i64>)>) -> BooksPart {
        let last = rows.last().map(|(id, _)| id.get()).filter(|_| rows.len() == STOCK_ROWS);
        self.stage = match last {
            Some(after) => Stage::Stock { after },
            None if self.first_order == u64::MAX => Stage::Ended,
            None => Stage::Stretch { first: self.first_order },
        };
        BooksPart::Stock(rows)
    }

    /// It is known where the stretch after the next one begins.
    pub(super) fn stretch(&mut self, next: Option<u64>) {
        if let Stage::Stretch { first } = self.stage {
            self.stage = Stage::Sums { first, next, ledger: Some(Ledger::Orders) };
        }
    }

    /// Sums came.
    pub(super) fn sums(&mut self, rows: Vec<(Account, Amounts)>) -> BooksPart {
        if let Stage::Sums { first, next, ledger } = self.stage {
            self.stage = match (ledger, next) {
                (Some(Ledger::Orders), _) => Stage::Sums { first, next, ledger: Some(Ledger::Shares) },
                (Some(Ledger::Shares), _) => Stage::Sums { first, next, ledger: Some(Ledger::Lines) },
                (_, Some(next)) => Stage::Stretch { first: next },
                (_, None) => Stage::Ended,
            };
        }
        BooksPart::Sums(rows)
    }
}

fn stock(after: u64) -> Query<(ProductId, Option<i64>)> {
    // Each side is cut by itself, so that both are read by their keys, however many there are.
    let page = |table: &str, more: &str| {
        format!("SELECT id, stock FROM {table} WHERE id > {after}{more} ORDER BY id LIMIT {STOCK_ROWS}")
    };
    let products = page("products", "");
    let parked =
        page("parked_stock", " AND NOT EXISTS (SELECT 1 FROM products p WHERE p.id = parked_stock.id)");
    let sql = format!(
        "SELECT id, stock FROM ({products}) known UNION ALL SELECT id, stock FROM ({parked}) parked \
         ORDER BY id LIMIT {STOCK_ROWS}"
    );
    Query { sql, decode: Box::new(decode::books::stock) }
}

/// By the primary key, whatever gaps there are.
fn stretch(first: u64) -> Query<u64> {
    let sql =
        format!("SELECT id FROM orders WHERE id >= {first} ORDER BY id LIMIT 1 OFFSET {ORDERS_AT_ONCE}");
    Query { sql, decode: Box::new(decode::number) }
}

fn sums(ledger: Ledger, first: u64, next: Option<u64>) -> Query<(Account, Amounts)> {
    let (seller, amounts, parts) = match ledger {
        Ledger::Orders => (
            "NULL",
            "COUNT(*), SUM(o.subtotal), SUM(o.discount), SUM(o.shipping), SUM(o.tax), SUM(o.total)",
            "",
        ),
        Ledger::Shares => (
            "s.seller_id",
            "COUNT(*), SUM(s.subtotal), SUM(s.commission), SUM(s.payout)",
            " JOIN seller_orders s ON s.order_id = o.id",
        ),
        Ledger::Lines => (
            "i.seller_id",
            "COUNT(*), SUM(i.quantity), SUM(i.discount), SUM(i.line_total)",
            " JOIN order_items i ON i.order_id = o.id",
        ),
    };
    let below = next.map_or_else(String::new, |next| format!(" AND o.id < {next}"));
    let sql = format!(
        "SELECT SUBSTR(o.created_at, 1, 10) AS day, o.currency, {seller} AS seller, {amounts} FROM orders o{parts} \
         WHERE o.id >= {first}{below} GROUP BY day, o.currency, seller"
    );
    Query { sql, decode: Box::new(move |row| decode::books::sums(row, ledger)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_there_and_back() {
        for (text, day) in [("1970-01-01", 0), ("2026-11-23", 20_780), ("1969-12-31", -1)] {
            assert_eq!(Day::parse(text), Some(Day(day)), "{text}");
            assert_eq!(Day(day).to_string(), text);
        }
        assert_eq!(Day::of(Timestamp(1_795_428_000_123)), Day(20_780));
        assert_eq!(Day::parse("2026-13-01"), None);
    }

    #[test]
    fn every_ledger_has_room_for_its_amounts() {
        for ledger in [Ledger::Orders, Ledger::Shares, Ledger::Lines] {
            assert!(ledger.amounts().len() <= AMOUNTS_MAX, "{ledger:?}");
        }
    }
}
