//! What happens to an order is written to both stores and read back equal, row by row.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::journal::{record_bytes, record_from_bytes};
use floodgate_persistence::model::*;
use floodgate_persistence::store::*;
use std::sync::Arc;
use store_fixtures::*;

on_both!(
    a_payment_is_begun_and_ends,
    a_refund_moves_money_stock_and_the_credit_notes,
    a_part_given_back_whole_is_refunded,
    a_payment_that_was_not_due_goes_back,
    a_cancelled_order_gives_its_coupon_back,
    parts_go_out_one_by_one,
    the_last_event_of_a_batch_says_where_the_order_stands,
    many_orders_change_in_one_batch,
    a_referrer_earns_and_loses,
    a_parked_change_counts_and_waits,
);

fn brl() -> Currency {
    Currency::new("BRL").unwrap()
}

/// The life of order 1 after it was placed.
fn life() -> OrderLife {
    OrderLife::placed(&order(1), at(1))
}

/// A life with all that it can hold.
fn full_life() -> OrderLife {
    OrderLife {
        status: OrderStatus::PartiallyRefunded,
        timer_at: None,
        captured: Some(captured()),
        attempts: 2,
        attempt: Some(PaymentAttempt { number: 2, token: "it's \\ \"日\"\u{1}".into(), at: at(3) }),
        first_answer: FirstAnswer::Declined,
        refunds: 2,
        open_refunds: vec![refund()],
        refunded_lines: vec![LineRefund { line: 1, quantity: 1, amount: Money(1000) }],
        refunded_shipping: Money(50),
        refunded_tax: Money(0),
        refunded_total: Money(1050),
        parts: vec![part(1000)],
        fulfilled_at: Some(at(4)),
        cancelled: None,
        stray_payments: vec![stray()],
    }
}

fn captured() -> Captured {
    Captured { by: PaidBy::Card, payment_id: "pay_1".into(), amount: Money(2700), at: at(2) }
}

fn part(refunded: i64) -> PartLife {
    PartLife {
        seller_id: SellerId(3),
        fulfilled: false,
        refunded: Money(refunded),
        commission_reversed: Money(refunded / 10),
        payout_reversed: Money(refunded - refunded / 10),
    }
}

fn refund() -> Refund {
    Refund {
        number: 1,
        payment_id: "pay_1".into(),
        by: PaidBy::Card,
        amount: Money(1050),
        lines: vec![LineRefund { line: 1, quantity: 1, amount: Money(1000) }],
        shipping: Money(50),
        tax: Money(0),
        parts: Vec::new(),
        referral: Money(0),
        restock: vec![StockReturn { product_id: ProductId(7), quantity: 1 }],
        reason: "it's \\ broken 🎈".into(),
    }
}

fn stray() -> StrayPayment {
    StrayPayment {
        payment_id: "pay_9".into(),
        amount: Money(2700),
        currency: brl(),
        refund: 2,
        refunded: false,
    }
}

/// An event of order 1 that moves nothing beside the order.
fn changed(change: OrderChange, after: OrderLife) -> OrderChanged {
    OrderChanged {
        order_id: OrderId(1),
        currency: brl(),
        change,
        after,
        stock: Vec::new(),
        coupon: None,
        ledger: Vec::new(),
        referral: None,
        idempotency: None,
        callback: None,
    }
}

fn event(changed: OrderChanged) -> Event {
    Event::OrderChanged(Arc::new(changed))
}

/// Writes each event in a batch of its own, order 1 first.
async fn write(store: &dyn Store, events: impl IntoIterator<Item = OrderChanged>) {
    store.apply(&batch(0, [placed(order(1))])).await.unwrap();
    for (from, changed) in (1..).zip(events) {
        store.apply(&batch(from, [event(changed)])).await.unwrap();
    }
}

async fn stored(store: &dyn Store) -> StoredOrder {
    store.order(OrderId(1)).await.unwrap().unwrap()
}

fn attempt() -> OrderLife {
    let attempt = PaymentAttempt { number: 1, token: "tok".into(), at: at(2) };
    OrderLife { attempts: 1, attempt: Some(attempt), timer_at: None, ..life() }
}

