//! The terms, and what follows an order outside of the engine, are written to both stores and read back equal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use store_fixtures::*;

on_both!(
    terms_come_back_equal_and_are_replaced,
    a_licence_key_is_given_out_once,
    digital_goods_are_handed_out_and_taken_back,
    a_courier_is_assigned_and_free_again,
    effects_are_kept_until_they_are_done,
);

const NASTY: &str = "it's \"q\" \\ 日🎈";

fn brl() -> Currency {
    Currency::new("BRL").unwrap()
}

fn coupon(code: &str, value: CouponValue) -> Coupon {
    Coupon {
        code: code.into(),
        value,
        currency: brl(),
        seller_id: None,
        starts_at: None,
        ends_at: None,
        max_uses: None,
        max_uses_per_customer: None,
        min_subtotal: None,
    }
}

fn full_coupon() -> Coupon {
    Coupon {
        seller_id: Some(SellerId(ID_MAX)),
        starts_at: Some(at(1)),
        ends_at: Some(at(2)),
        max_uses: Some(3),
        max_uses_per_customer: Some(4),
        min_subtotal: Some(Money(i64::MAX)),
        ..coupon("TEN", CouponValue::Percent(1_000))
    }
}

fn shipping(city: &str, price: i64, free_over: Option<i64>) -> ShippingRate {
    ShippingRate { city: city.into(), price: Money(price), currency: brl(), free_over: free_over.map(Money) }
}

fn courier(name: &str) -> Courier {
    Courier { id: CourierId(4), name: name.into(), city: " São Paulo".into(), capacity: 6, active: true }
}

async fn terms_come_back_equal_and_are_replaced(bed: &Bed) {
    let store = bed.ready().await;
    let reads = store.life().unwrap();
    let five = coupon("five", CouponValue::Fixed(Money(500)));
    let code = |active| ReferralCode { code: "R-1".into(), customer_id: CustomerId(ID_MAX), active };
    let tax = |rate_bps| TaxRate { city: "Recife".into(), rate_bps };
    let events = [
        Event::CouponPut(Box::new(full_coupon())),
        Event::CouponPut(Box::new(coupon("five", CouponValue::Percent(1)))),
        Event::ShippingPut(Box::new(shipping("*", 900, Some(1)))),
        Event::ShippingPut(Box::new(shipping(" RECIFE ", 500, None))),
        Event::TaxPut(Box::new(tax(100))),
        Event::ReferralPut(Box::new(code(true))),
        Event::CourierPut(Box::new(courier("Ana"))),
    ];
    store.apply(&batch(0, events)).await.unwrap();
    assert_eq!(reads.coupons().await.unwrap()[0], full_coupon());
    let replaced = [
        Event::CouponPut(Box::new(five.clone())),
        Event::ShippingPut(Box::new(shipping("Recife", 600, Some(2)))),
        Event::TaxPut(Box::new(TaxRate { city: "recife  ".into(), rate_bps: 1 })),
        Event::TaxPut(Box::new(tax(200))),
        Event::ReferralPut(Box::new(code(false))),
        Event::CourierPut(Box::new(courier(NASTY))),
    ];
    store.apply(&batch(7, replaced)).await.unwrap();
    assert_eq!(reads.coupons().await.unwrap(), [full_coupon(), five]);
    let rates = [shipping("*", 900, Some(1)), shipping("Recife", 600, Some(2))];
    assert_eq!(reads.shipping().await.unwrap(), rates);
    assert_eq!(reads.taxes().await.unwrap(), [tax(200)]);
    assert_eq!(reads.referrals().await.unwrap(), [code(false)]);
    assert_eq!(reads.couriers().await.unwrap(), [courier(NASTY)]);
}

fn licence(key: &str) -> Event {
    Event::LicencePut(Box::new(Licence { product_id: ProductId(8), key: key.into() }))
}

fn good(keys: &[&str], waiting: u32) -> DigitalGood {
    DigitalGood {
        line: 2,
        product_id: ProductId(8),
        units: 3,
        licence_keys: keys.iter().map(|key| (*key).into()).collect(),
        waiting,
        expires_at: at(90),
    }
}

fn digital(change: DigitalChange) -> Event {
    Event::DigitalChanged(Box::new(DigitalChanged { order_id: OrderId(1), cause: 1, change }))
}

async fn a_licence_key_is_given_out_once(bed: &Bed) {
    let store = bed.ready().await;
    let reads = store.life().unwrap();
    store.apply(&batch(0, [licence("b"), licence("a"), licence(NASTY)])).await.unwrap();
    let row = |key: &str, seq| LicenceRow {
        product_id: ProductId(8),
        key: key.into(),
        seq,
        order_id: None,
        line: None,
        given_at: None,
    };
    let free = || reads.free_licences(0, 9);
    assert_eq!(free().await.unwrap(), [row("b", 1), row("a", 2), row(NASTY, 3)]);
    let given = [digital(DigitalChange::Waiting(vec![good(&["b", NASTY], 1)])), licence("c"), licence("b")];
    store.apply(&batch(3, given)).await.unwrap();
    assert_eq!(free().await.unwrap(), [row("a", 2), row("c", 5)], "put again, a given key stays given");
    assert_eq!(reads.free_licences(2, 1).await.unwrap(), [row("c", 5)]);
    let to_order = |key, seq| LicenceRow {
        order_id: Some(OrderId(1)),
        line: Some(2),
        given_at: Some(at(4)),
        ..row(key, seq)
    };
    assert_eq!(reads.licences_of(OrderId(1)).await.unwrap(), [to_order("b", 1), to_order(NASTY, 3)]);
    store.apply(&batch(6, [licence("b")])).await.unwrap();
    assert_eq!(reads.licences_of(OrderId(1)).await.unwrap().len(), 2, "later too");
}

