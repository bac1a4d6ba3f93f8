//! The whole catalogue is read as of one moment, whatever is written meanwhile.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use std::sync::Arc;
use store_fixtures::*;
use tokio::sync::mpsc;

on_both!(
    all_of_it_comes_as_of_one_checkpoint,
    an_empty_store_gives_one_empty_part,
    a_reader_that_goes_away_ends_it,
);

const PRODUCTS: u64 = 12_001;
const SELLERS: u64 = 5_000;

fn catalogue() -> impl Iterator<Item = Event> {
    let seller = |id| {
        let (name, city) = ("Seller".into(), "Town".into());
        Event::SellerPut(Box::new(Seller { id: SellerId(id), name, city, commission_bps: 1, active: true }))
    };
    (1..=SELLERS).map(seller).chain((1..=PRODUCTS).map(|id| put(product(id), StockChange::Counted(10))))
}

async fn all_of_it_comes_as_of_one_checkpoint(bed: &Bed) {
    let store = bed.ready().await;
    store.apply(&batch(0, catalogue())).await.unwrap();
    let (chunks, mut received) = mpsc::channel(1);
    let reading = Arc::clone(store);
    let reading = tokio::spawn(async move { reading.catalogue_snapshot(chunks).await });
    let first = received.recv().await.unwrap();
    // The snapshot has begun: what is written now is not in it.
    let seq = PRODUCTS + SELLERS;
    store.apply(&batch(seq, (1..=PRODUCTS).map(|id| adjust(id, -1)))).await.unwrap();
    let (mut sellers, mut products) = (first.sellers, first.products);
    while let Some(mut part) = received.recv().await {
        assert_eq!(part.as_of_seq, first.as_of_seq);
        sellers.append(&mut part.sellers);
        products.append(&mut part.products);
    }
    reading.await.unwrap().unwrap();
    assert_eq!(first.as_of_seq, seq);
    assert!(sellers.iter().map(|seller| seller.id.get()).eq(1..=SELLERS));
    assert!(products.iter().map(|row| row.product.id.get()).eq(1..=PRODUCTS));
    assert!(products.iter().all(|row| row.stock == Some(10)));
    assert_eq!(store.products_page(0, 1).await.unwrap().products[0].stock, Some(9));
}

async fn an_empty_store_gives_one_empty_part(bed: &Bed) {
    let (chunks, mut received) = mpsc::channel(8);
    bed.store.catalogue_snapshot(chunks).await.unwrap();
    let mut parts = 0;
    while let Some(part) = received.recv().await {
        assert_eq!(part, CatalogueChunk::default());
        parts += 1;
    }
    assert!(parts > 0);
}

async fn a_reader_that_goes_away_ends_it(bed: &Bed) {
    let (chunks, received) = mpsc::channel(1);
    drop(received);
    assert_eq!(outcome(&bed.store.catalogue_snapshot(chunks).await), "unavailable");
    assert_eq!(bed.store.pool().in_use, 0);
}