async fn a_payment_is_begun_and_ends(bed: &Bed) {
    let store = bed.ready().await;
    let started = changed(OrderChange::PaymentStarted, attempt());
    write(&**store, [started.clone()]).await;
    let reads = store.life().unwrap();
    let unfinished = reads.unfinished_orders(0, 9).await.unwrap();
    assert_eq!((unfinished.len(), &unfinished[0].life), (1, &attempt()));
    assert_eq!(unfinished[0].placed.lines, order(1).lines, "with what it took");
    let begun = PaymentRow {
        order_id: OrderId(1),
        number: 1,
        stray_refund: 0,
        by: PaidBy::Card,
        status: PaymentStatus::Started,
        payment_id: None,
        amount: None,
        currency: brl(),
        started_at: at(2),
        ended_at: None,
    };
    assert_eq!(reads.payments(OrderId(1)).await.unwrap(), std::slice::from_ref(&begun));
    let after =
        OrderLife { status: OrderStatus::Paid, captured: Some(captured()), attempt: None, ..attempt() };
    let callback = Some([0x27; 16]);
    let paid = OrderChanged {
        callback,
        idempotency: Some(claim(5)),
        ..changed(OrderChange::Paid { attempt: 1 }, after.clone())
    };
    store.apply(&batch(2, [event(paid.clone())])).await.unwrap();
    let ended = PaymentRow {
        status: PaymentStatus::Paid,
        payment_id: Some("pay_1".into()),
        amount: Some(Money(2700)),
        ended_at: Some(at(3)),
        ..begun
    };
    assert_eq!(reads.payments(OrderId(1)).await.unwrap(), [ended]);
    assert_eq!(reads.unfinished_orders(0, 9).await.unwrap(), []);
    let now = stored(&**store).await;
    assert_eq!((now.status, now.last_seq, now.life), (OrderStatus::Paid, 3, after));
    let seen = CallbackRow { seq: 3, callback: [0x27; 16], order_id: OrderId(1), at: at(3) };
    assert_eq!(reads.callbacks(u64::MAX, 9).await.unwrap(), [seen]);
    assert_eq!(store.keys(u64::MAX, 9).await.unwrap()[0].claim, claim(5));
    let history = store.order_events(OrderId(1)).await.unwrap();
    let kinds: Vec<HistoryKind> = history.iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [HistoryKind::Placed, HistoryKind::PaymentStarted, HistoryKind::Paid]);
    for (row, changed) in history.iter().skip(1).zip([started, paid]) {
        let record = record_from_bytes(row.seq, row.data.as_deref().unwrap()).unwrap();
        assert_eq!(record, Record { seq: row.seq, at: at(row.seq), event: event(changed) });
    }
}

async fn a_refund_moves_money_stock_and_the_credit_notes(bed: &Bed) {
    let store = bed.ready().await;
    let reads = store.life().unwrap();
    let open = OrderLife { open_refunds: vec![refund()], ..full_life() };
    write(&**store, [changed(OrderChange::RefundStarted(Box::new(refund())), open)]).await;
    store.apply(&batch(2, [put(product(7), StockChange::Counted(5))])).await.unwrap();
    let begun = RefundRow {
        order_id: OrderId(1),
        number: 1,
        by: PaidBy::Card,
        status: RefundStatus::Started,
        payment_id: Some("pay_1".into()),
        amount: Money(1050),
        currency: brl(),
        reason: refund().reason,
        refund_id: None,
        credit_note: None,
        started_at: at(2),
        ended_at: None,
    };
    assert_eq!(reads.refunds(OrderId(1)).await.unwrap(), std::slice::from_ref(&begun));
    let credit_note = InvoiceNumber { prefix: "CN-x".into(), year: 2026, number: 12 };
    let change = OrderChange::Refunded {
        refund: Box::new(refund()),
        refund_id: "re_1".into(),
        credit_note: credit_note.clone(),
    };
    let entry = |bucket, amount| LedgerEntry { seller_id: SellerId(3), bucket, amount: Money(amount) };
    let refunded = OrderChanged {
        stock: refund().restock,
        ledger: vec![entry(Bucket::Pending, -900), entry(Bucket::Reversed, 900)],
        ..changed(change, full_life())
    };
    store.apply(&batch(3, [event(refunded)])).await.unwrap();
    let ended = RefundRow {
        status: RefundStatus::Refunded,
        refund_id: Some("re_1".into()),
        credit_note: Some(credit_note),
        ended_at: Some(at(4)),
        ..begun
    };
    assert_eq!(reads.refunds(OrderId(1)).await.unwrap(), [ended]);
    assert_eq!(stored(&**store).await.life, full_life());
    assert_eq!(store.products_page(0, 1).await.unwrap().products[0].stock, Some(6));
    assert_eq!(store.counters().await.unwrap()["credit_note:CN-x-2026"], 12);
    let moves = reads.seller_ledger(SellerId(3), u64::MAX, 9).await.unwrap();
    let row = |bucket, amount| SellerLedgerRow {
        seq: 4,
        seller_id: SellerId(3),
        bucket,
        order_id: OrderId(1),
        currency: brl(),
        amount: Money(amount),
        at: at(4),
    };
    assert_eq!(moves, [row(Bucket::Pending, -900), row(Bucket::Reversed, 900)]);
    assert_eq!(reads.seller_ledger(SellerId(3), 4, 9).await.unwrap(), []);
    let total = |bucket, amount| LedgerTotal { currency: brl(), bucket, amount: Money(amount) };
    let totals = reads.seller_totals(SellerId(3)).await.unwrap();
    assert_eq!(totals, [total(Bucket::Pending, 900), total(Bucket::Reversed, 900)]);
    assert_eq!(parts(bed).await, ["3 partially_refunded 1000 100 900 -"]);
}