async fn digital_goods_are_handed_out_and_taken_back(bed: &Bed) {
    let store = bed.ready().await;
    let reads = store.life().unwrap();
    let mut expected = DigitalRow {
        order_id: OrderId(1),
        line: 2,
        product_id: ProductId(8),
        units: 3,
        waiting: 1,
        downloads: 0,
        expires_at: at(90),
        delivered_at: None,
        revoked_at: None,
    };
    store.apply(&batch(0, [digital(DigitalChange::Waiting(vec![good(&[], 1)]))])).await.unwrap();
    assert_eq!(reads.digital_goods(OrderId(1)).await.unwrap(), [expected]);
    let downloaded = |downloads| digital(DigitalChange::Downloaded { line: 2, downloads });
    let events = [digital(DigitalChange::Delivered(vec![good(&["k"], 0)])), downloaded(1), downloaded(2)];
    store.apply(&batch(1, events)).await.unwrap();
    (expected.waiting, expected.delivered_at, expected.downloads) = (0, Some(at(2)), 2);
    assert_eq!(reads.digital_goods(OrderId(1)).await.unwrap(), [expected]);
    store.apply(&batch(4, [digital(DigitalChange::Revoked(vec![2]))])).await.unwrap();
    expected.revoked_at = Some(at(5));
    assert_eq!(reads.digital_goods(OrderId(1)).await.unwrap(), [expected]);
    let history = store.order_events(OrderId(1)).await.unwrap();
    let kinds: Vec<HistoryKind> = history.iter().map(|row| row.kind).collect();
    use HistoryKind::{DigitalDelivered, DigitalRevoked, DigitalWaiting};
    assert_eq!(kinds, [DigitalWaiting, DigitalDelivered, DigitalRevoked], "downloads are no history");
}

async fn a_courier_is_assigned_and_free_again(bed: &Bed) {
    let store = bed.ready().await;
    let reads = store.life().unwrap();
    let event = |order, change| {
        let (order_id, city) = (OrderId(order), "são paulo".into());
        Event::CourierChanged(Box::new(CourierChanged { order_id, cause: 1, city, change }))
    };
    let assigned = CourierChange::Assigned(CourierId(4));
    let events = [event(1, CourierChange::Waiting), event(2, CourierChange::Waiting), event(2, assigned)];
    store.apply(&batch(0, events)).await.unwrap();
    let row = |order, change, seq| AssignmentRow {
        order_id: OrderId(order),
        change,
        city: "são paulo".into(),
        cause: 1,
        at: at(seq),
    };
    let expected = [row(1, CourierChange::Waiting, 1), row(2, assigned, 3)];
    assert_eq!(reads.assignments(0, 9).await.unwrap(), expected);
    assert_eq!(reads.assignments(1, 9).await.unwrap(), expected[1..]);
    store.apply(&batch(3, [event(2, CourierChange::Released), event(1, assigned)])).await.unwrap();
    assert_eq!(reads.assignments(0, 9).await.unwrap(), [row(1, assigned, 5)]);
}

async fn effects_are_kept_until_they_are_done(bed: &Bed) {
    let store = bed.ready().await;
    let reads = store.life().unwrap();
    let key = |cause, kind| EffectKey { cause, kind, receiver: "shop-1".into() };
    let tried = |key, attempts, outcome| {
        let (order_id, subject) = (Some(OrderId(1)), "paid".into());
        Event::EffectTried(Box::new(EffectTried { key, order_id, subject, attempts, outcome }))
    };
    let again = EffectOutcome::Again { at: at(50), error: NASTY.into() };
    let failed = EffectOutcome::Failed { error: "550".into() };
    let events = [
        tried(key(1, EffectKind::Mail), 1, EffectOutcome::Done),
        tried(key(1, EffectKind::Webhook), 1, again.clone()),
        tried(key(2, EffectKind::Mail), 9, failed.clone()),
    ];
    store.apply(&batch(0, events)).await.unwrap();
    let row = |key, attempts, outcome, seq| EffectRow {
        key,
        order_id: Some(OrderId(1)),
        subject: "paid".into(),
        attempts,
        outcome,
        at: at(seq),
    };
    let waiting = row(key(1, EffectKind::Webhook), 1, again, 2);
    assert_eq!(reads.effects("waiting", 0, 9).await.unwrap(), [waiting]);
    assert_eq!(reads.effects("failed", 0, 9).await.unwrap(), [row(key(2, EffectKind::Mail), 9, failed, 3)]);
    assert_eq!(reads.effects("failed", 2, 9).await.unwrap(), []);
    assert_eq!(reads.effects("done", 0, 9).await.unwrap(), [], "nothing of what succeeds at once");
    let done = tried(key(1, EffectKind::Webhook), 2, EffectOutcome::Done);
    store.apply(&batch(3, [done])).await.unwrap();
    assert_eq!(reads.effects("waiting", 0, 9).await.unwrap(), []);
    let done = row(key(1, EffectKind::Webhook), 2, EffectOutcome::Done, 4);
    assert_eq!(reads.effects("done", 0, 9).await.unwrap(), [done]);
    let history = store.order_events(OrderId(1)).await.unwrap();
    let kinds: Vec<HistoryKind> = history.iter().map(|row| row.kind).collect();
    use HistoryKind::{EmailFailed, EmailSent, WebhookDelivered};
    assert_eq!(kinds, [EmailSent, EmailFailed, WebhookDelivered]);
}
