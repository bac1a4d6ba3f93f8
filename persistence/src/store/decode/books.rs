//! Rows of the books.

use super::{Cell, Row, signed, text, unsigned};
use crate::model::{Currency, ProductId, SellerId};
use crate::store::StoreError;
use crate::store::books::{AMOUNTS_MAX, Account, Amounts, Day, Ledger};

/// A product and its counted stock.
pub fn stock(row: &mut Row<'_>) -> Result<(ProductId, Option<i64>), StoreError> {
    Ok((ProductId(row.take(unsigned)?), row.optional(signed)?))
}

/// An account and its amounts.
pub fn sums(row: &mut Row<'_>, ledger: Ledger) -> Result<(Account, Amounts), StoreError> {
    let day = row.take(|cell| Day::parse(text(cell)?))?;
    let currency = row.name(Currency::new)?;
    let seller_id = row.optional(unsigned)?.map(SellerId);
    let mut amounts = [0; AMOUNTS_MAX];
    for amount in amounts.iter_mut().take(ledger.amounts().len()) {
        *amount = row.take(wide)?;
    }
    Ok((Account { ledger, day, currency, seller_id }, amounts))
}

/// A sum: a number, or (in MySQL) a decimal of more digits than a number has.
fn wide(cell: Cell<'_>) -> Option<i128> {
    match cell {
        Cell::Signed(value) => Some(value.into()),
        Cell::Unsigned(value) => Some(value.into()),
        Cell::Bytes(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        Cell::Null => None,
    }
}