/// The parts of order 1 as others read them: seller, status, what went back, whether it went out.
async fn parts(bed: &Bed) -> Vec<String> {
    let columns =
        "seller_id, status, refunded, commission_reversed, payout_reversed, COALESCE(fulfilled_at, '-')";
    let rest = "FROM seller_orders WHERE order_id = 1 ORDER BY seller_id";
    if let Some(path) = bed.config.url.strip_prefix("sqlite://") {
        let file = rusqlite::Connection::open(path).unwrap();
        let mut statement = file.prepare(&format!("SELECT {columns} {rest}")).unwrap();
        let text = |row: &rusqlite::Row<'_>| {
            let (seller, status): (i64, String) = (row.get(0)?, row.get(1)?);
            let sums: [i64; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
            let [refunded, commission, payout] = sums;
            Ok(format!("{seller} {status} {refunded} {commission} {payout} {}", row.get::<_, String>(5)?))
        };
        return statement.query_map([], text).unwrap().map(Result::unwrap).collect();
    }
    let sql = format!("SELECT CONCAT_WS(' ', {columns}) {rest}");
    mysql_async::prelude::Queryable::query(&mut bed.sql().await, sql).await.unwrap()
}

async fn a_part_given_back_whole_is_refunded(bed: &Bed) {
    let store = bed.ready().await;
    let after = OrderLife { parts: vec![part(2000)], status: OrderStatus::Refunded, ..full_life() };
    write(&**store, [changed(OrderChange::RefundFailed(Box::new(refund())), after)]).await;
    assert_eq!(parts(bed).await, ["3 refunded 2000 200 1800 -"]);
    let refunds = store.life().unwrap().refunds(OrderId(1)).await.unwrap();
    assert_eq!((refunds[0].status, refunds[0].ended_at), (RefundStatus::Failed, Some(at(2))));
}

async fn a_payment_that_was_not_due_goes_back(bed: &Bed) {
    let store = bed.ready().await;
    let reads = store.life().unwrap();
    let came = changed(OrderChange::StrayPayment(Box::new(stray())), full_life());
    write(&**store, [came]).await;
    let payment = &reads.payments(OrderId(1)).await.unwrap()[0];
    assert_eq!((payment.stray_refund, payment.status), (2, PaymentStatus::Stray));
    assert_eq!((payment.amount, payment.payment_id.as_deref()), (Some(Money(2700)), Some("pay_9")));
    for (from, change, status) in [
        (2, OrderChange::StrayRefundFailed(Box::new(stray())), RefundStatus::Failed),
        (3, OrderChange::StrayRefunded(Box::new(stray())), RefundStatus::Refunded),
    ] {
        store.apply(&batch(from, [event(changed(change, full_life()))])).await.unwrap();
        let refund = &reads.refunds(OrderId(1)).await.unwrap()[0];
        assert_eq!((refund.number, refund.status, refund.amount), (2, status, Money(2700)));
        assert_eq!((refund.started_at, refund.ended_at), (at(2), Some(at(from + 1))));
    }
}

