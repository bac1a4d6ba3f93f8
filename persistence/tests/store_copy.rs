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
    store.apply(&batch(911, life_of_order_1().into_iter().chain(terms()))).await.unwrap();
}

/// The last sequence of what `fill` writes.
const FILLED: u64 = 911 + 11;

/// Paid, to be refunded, with a referrer, digital goods, a courier and a mail that fails.
fn life_of_order_1() -> [Event; 5] {
    let placed = order(1);
    let stray = StrayPayment {
        payment_id: "pay_2".into(),
        amount: Money(2700),
        currency: placed.currency,
        refund: 1,
        refunded: false,
    };
    let after = OrderLife { stray_payments: vec![stray.clone()], ..OrderLife::placed(&placed, at(12)) };
    let changed = OrderChanged {
        order_id: OrderId(1),
        currency: placed.currency,
        change: OrderChange::StrayPayment(Box::new(stray)),
        after,
        stock: Vec::new(),
        coupon: Some(CouponReturn { code: "TEN".into(), customer_id: CustomerId(42) }),
        ledger: vec![LedgerEntry { seller_id: SellerId(3), bucket: Bucket::Earned, amount: Money(5) }],
        referral: Some(ReferralMove {
            code: "R-1".into(),
            customer_id: CustomerId(78),
            from: Bucket::Pending,
            to: Bucket::Earned,
            amount: Money(5),
        }),
        idempotency: None,
        callback: Some([0x5c; 16]),
    };
    let good = DigitalGood {
        line: 1,
        product_id: ProductId(8),
        units: 1,
        licence_keys: vec!["it's \\".into()],
        waiting: 0,
        expires_at: at(9),
    };
    let (order_id, cause) = (OrderId(1), 912);
    let key = EffectKey { cause, kind: EffectKind::Mail, receiver: "paid".into() };
    let (subject, outcome) = ("paid".into(), EffectOutcome::Failed { error: "550 🎈".into() });
    let (digital, city) = (DigitalChange::Delivered(vec![good]), "são paulo".into());
    let courier = CourierChange::Assigned(CourierId(4));
    let tried = EffectTried { key, order_id: Some(order_id), subject, attempts: 9, outcome };
    [
        Event::OrderChanged(std::sync::Arc::new(changed)),
        Event::DigitalChanged(Box::new(DigitalChanged { order_id, cause, change: digital })),
        Event::CourierChanged(Box::new(CourierChanged { order_id, cause, city, change: courier })),
        Event::EffectTried(Box::new(tried)),
        Event::EngineStarted { epoch: EPOCH },
    ]
}

fn terms() -> [Event; 6] {
    let currency = order(1).currency;
    let coupon = Coupon {
        code: "TEN".into(),
        value: CouponValue::Fixed(Money(5)),
        currency,
        seller_id: None,
        starts_at: Some(at(1)),
        ends_at: None,
        max_uses: Some(9),
        max_uses_per_customer: None,
        min_subtotal: None,
    };
    let (city, price): (Box<str>, _) = ("*".into(), Money(5));
    let owner = ReferralCode { code: "R-1".into(), customer_id: CustomerId(78), active: true };
    let courier =
        Courier { id: CourierId(4), name: "Ana".into(), city: city.clone(), capacity: 2, active: true };
    [
        Event::CouponPut(Box::new(coupon)),
        Event::ShippingPut(Box::new(ShippingRate { city: city.clone(), price, currency, free_over: None })),
        Event::TaxPut(Box::new(TaxRate { city, rate_bps: 7 })),
        Event::ReferralPut(Box::new(owner)),
        Event::CourierPut(Box::new(courier)),
        Event::LicencePut(Box::new(Licence { product_id: ProductId(8), key: "free".into() })),
    ]
}

async fn life(store: &dyn Store) -> String {
    let (reads, id) = (store.life().unwrap(), OrderId(1));
    let money = (
        reads.payments(id).await.unwrap(),
        reads.refunds(id).await.unwrap(),
        reads.seller_ledger(SellerId(3), u64::MAX, 9).await.unwrap(),
        reads.referral_totals(CustomerId(78)).await.unwrap(),
        reads.callbacks(u64::MAX, 9).await.unwrap(),
    );
    let terms = (
        reads.coupons().await.unwrap(),
        reads.coupon_uses().await.unwrap(),
        reads.shipping().await.unwrap(),
        reads.taxes().await.unwrap(),
        reads.referrals().await.unwrap(),
        reads.couriers().await.unwrap(),
    );
    let effects = (
        reads.assignments(0, 9).await.unwrap(),
        reads.free_licences(0, 9).await.unwrap(),
        reads.licences_of(id).await.unwrap(),
        reads.digital_goods(id).await.unwrap(),
        reads.effects("failed", 0, 9).await.unwrap(),
    );
    format!("{money:?}\n{terms:?}\n{effects:?}")
}

async fn everything(store: &dyn Store) -> String {
    let orders = OrderFilter { limit: 10_000, ..OrderFilter::default() };
    let mut history = Vec::new();
    for id in [1, 450, 900] {
        history.push(store.order_events(OrderId(id)).await.unwrap());
    }
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{history:?}\n{:?}\n{}",
        store.state().await.unwrap(),
        store.products_changed(at(0), 0, 10_000).await.unwrap(),
        store.products_changed(at(5), 0, 10_000).await.unwrap(),
        store.sellers_page(0, 10_000).await.unwrap(),
        store.orders(&orders).await.unwrap(),
        store.keys(u64::MAX, 10_000).await.unwrap(),
        store.open_orders(0, 10_000).await.unwrap(),
        store.counters().await.unwrap(),
        store.stock_adjustment(11).await.unwrap(),
        life(store).await,
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
    let empty: Vec<_> = rows.iter().filter(|(_, rows)| **rows == 0).map(|(table, _)| *table).collect();
    assert_eq!(empty, ["parked_events", "parked_stock"], "every other table has rows to copy");
    let expected = everything(&*first.store).await;
    assert!(expected.len() > 100_000);
    for copied in [&second, &third] {
        assert_eq!(everything(&*copied.store).await, expected);
        // It goes on where the first one was left.
        copied.store.take_over(NODE, EPOCH + 1).await.unwrap();
        let next = WriteBatch { epoch: EPOCH + 1, ..batch(FILLED, [placed(order(901))]) };
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
