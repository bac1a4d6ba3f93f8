//! The books, in one snapshot.

use super::StoreError;
use super::reads::{as_of_seq, rows, snapshot};
use crate::model::OrderId;
use crate::store::books::{BooksPart, BooksStep, BooksWalk};
use crate::store::snapshot::unwanted;
use rusqlite::Connection;
use tokio::sync::mpsc::Sender;

/// Hands over all parts. While it lasts, the write-ahead log cannot be folded back into the file.
pub fn read(
    connection: &mut Connection,
    first_order: Option<OrderId>,
    parts: &Sender<BooksPart>,
) -> Result<(), StoreError> {
    snapshot(connection, |snapshot| {
        let hand_over = |part| parts.blocking_send(part).map_err(|_| unwanted());
        hand_over(BooksPart::AsOf(as_of_seq(snapshot)?))?;
        let mut walk = BooksWalk::new(first_order);
        while let Some(step) = walk.next() {
            match step {
                BooksStep::Parked(query) => hand_over(walk.parked(rows(snapshot, &query)?))?,
                BooksStep::Stock(query) => hand_over(walk.stock(rows(snapshot, &query)?))?,
                BooksStep::Stretch(query) => walk.stretch(rows(snapshot, &query)?.into_iter().next()),
                BooksStep::Sums(query) => hand_over(walk.sums(rows(snapshot, &query)?))?,
            }
        }
        Ok(())
    })
}