async fn a_cancelled_order_gives_its_coupon_back(bed: &Bed) {
    let store = bed.ready().await;
    let with = |id| placed(OrderPlaced { coupon: Some("TEN'\\".into()), ..order(id) });
    store.apply(&batch(0, [with(1), with(2)])).await.unwrap();
    let uses = |customer, uses| CouponUses { code: "TEN'\\".into(), customer_id: CustomerId(customer), uses };
    let reads = store.life().unwrap();
    assert_eq!(reads.coupon_uses().await.unwrap(), [uses(0, 2), uses(42, 2)]);
    let after = OrderLife {
        status: OrderStatus::Cancelled,
        timer_at: None,
        cancelled: Some(CancelReason::Expired),
        ..life()
    };
    let change = OrderChange::Cancelled { by: CancelReason::Expired, detail: "".into() };
    let cancelled = OrderChanged {
        coupon: Some(CouponReturn { code: "TEN'\\".into(), customer_id: CustomerId(42) }),
        ..changed(change, after.clone())
    };
    store.apply(&batch(2, [with(3), event(cancelled)])).await.unwrap();
    assert_eq!(reads.coupon_uses().await.unwrap(), [uses(0, 2), uses(42, 2)], "one more, one less");
    assert_eq!(stored(&**store).await.life, after);
    assert_eq!(parts(bed).await, ["3 cancelled 0 0 0 -"]);
    let open = store.open_orders(0, 9).await.unwrap();
    assert_eq!(open.iter().map(|order| order.order_id.get()).collect::<Vec<_>>(), [2, 3]);
}

async fn parts_go_out_one_by_one(bed: &Bed) {
    let store = bed.ready().await;
    let two = OrderPlaced {
        lines: vec![line(1, 7, 3, 2), line(2, 8, 9, 2)],
        sellers: vec![share(3), share(9)],
        ..order(1)
    };
    store.apply(&batch(0, [placed(two)])).await.unwrap();
    let went_out = |seller| PartLife { seller_id: SellerId(seller), fulfilled: true, ..part(0) };
    let paid = OrderLife {
        status: OrderStatus::Paid,
        timer_at: None,
        captured: Some(captured()),
        parts: vec![went_out(3)],
        ..life()
    };
    let fulfilled = |seller| OrderChange::Fulfilled { sellers: vec![SellerId(seller)] };
    store.apply(&batch(1, [event(changed(fulfilled(3), paid.clone()))])).await.unwrap();
    assert_eq!(parts(bed).await, [part_out(3, 2), "9 paid 0 0 0 -".to_owned()]);
    let done = OrderLife {
        status: OrderStatus::Fulfilled,
        parts: vec![went_out(3), went_out(9)],
        fulfilled_at: Some(at(3)),
        ..paid
    };
    store.apply(&batch(2, [event(changed(fulfilled(9), done))])).await.unwrap();
    assert_eq!(parts(bed).await, [part_out(3, 2), part_out(9, 3)]);
    assert_eq!(stored(&**store).await.status, OrderStatus::Fulfilled);
}

fn part_out(seller: u64, seq: u64) -> String {
    format!("{seller} fulfilled 0 0 0 2026-11-23 10:00:{seq:02}.000")
}

async fn the_last_event_of_a_batch_says_where_the_order_stands(bed: &Bed) {
    let store = bed.ready().await;
    let failed = OrderLife { attempt: None, ..attempt() };
    let events = [
        placed(order(1)),
        event(changed(OrderChange::PaymentStarted, attempt())),
        event(changed(OrderChange::PaymentFailed { attempt: 1 }, failed.clone())),
    ];
    store.apply(&batch(0, events)).await.unwrap();
    let now = stored(&**store).await;
    assert_eq!((now.seq, now.last_seq, now.life), (1, 3, failed));
    let payment = &store.life().unwrap().payments(OrderId(1)).await.unwrap()[0];
    assert_eq!((payment.status, payment.started_at), (PaymentStatus::Failed, at(2)));
    assert_eq!(payment.ended_at, Some(at(3)));
}

