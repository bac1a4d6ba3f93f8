//! The file of `tests/fixtures/journal-v1-life` was written by the first release: each event of an order's life and of
//! the terms once, with all that it can hold. It must stay readable, and, as long as the version is 1, be written the
//! same.

use crate::golden_files::golden_order;
use crate::support::*;
use floodgate_persistence::journal::*;
use floodgate_persistence::model::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NAME: &str = "journal-00000000000000000001.seg";

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-v1-life").join(NAME)
}

fn currency() -> Currency {
    Currency::new("BRL").unwrap()
}

fn referred() -> Event {
    let claim = IdempotencyClaim { key: [5; 16], body: [0xB0; 16] };
    let referral = Some(Referral { customer_id: CustomerId(78), amount: Money(20) });
    let order = golden_order(5, claim);
    Event::OrderPlaced(Arc::new(OrderPlaced { referral_code: Some("R-77".into()), referral, ..order }))
}

fn golden_refund() -> Refund {
    Refund {
        number: 2,
        payment_id: "pay_1".into(),
        by: PaidBy::Card,
        amount: Money(1_150),
        lines: vec![LineRefund { line: 1, quantity: 1, amount: Money(1_000) }],
        shipping: Money(50),
        tax: Money(100),
        parts: vec![PartRefund {
            seller_id: SellerId(2),
            subtotal: Money(1_000),
            commission: Money(125),
            payout: Money(875),
        }],
        referral: Money(20),
        restock: vec![StockReturn { product_id: ProductId(3), quantity: 1 }],
        reason: "défaut".into(),
    }
}

fn golden_stray() -> StrayPayment {
    StrayPayment {
        payment_id: "pay_2".into(),
        amount: Money(4_790),
        currency: currency(),
        refund: 3,
        refunded: false,
    }
}

fn golden_life() -> OrderLife {
    OrderLife {
        status: OrderStatus::PartiallyRefunded,
        timer_at: Some(Timestamp(5)),
        captured: Some(Captured {
            by: PaidBy::Cash,
            payment_id: "".into(),
            amount: Money(4_790),
            at: Timestamp(6),
        }),
        attempts: 4,
        attempt: Some(PaymentAttempt { number: 4, token: "tok_ok".into(), at: Timestamp(7) }),
        first_answer: FirstAnswer::Declined,
        refunds: 3,
        open_refunds: vec![golden_refund()],
        refunded_lines: vec![LineRefund { line: 2, quantity: 0, amount: Money(1) }],
        refunded_shipping: Money(8),
        refunded_tax: Money(9),
        refunded_total: Money(18),
        parts: vec![PartLife {
            seller_id: SellerId(2),
            fulfilled: true,
            refunded: Money(10),
            commission_reversed: Money(1),
            payout_reversed: Money(9),
        }],
        fulfilled_at: Some(Timestamp(8)),
        cancelled: Some(CancelReason::Expired),
        stray_payments: vec![golden_stray()],
    }
}

fn changed(change: OrderChange) -> Event {
    let is_full = matches!(change, OrderChange::Refunded { .. });
    Event::OrderChanged(Arc::new(OrderChanged {
        order_id: OrderId(1_005),
        currency: currency(),
        change,
        after: golden_life(),
        stock: vec![StockReturn { product_id: ProductId(3), quantity: 2 }],
        coupon: is_full.then(|| CouponReturn { code: "TEN".into(), customer_id: CustomerId(77) }),
        ledger: vec![LedgerEntry { seller_id: SellerId(2), bucket: Bucket::Reversed, amount: Money(-9) }],
        referral: is_full.then(|| ReferralMove {
            code: "R-77".into(),
            customer_id: CustomerId(78),
            from: Bucket::Pending,
            to: Bucket::Earned,
            amount: Money(20),
        }),
        idempotency: is_full.then_some(IdempotencyClaim { key: [0xA0; 16], body: [0xB0; 16] }),
        callback: is_full.then_some([0xC0; 16]),
    }))
}

fn changes() -> Vec<Event> {
    let number = InvoiceNumber { prefix: "CN".into(), year: 2026, number: 12 };
    let refund = || Box::new(golden_refund());
    let stray = || Box::new(golden_stray());
    [
        OrderChange::PaymentStarted,
        OrderChange::Paid { attempt: 1 },
        OrderChange::PaymentFailed { attempt: 2 },
        OrderChange::Cancelled { by: CancelReason::Admin, detail: "fraud".into() },
        OrderChange::RefundStarted(refund()),
        OrderChange::Refunded { refund: refund(), refund_id: "re_1".into(), credit_note: number },
        OrderChange::RefundFailed(refund()),
        OrderChange::Fulfilled { sellers: vec![SellerId(2), SellerId(9)] },
        OrderChange::StrayPayment(stray()),
        OrderChange::StrayRefunded(stray()),
        OrderChange::StrayRefundFailed(stray()),
    ]
    .map(changed)
    .into()
}

