//! The books, in one snapshot.

use super::StoreError;
use super::connect::{Role, Server};
use super::lease::BEGIN_SNAPSHOT;
use crate::model::OrderId;
use crate::store::books::{BooksPart, BooksStep, BooksWalk};
use crate::store::snapshot::unwanted;
use tokio::sync::mpsc::Sender;

/// Hands over all parts, on a session beside the pool. While it lasts, the server keeps the old versions of what is
/// changed meanwhile.
pub async fn read(
    server: &Server,
    first_order: Option<OrderId>,
    parts: Sender<BooksPart>,
) -> Result<(), StoreError> {
    let mut session = server.connect(Role::Reader).await?;
    session.execute(BEGIN_SNAPSHOT).await?;
    let hand_over = async |part| parts.send(part).await.map_err(|_| unwanted());
    hand_over(BooksPart::AsOf(session.checkpoint().await?.seq)).await?;
    let mut walk = BooksWalk::new(first_order);
    while let Some(step) = walk.next() {
        match step {
            BooksStep::Parked(query) => hand_over(walk.parked(session.rows(&query).await?)).await?,
            BooksStep::Stock(query) => hand_over(walk.stock(session.rows(&query).await?)).await?,
            BooksStep::Stretch(query) => walk.stretch(session.first(&query).await?),
            BooksStep::Sums(query) => hand_over(walk.sums(session.rows(&query).await?)).await?,
        }
    }
    session.leave().await;
    Ok(())
}