/// More than a statement holds.
async fn many_orders_change_in_one_batch(bed: &Bed) {
    let store = bed.ready().await;
    store.apply(&batch(0, (1..=3000).map(|id| placed(order(id))))).await.unwrap();
    let change =
        |id| OrderChanged { order_id: OrderId(id), ..changed(OrderChange::Paid { attempt: 0 }, full_life()) };
    store.apply(&batch(3000, (1..=3000).map(|id| event(change(id))))).await.unwrap();
    let reads = store.life().unwrap();
    for (after, id) in [(0, 1), (1499, 1500), (2999, 3000)] {
        let found = &reads.unfinished_orders(after, 1).await.unwrap()[0];
        assert_eq!((found.placed.order_id.get(), found.last_seq), (id, 3000 + id));
        assert_eq!((found.status, &found.life), (OrderStatus::PartiallyRefunded, &full_life()));
    }
    assert_eq!(reads.unfinished_orders(0, 9999).await.unwrap().len(), 3000);
}

async fn a_referrer_earns_and_loses(bed: &Bed) {
    let store = bed.ready().await;
    let referral = Some(Referral { customer_id: CustomerId(78), amount: Money(20) });
    let referred = OrderPlaced { referral, referral_code: Some("R-78".into()), ..order(1) };
    store.apply(&batch(0, [placed(referred)])).await.unwrap();
    let reads = store.life().unwrap();
    let total = |bucket, amount| LedgerTotal { currency: brl(), bucket, amount: Money(amount) };
    let totals = || reads.referral_totals(CustomerId(78));
    assert_eq!(totals().await.unwrap(), [total(Bucket::Pending, 20)]);
    let moved = |from, to, amount| {
        let (code, customer_id) = ("R-78".into(), CustomerId(78));
        let referral = Some(ReferralMove { code, customer_id, from, to, amount: Money(amount) });
        event(OrderChanged { referral, ..changed(OrderChange::Paid { attempt: 0 }, full_life()) })
    };
    let events = [moved(Bucket::Pending, Bucket::Earned, 20), moved(Bucket::Earned, Bucket::Reversed, 5)];
    store.apply(&batch(1, events)).await.unwrap();
    let expected = [total(Bucket::Earned, 15), total(Bucket::Pending, 0), total(Bucket::Reversed, 5)];
    assert_eq!(totals().await.unwrap(), expected);
    let kinds: Vec<_> =
        store.order_events(OrderId(1)).await.unwrap().into_iter().map(|row| (row.seq, row.kind)).collect();
    assert_eq!(
        kinds,
        [
            (1, HistoryKind::Placed),
            (1, HistoryKind::ReferralPending),
            (2, HistoryKind::Paid),
            (2, HistoryKind::ReferralEarned),
            (3, HistoryKind::Paid),
            (3, HistoryKind::ReferralReversed),
        ]
    );
}

async fn a_parked_change_counts_and_waits(bed: &Bed) {
    let store = bed.ready().await;
    let first = [put(product(7), StockChange::Counted(5)), placed(order(1))];
    store.apply(&batch(0, first)).await.unwrap();
    let change = OrderChanged {
        stock: vec![StockReturn { product_id: ProductId(7), quantity: 2 }],
        callback: Some([1; 16]),
        ..changed(OrderChange::RefundStarted(Box::new(refund())), full_life())
    };
    let record = records(2, [event(change)]).remove(0);
    let row = ParkedRow {
        seq: 3,
        order_id: Some(OrderId(1)),
        reason: "too long".into(),
        event: record_bytes(&record).unwrap().into(),
        parked_at: at(9),
    };
    let mut parking = WriteBatch::new(2, EPOCH);
    parking.park(&record, row);
    store.apply(&parking).await.unwrap();
    let reads = store.life().unwrap();
    let stock = || async { store.products_page(0, 1).await.unwrap().products[0].stock };
    assert_eq!((stored(&**store).await.life, stock().await), (OrderLife::placed(&order(1), at(2)), Some(5)));
    assert_eq!(reads.refunds(OrderId(1)).await.unwrap(), []);
    assert_eq!(reads.callbacks(9, 9).await.unwrap().len(), 1);
    let mut retry = WriteBatch::new(3, EPOCH);
    retry.unpark(&record);
    store.apply(&retry).await.unwrap();
    assert_eq!((stored(&**store).await.life, stock().await), (full_life(), Some(5)));
    assert_eq!(reads.refunds(OrderId(1)).await.unwrap().len(), 1);
    assert_eq!(reads.callbacks(9, 9).await.unwrap().len(), 1);
}