fn terms() -> Vec<Event> {
    let coupon = |code: &str, value| Coupon {
        code: code.into(),
        value,
        currency: currency(),
        seller_id: Some(SellerId(2)),
        starts_at: Some(Timestamp(1)),
        ends_at: Some(Timestamp(2)),
        max_uses: Some(3),
        max_uses_per_customer: Some(4),
        min_subtotal: Some(Money(5)),
    };
    let city: Box<str> = "São Paulo".into();
    let shipping = ShippingRate {
        city: city.clone(),
        price: Money(500),
        currency: currency(),
        free_over: Some(Money(9_900)),
    };
    let owner = ReferralCode { code: "R-77".into(), customer_id: CustomerId(78), active: true };
    let name = "Ana".into();
    vec![
        Event::CouponPut(Box::new(coupon("TEN", CouponValue::Percent(1_000)))),
        Event::CouponPut(Box::new(coupon("FIVE", CouponValue::Fixed(Money(500))))),
        Event::ShippingPut(Box::new(shipping)),
        Event::TaxPut(Box::new(TaxRate { city: "*".into(), rate_bps: 1_700 })),
        Event::ReferralPut(Box::new(owner)),
        Event::CourierPut(Box::new(Courier { id: CourierId(4), name, city, capacity: 6, active: true })),
        Event::LicencePut(Box::new(Licence { product_id: ProductId(8), key: "AAAA-BBBB".into() })),
    ]
}

fn effects() -> Vec<Event> {
    let courier = |change| {
        let (order_id, city) = (OrderId(1_005), "recife".into());
        Event::CourierChanged(Box::new(CourierChanged { order_id, cause: 5, city, change }))
    };
    let good = || DigitalGood {
        line: 2,
        product_id: ProductId(8),
        units: 3,
        licence_keys: vec!["AAAA-BBBB".into()],
        waiting: 2,
        expires_at: Timestamp(9),
    };
    let digital = |change| {
        Event::DigitalChanged(Box::new(DigitalChanged { order_id: OrderId(1_005), cause: 5, change }))
    };
    let tried = |kind, order_id, outcome| {
        let key = EffectKey { cause: 5, kind, receiver: "paid".into() };
        Event::EffectTried(Box::new(EffectTried {
            key,
            order_id,
            subject: "paid".into(),
            attempts: 3,
            outcome,
        }))
    };
    let error: Box<str> = "550".into();
    vec![
        courier(CourierChange::Waiting),
        courier(CourierChange::Assigned(CourierId(4))),
        courier(CourierChange::Released),
        digital(DigitalChange::Delivered(vec![good()])),
        digital(DigitalChange::Waiting(vec![good()])),
        digital(DigitalChange::Revoked(vec![2])),
        digital(DigitalChange::Downloaded { line: 2, downloads: 1 }),
        tried(EffectKind::Mail, Some(OrderId(1_005)), EffectOutcome::Done),
        tried(EffectKind::Webhook, None, EffectOutcome::Again { at: Timestamp(9), error: error.clone() }),
        tried(EffectKind::Digital, None, EffectOutcome::Failed { error: error.clone() }),
        tried(EffectKind::Courier, None, EffectOutcome::Failed { error }),
    ]
}

fn golden_records() -> Vec<Record> {
    let events = [referred()].into_iter().chain(changes()).chain(terms()).chain(effects());
    (1..).zip(events).map(|(seq, event)| Record { seq, at: Timestamp(seq as i64), event }).collect()
}

fn life_config(dir: &Path) -> JournalConfig {
    JournalConfig { dir: dir.to_owned(), segment_bytes: 16 * 1024, max_bytes: 64 * 1024, ..config() }
}

#[test]
fn the_same_records_become_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = recover(&life_config(dir.path()), from(0)).unwrap().into_writer(NODE).unwrap();
    let mut frame = writer.frame_builder();
    for record in golden_records() {
        frame.push(record.at, &record.event).unwrap();
    }
    writer.append(&mut frame).unwrap();
    let now = fs::read(dir.path().join(NAME)).unwrap();
    if now != fs::read(fixture()).unwrap_or_default() {
        let kept = dir.keep();
        panic!("{NAME} differs from the fixture; written now: {}", kept.display());
    }
}

#[test]
fn the_file_of_the_first_release_is_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(fixture(), dir.path().join(NAME)).unwrap();
    let all: Vec<Record> = frames(dir.path()).unwrap().flat_map(|frame| frame.unwrap().records).collect();
    assert_eq!(all, golden_records());
}
