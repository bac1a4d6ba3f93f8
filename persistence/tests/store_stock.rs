//! The store's stock moves by deltas, for products that exist and are counted; outside of that it is left alone.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use std::sync::Arc;
use store_fixtures::*;

on_both!(stock_folds_as_a_table, stock_leaves_updated_at_alone, many_products_move_at_once);

async fn stock_of(store: &Arc<dyn Store>, id: u64) -> Option<Option<i64>> {
    let page = store.products_by_id(&[ProductId(id)]).await.unwrap();
    page.products.first().map(|row| row.stock)
}

async fn stock_folds_as_a_table(bed: &Bed) {
    let store = bed.ready().await;
    let taking = |id, product, quantity| {
        placed(OrderPlaced { lines: vec![line(1, product, 3, quantity)], ..order(id) })
    };
    let uncounted = |id, product| {
        let line = OrderLine { stock_taken: 0, ..line(1, product, 3, 2) };
        placed(OrderPlaced { lines: vec![line], ..order(id) })
    };
    let counted = |quantity| put(product(7), StockChange::Counted(quantity));
    let mut from = 0;
    for (events, expected) in [
        (vec![put(product(7), StockChange::Unchanged)], Some(None)),
        (vec![uncounted(1, 7)], Some(None)),
        (vec![adjust(7, 5)], Some(None)),
        (vec![counted(10)], Some(Some(10))),
        (vec![taking(2, 7, 3), adjust(7, 1), taking(3, 7, 2)], Some(Some(6))),
        (vec![put(product(7), StockChange::Delta(-6))], Some(Some(0))),
        (vec![taking(4, 7, 2), counted(100), taking(5, 7, 4)], Some(Some(96))),
        (vec![put(product(7), StockChange::Unchanged)], Some(Some(96))),
        (vec![adjust(7, -96), adjust(7, 9)], Some(Some(9))),
        (vec![counted(0)], Some(Some(0))),
    ] {
        let text = format!("{events:?}");
        let batch = batch(from, events);
        from = batch.to;
        store.apply(&batch).await.unwrap();
        assert_eq!(stock_of(store, 7).await, expected, "{text}");
    }
    // A delta does not make a product.
    store.apply(&batch(from, [adjust(99, 5), taking(6, 98, 1)])).await.unwrap();
    assert_eq!((stock_of(store, 98).await, stock_of(store, 99).await), (None, None));
    assert_eq!(store.product_count().await.unwrap(), 1);
}

async fn stock_leaves_updated_at_alone(bed: &Bed) {
    let store = bed.ready().await;
    let terms = [put(product(7), StockChange::Counted(10)), put(product(8), StockChange::Unchanged)];
    store.apply(&batch(0, terms)).await.unwrap();
    store.apply(&batch(2, [adjust(7, 5), placed(order(1))])).await.unwrap();
    store.apply(&batch(4, [put(product(8), StockChange::Counted(1))])).await.unwrap();
    for (since, expected) in [(0, vec![7, 8]), (1, vec![7, 8]), (2, vec![8]), (5, vec![8]), (6, vec![])] {
        let page = store.products_changed(at(since), 0, 9).await.unwrap();
        let ids: Vec<u64> = page.products.iter().map(|row| row.product.id.get()).collect();
        assert_eq!((page.as_of_seq, ids), (5, expected), "since {since}");
    }
    let page = store.products_changed(at(1), 7, 9).await.unwrap();
    assert_eq!(page.products.len(), 1);
}

async fn many_products_move_at_once(bed: &Bed) {
    let store = bed.ready().await;
    let all = 1..=6000_u64;
    store.apply(&batch(0, all.clone().map(|id| put(product(id), StockChange::Counted(100))))).await.unwrap();
    let deltas = all.clone().map(|id| adjust(id, i64::try_from(id % 7).unwrap() - 3));
    store.apply(&batch(6000, deltas)).await.unwrap();
    let page = store.products_page(0, 10_000).await.unwrap();
    let found: Vec<_> = page.products.iter().map(|row| (row.product.id.get(), row.stock)).collect();
    let expected: Vec<_> = all.map(|id| (id, Some(97 + i64::try_from(id % 7).unwrap()))).collect();
    assert_eq!(found, expected);
}
