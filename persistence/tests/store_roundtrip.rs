//! What a batch writes is read back equal to what was journalled, in both stores.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use std::sync::Arc;
use store_fixtures::*;

on_both!(
    an_order_comes_back_equal,
    the_catalogue_comes_back_equal,
    an_adjustment_comes_back_equal,
    numbers_round_trip_to_their_ends,
    the_timer_runs_only_for_orders_that_wait,
);

const NASTY: &str = "it's \"quoted\" \\ back\\slash '' % _ ; -- 日本 🎈 é\u{301}\r\n\t\u{1a}";

fn full_order(id: u64) -> OrderPlaced {
    OrderPlaced {
        status: OrderStatus::Confirmed,
        customer_id: CustomerId(ID_MAX),
        city: Some("  São Paulo\\'".into()),
        email: Some("ada@example.com".into()),
        lines: vec![
            OrderLine { name: "é".repeat(255).into(), stock_taken: 0, ..line(1, ID_MAX, 9, 10_000) },
            OrderLine { name: NASTY.into(), digital: true, ..line(2, 8, 3, 1) },
            OrderLine { discount: Money(100), line_total: Money(900), ..line(3, 7, 9, 1) },
        ],
        sellers: vec![share(9), share(3)],
        subtotal: Money(i64::MAX),
        discount: Money(0),
        shipping: Money(-1),
        tax: Money(i64::MIN),
        coupon: Some("SPRING-10_x.y".into()),
        referral_code: Some("R-77".into()),
        referral: Some(Referral { customer_id: CustomerId(ID_MAX), amount: Money(i64::MAX) }),
        delivery: Some(r#"{"name":"O'Neill \"Ada\" \\","note":"🎈"}"#.into()),
        payment_method: PaymentMethod::CashOnDelivery,
        expires_at: None,
        idempotency: Some(claim(id)),
        ..order(id)
    }
}

async fn an_order_comes_back_equal(bed: &Bed) {
    let store = bed.ready().await;
    let orders = [full_order(1), order(2), full_order(ID_MAX)];
    store.apply(&batch(0, orders.clone().map(placed))).await.unwrap();
    for (index, order) in orders.into_iter().enumerate() {
        let seq = index as u64 + 1;
        let id = order.order_id;
        let status = order.status;
        let life = OrderLife::placed(&order, at(seq));
        let lines: Vec<HistoryKind> = HistoryKind::of(&placed(order.clone())).collect();
        let expected = StoredOrder { placed: order, seq, at: at(seq), status, last_seq: seq, life };
        assert_eq!(store.order(id).await.unwrap(), Some(expected));
        let history =
            lines.into_iter().map(|kind| EventRow { order_id: id, seq, kind, at: at(seq), data: None });
        assert_eq!(store.order_events(id).await.unwrap(), history.collect::<Vec<_>>());
    }
    assert_eq!(store.order(OrderId(99)).await.unwrap(), None);
    assert_eq!(store.order_events(OrderId(99)).await.unwrap(), []);
}

async fn the_catalogue_comes_back_equal(bed: &Bed) {
    let store = bed.ready().await;
    let full = Product {
        name: NASTY.into(),
        price: Money(i64::MAX),
        digital: true,
        active: false,
        max_per_order: Some(10_000),
        download_path: Some("a/b c'\\.zip".into()),
        ..product(ID_MAX)
    };
    let seller = Seller {
        id: SellerId(3),
        name: NASTY.into(),
        city: "Campinas".into(),
        commission_bps: 10_000,
        active: false,
    };
    let events = [
        put(product(7), StockChange::Counted(5)),
        put(full.clone(), StockChange::Unchanged),
        Event::SellerPut(Box::new(Seller { active: true, ..seller.clone() })),
        Event::SellerPut(Box::new(seller.clone())),
    ];
    store.apply(&batch(0, events)).await.unwrap();
    let rows =
        [ProductRow { product: product(7), stock: Some(5) }, ProductRow { product: full, stock: None }];
    let page = store.products_page(0, 10).await.unwrap();
    assert_eq!(page, CataloguePage { as_of_seq: 4, products: rows.to_vec() });
    let named = store.products_by_id(&[ProductId(9), ProductId(ID_MAX)]).await.unwrap();
    assert_eq!(named.products, rows[1..]);
    assert_eq!(store.products_by_id(&[]).await.unwrap().products, []);
    assert_eq!(store.product_count().await.unwrap(), 2);
    let sellers = SellerPage { as_of_seq: 4, sellers: vec![seller.clone()] };
    assert_eq!(store.sellers_page(0, 10).await.unwrap(), sellers);
    assert_eq!(store.sellers_by_id(&[SellerId(3), SellerId(4)]).await.unwrap(), sellers);
    assert_eq!(store.sellers_page(3, 10).await.unwrap().sellers, []);
    // New terms replace the old ones and leave the stock alone.
    let renamed = Product { name: "Pot".into(), ..product(7) };
    store.apply(&batch(4, [put(renamed.clone(), StockChange::Delta(-2))])).await.unwrap();
    let row = ProductRow { product: renamed, stock: Some(3) };
    assert_eq!(store.products_page(0, 1).await.unwrap().products, [row]);
}

async fn an_adjustment_comes_back_equal(bed: &Bed) {
    let store = bed.ready().await;
    let adjusted =
        StockAdjusted { product_id: ProductId(7), delta: -5, reason: NASTY.into(), idempotency: None };
    let events = [adjust(7, i64::MAX - 5), Event::StockAdjusted(Box::new(adjusted))];
    let journalled = records(0, events.clone());
    store.apply(&batch(0, events)).await.unwrap();
    for record in journalled {
        assert_eq!(store.stock_adjustment(record.seq).await.unwrap(), Some(record));
    }
    assert_eq!(store.stock_adjustment(3).await.unwrap(), None);
}

async fn numbers_round_trip_to_their_ends(bed: &Bed) {
    let store = bed.ready().await;
    assert_eq!(store.state().await.unwrap().node, Some(NODE));
    let mut counting = batch(0, [Event::EngineStarted { epoch: EPOCH }]);
    counting.counters.insert("invoice:INV-2026".to_owned(), u64::MAX);
    counting.counters.insert(ORDER_ID_COUNTER.to_owned(), ID_MAX);
    store.apply(&counting).await.unwrap();
    assert_eq!(store.counters().await.unwrap(), counting.counters);
    store.apply(&batch(1, [placed(order(5)), placed(order(6))])).await.unwrap();
    let counters = store.counters().await.unwrap();
    assert_eq!(counters.into_values().collect::<Vec<_>>(), [6, 6]);
}

async fn the_timer_runs_only_for_orders_that_wait(bed: &Bed) {
    let store = bed.ready().await;
    let statuses = [OrderStatus::PendingPayment, OrderStatus::Confirmed, OrderStatus::Paid];
    let orders = (1..=9).map(|id| OrderPlaced {
        status: statuses[usize::try_from(id).unwrap() % 3],
        expires_at: (id != 6).then_some(Timestamp(NOON + i64::try_from(id).unwrap())),
        ..order(id)
    });
    store.apply(&batch(0, orders.map(placed))).await.unwrap();
    let open = store.open_orders(0, 10).await.unwrap();
    let expected = [3, 9].map(|id| OpenOrder {
        order_id: OrderId(id),
        status: OrderStatus::PendingPayment,
        timer_at: Timestamp(NOON + i64::try_from(id).unwrap()),
    });
    assert_eq!(open, expected);
    assert_eq!(store.open_orders(0, 1).await.unwrap(), expected[..1]);
    assert_eq!(store.open_orders(3, 10).await.unwrap(), expected[1..]);
}

#[tokio::test]
async fn a_dropped_call_leaves_a_store_that_works() {
    for bed in [Bed::sqlite().await, Bed::mariadb().await] {
        let store = Arc::clone(bed.ready().await);
        let first = batch(0, (1..=200).map(|id| placed(order(id))));
        for patience_us in [0, 100, 1000, 5000] {
            let limit = std::time::Duration::from_micros(patience_us);
            // Whether it was in time does not matter: the batch is written once in any case.
            drop(tokio::time::timeout(limit, store.apply(&first)).await);
            drop(tokio::time::timeout(limit, store.orders(&OrderFilter::default())).await);
        }
        store.apply(&first).await.unwrap();
        let all = store.orders(&OrderFilter { limit: 1000, ..OrderFilter::default() }).await.unwrap();
        assert_eq!((all.as_of_seq, all.orders.len()), (200, 200));
    }
}
