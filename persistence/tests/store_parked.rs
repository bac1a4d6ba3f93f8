//! A parked event lies in its table whole, its stock applied; a retry writes its rows once and nothing else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::journal::{record_bytes, record_from_bytes};
use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use store_fixtures::*;

on_both!(
    a_parked_event_leaves_its_rows_out_and_moves_everything_else,
    a_retry_writes_the_rows_once,
    a_retry_that_is_refused_changes_nothing,
    a_retry_of_a_fenced_engine_changes_nothing,
    the_stock_of_a_parked_new_product_is_kept,
    a_parked_change_of_a_known_product_keeps_its_stock,
);

fn row(record: &Record) -> ParkedRow {
    ParkedRow {
        seq: record.seq,
        order_id: record.event.order_id(),
        reason: "é'\\ too long".into(),
        event: record_bytes(record).unwrap().into(),
        parked_at: at(99),
    }
}

/// Five pieces of product 7; order 1 takes two; order 2, which takes two, is parked.
async fn parked_order(store: &dyn Store, order_2: OrderPlaced) -> Record {
    store.apply(&batch(0, [put(product(7), StockChange::Counted(5))])).await.unwrap();
    let records = records(1, [placed(order(1)), placed(order_2)]);
    let mut batch = WriteBatch::new(1, EPOCH);
    batch.push(&records[0]);
    batch.park(&records[1], row(&records[1]));
    store.apply(&batch).await.unwrap();
    records[1].clone()
}

fn keyed() -> OrderPlaced {
    OrderPlaced { idempotency: Some(claim(2)), ..order(2) }
}

fn retry(record: &Record) -> WriteBatch {
    let mut batch = WriteBatch::new(3, EPOCH);
    batch.unpark(record);
    batch
}

async fn stock(store: &dyn Store) -> Option<i64> {
    store.products_by_id(&[ProductId(7)]).await.unwrap().products[0].stock
}

async fn a_parked_event_leaves_its_rows_out_and_moves_everything_else(bed: &Bed) {
    let store = bed.ready().await;
    let record = parked_order(&**store, keyed()).await;
    let parked = store.parked(0, 10).await.unwrap();
    assert_eq!(parked, [row(&record)]);
    assert_eq!(record_from_bytes(3, &parked[0].event), Some(record));
    assert_eq!(store.parked(3, 10).await.unwrap(), []);
    assert_eq!(store.state().await.unwrap().checkpoint.seq, 3);
    assert_eq!(store.order(OrderId(2)).await.unwrap(), None);
    assert_eq!(store.order_events(OrderId(2)).await.unwrap(), []);
    assert_eq!(stock(&**store).await, Some(1), "both orders are taken off");
    assert_eq!(store.keys(9, 9).await.unwrap()[0].order_id, Some(OrderId(2)));
    assert_eq!(store.counters().await.unwrap()[ORDER_ID_COUNTER], 2);
}

async fn a_retry_writes_the_rows_once(bed: &Bed) {
    let store = bed.ready().await;
    let record = parked_order(&**store, keyed()).await;
    // The second one is what an engine does that never got the answer to its commit.
    for _ in 0..2 {
        store.apply(&retry(&record)).await.unwrap();
        assert_eq!(store.parked(0, 10).await.unwrap(), []);
        assert_eq!(store.order(OrderId(2)).await.unwrap().unwrap().placed, keyed());
        assert_eq!(store.order_events(OrderId(2)).await.unwrap().len(), 1);
        assert_eq!(stock(&**store).await, Some(1), "a retry touches no stock");
        assert_eq!(store.state().await.unwrap().checkpoint.seq, 3);
    }
    store.apply(&batch(3, [placed(order(3))])).await.unwrap();
}

async fn a_retry_that_is_refused_changes_nothing(bed: &Bed) {
    let store = bed.ready().await;
    let long = OrderPlaced { email: Some("x".repeat(255).into()), ..order(2) };
    let record = parked_order(&**store, long).await;
    assert_eq!(outcome(&store.apply(&retry(&record)).await), "refused");
    assert_eq!(store.parked(0, 10).await.unwrap(), [row(&record)]);
    assert_eq!(store.order(OrderId(2)).await.unwrap(), None);
}

async fn a_retry_of_a_fenced_engine_changes_nothing(bed: &Bed) {
    let store = bed.ready().await;
    let record = parked_order(&**store, keyed()).await;
    store.take_over(NODE, EPOCH + 1).await.unwrap();
    assert_eq!(outcome(&store.apply(&retry(&record)).await), "fenced");
    assert_eq!(store.parked(0, 10).await.unwrap(), [row(&record)]);
}

/// A product is parked; in the same batch and in later ones it is sold, and put again.
async fn the_stock_of_a_parked_new_product_is_kept(bed: &Bed) {
    let store = bed.ready().await;
    let records = records(
        0,
        [
            put(product(7), StockChange::Counted(5)),
            placed(order(1)),
            put(product(7), StockChange::Delta(10)),
            adjust(7, -1),
        ],
    );
    let mut first = WriteBatch::new(0, EPOCH);
    first.park(&records[0], row(&records[0]));
    first.push(&records[1]);
    store.apply(&first).await.unwrap();
    let mut second = WriteBatch::new(2, EPOCH);
    second.parked_products = [ProductId(7)].into();
    second.park(&records[2], row(&records[2]));
    second.push(&records[3]);
    store.apply(&second).await.unwrap();
    assert_eq!(store.product_count().await.unwrap(), 0);
    let mut retry = WriteBatch::new(4, EPOCH);
    retry.unpark(&records[0]);
    retry.unpark(&records[2]);
    for _ in 0..2 {
        store.apply(&retry).await.unwrap();
        assert_eq!(stock(&**store).await, Some(5 - 2 + 10 - 1));
    }
    store.apply(&batch(4, [adjust(7, -2)])).await.unwrap();
    assert_eq!(stock(&**store).await, Some(10));
}

/// Its row is there and has its stock; where counting begins while it is parked, both go together.
async fn a_parked_change_of_a_known_product_keeps_its_stock(bed: &Bed) {
    let store = bed.ready().await;
    store.apply(&batch(0, [put(product(7), StockChange::Unchanged)])).await.unwrap();
    let records = records(1, [put(product(7), StockChange::Counted(5)), placed(order(1))]);
    let mut parked = WriteBatch::new(1, EPOCH);
    parked.park(&records[0], row(&records[0]));
    parked.push(&records[1]);
    store.apply(&parked).await.unwrap();
    assert_eq!(stock(&**store).await, Some(3));
    let mut retry = WriteBatch::new(3, EPOCH);
    retry.unpark(&records[0]);
    store.apply(&retry).await.unwrap();
    assert_eq!(stock(&**store).await, Some(3));
}
