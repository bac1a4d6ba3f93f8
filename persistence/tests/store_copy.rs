//! `store copy`: everything arrives equal, and an interrupted copy is nobody's until it is begun again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use std::collections::BTreeMap;
use store_fixtures::*;

/// More than a page of lines, of which some orders have many.
async fn fill(store: &dyn Store) {
    let orders = (1..=900).map(|id| OrderPlaced {
        lines: (1..=(1 + u16::try_from(id % 7).unwrap())).map(|n| line(n, 7, 3, 1)).collect(),
        city: Some("It's \\ 🎈".into()),
        idempotency: (id % 2 == 0).then(|| claim(id)),
        ..order(id)
    });
    let catalogue = (1..=9)
        .map(|id| put(product(id), if id == 7 { StockChange::Counted(9) } else { StockChange::Unchanged }));
    let seller = Seller {
        id: SellerId(3),
        name: "Ada".into(),
        city: "Campinas".into(),
        commission_bps: 1000,
        active: true,
    };
    let events =
        catalogue.chain([Event::SellerPut(Box::new(seller)), adjust(7, -1)]).chain(orders.map(placed));
    store.apply(&batch(0, events)).await.unwrap();
}

async fn everything(store: &dyn Store) -> String {
    let orders = OrderFilter { limit: 10_000, ..OrderFilter::default() };
    let mut history = Vec::new();
    for id in [1, 450, 900] {
        history.push(store.order_events(OrderId(id)).await.unwrap());
    }
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{history:?}\n{:?}",
        store.state().await.unwrap(),
        store.products_changed(at(0), 0, 10_000).await.unwrap(),
        store.products_changed(at(5), 0, 10_000).await.unwrap(),
        store.sellers_page(0, 10_000).await.unwrap(),
        store.orders(&orders).await.unwrap(),
        store.keys(u64::MAX, 10_000).await.unwrap(),
        store.open_orders(0, 10_000).await.unwrap(),
        store.counters().await.unwrap(),
        store.stock_adjustment(11).await.unwrap(),
    )
}

#[tokio::test]
async fn a_copy_is_equal_in_both_directions() {
    let (first, second, third) = (Bed::sqlite().await, Bed::mariadb().await, Bed::sqlite().await);
    fill(&**first.ready().await).await;
    let mut rows = BTreeMap::new();
    let mut progress = |now: CopyProgress| {
        rows.insert(now.table, now.rows);
    };
    copy(&*first.store, &*second.store, &mut progress).await.unwrap();
    copy(&*second.store, &*third.store, &mut progress).await.unwrap();
    assert_eq!((rows["orders"], rows["products"], rows["stock_adjustments"]), (900, 9, 1));
    let expected = everything(&*first.store).await;
    assert!(expected.len() > 100_000);
    for copied in [&second, &third] {
        assert_eq!(everything(&*copied.store).await, expected);
        // It goes on where the first one was left.
        copied.store.take_over(NODE, EPOCH + 1).await.unwrap();
        let next = WriteBatch { epoch: EPOCH + 1, ..batch(911, [placed(order(901))]) };
        copied.store.apply(&next).await.unwrap();
    }
}

#[tokio::test]
async fn an_interrupted_copy_is_nobodys_and_starts_over() {
    let source = Bed::sqlite().await;
    fill(&**source.ready().await).await;
    for target in [Bed::sqlite().await, Bed::mariadb().await] {
        let mut stop_at_lines = |now: CopyProgress| {
            assert!(now.table != "order_items" || now.rows == 0, "interrupted");
        };
        let interrupted =
            std::panic::AssertUnwindSafe(copy(&*source.store, &*target.store, &mut stop_at_lines));
        let panicked = tokio::join!(catch(interrupted)).0;
        assert!(panicked, "the copy must have been interrupted");
        let state = target.store.state().await;
        assert_eq!(outcome(&state), "broken");
        assert!(state.unwrap_err().to_string().contains("store copy"));
        assert_eq!(outcome(&target.store.take_over(NODE, EPOCH + 1).await), "broken");
        copy(&*source.store, &*target.store, &mut |_| ()).await.unwrap();
        assert_eq!(everything(&*target.store).await, everything(&*source.store).await);
    }
}

/// Polls `future` to its end; whether it panicked on the way.
async fn catch<F: Future>(future: std::panic::AssertUnwindSafe<F>) -> bool {
    let mut future = Box::pin(future.0);
    std::future::poll_fn(|context| {
        let poll = std::panic::AssertUnwindSafe(|| future.as_mut().poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
            Ok(std::task::Poll::Ready(_)) => std::task::Poll::Ready(false),
            Err(_) => std::task::Poll::Ready(true),
        }
    })
    .await
}

#[tokio::test]
async fn a_copy_overwrites_nothing() {
    let (source, used) = (Bed::sqlite().await, Bed::sqlite().await);
    assert_eq!(outcome(&copy(&*source.store, &*used.store, &mut |_| ()).await), "configuration");
    source.ready().await;
    used.ready().await;
    assert_eq!(outcome(&copy(&*source.store, &*used.store, &mut |_| ()).await), "configuration");
    assert_eq!(used.store.state().await.unwrap().node, Some(NODE));
}
