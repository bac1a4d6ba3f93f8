//! Events of an order's life and of the terms, with any contents.

use crate::every_event_comes_back::{claim, currency, text};
use floodgate_persistence::model::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use std::sync::Arc;

fn pick<T: Copy + std::fmt::Debug>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

fn paid_by() -> impl Strategy<Value = PaidBy> {
    pick(&[PaidBy::Card, PaidBy::Cash, PaidBy::Nothing])
}

fn cancel_reason() -> impl Strategy<Value = CancelReason> {
    pick(&CancelReason::ALL)
}

fn bucket() -> impl Strategy<Value = Bucket> {
    pick(&[Bucket::Pending, Bucket::Earned, Bucket::Reversed])
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp)
}

fn money() -> impl Strategy<Value = Money> {
    any::<i64>().prop_map(Money)
}

pub fn referral() -> impl Strategy<Value = Referral> {
    (any::<u64>(), money())
        .prop_map(|(customer, amount)| Referral { customer_id: CustomerId(customer), amount })
}

fn line_refund() -> impl Strategy<Value = LineRefund> {
    (any::<(u16, u32)>(), money()).prop_map(|((line, quantity), amount)| LineRefund {
        line,
        quantity,
        amount,
    })
}

fn part_refund() -> impl Strategy<Value = PartRefund> {
    (any::<u64>(), money(), money(), money()).prop_map(|(seller, subtotal, commission, payout)| PartRefund {
        seller_id: SellerId(seller),
        subtotal,
        commission,
        payout,
    })
}

fn stock_return() -> impl Strategy<Value = StockReturn> {
    any::<(u64, u32)>()
        .prop_map(|(product, quantity)| StockReturn { product_id: ProductId(product), quantity })
}

fn refund() -> BoxedStrategy<Refund> {
    let sums = (money(), money(), money(), money());
    let lists = (vec(line_refund(), 0..3), vec(part_refund(), 0..3), vec(stock_return(), 0..3));
    (any::<u32>(), text(), paid_by(), sums, lists, text())
        .prop_map(
            |(number, payment_id, by, (amount, shipping, tax, referral), (lines, parts, restock), reason)| {
                Refund {
                    number,
                    payment_id,
                    by,
                    amount,
                    lines,
                    shipping,
                    tax,
                    parts,
                    referral,
                    restock,
                    reason,
                }
            },
        )
        .boxed()
}

fn part() -> BoxedStrategy<PartLife> {
    (any::<(u64, bool)>(), money(), money(), money())
        .prop_map(|((seller, fulfilled), refunded, commission_reversed, payout_reversed)| PartLife {
            seller_id: SellerId(seller),
            fulfilled,
            refunded,
            commission_reversed,
            payout_reversed,
        })
        .boxed()
}

fn stray() -> BoxedStrategy<StrayPayment> {
    (text(), money(), currency(), any::<(u32, bool)>())
        .prop_map(|(payment_id, amount, currency, (refund, refunded))| StrayPayment {
            payment_id,
            amount,
            currency,
            refund,
            refunded,
        })
        .boxed()
}

fn captured() -> impl Strategy<Value = Captured> {
    (paid_by(), text(), money(), time()).prop_map(|(by, payment_id, amount, at)| Captured {
        by,
        payment_id,
        amount,
        at,
    })
}

fn attempt() -> impl Strategy<Value = PaymentAttempt> {
    (any::<u32>(), text(), time()).prop_map(|(number, token, at)| PaymentAttempt { number, token, at })
}

fn life() -> BoxedStrategy<OrderLife> {
    let answers =
        pick(&[FirstAnswer::Placed, FirstAnswer::Waiting, FirstAnswer::Paid, FirstAnswer::Declined]);
    let payment = (of(captured()), any::<u32>(), of(attempt()), answers);
    let refunds = (any::<u32>(), vec(refund(), 0..2), vec(line_refund(), 0..3), money(), money(), money());
    let end = (vec(part(), 0..3), of(time()), of(cancel_reason()), vec(stray(), 0..2));
    (pick(&OrderStatus::ALL), of(time()), payment, refunds, end)
        .prop_map(|(status, timer_at, payment, refunds, (parts, fulfilled_at, cancelled, stray_payments))| {
            OrderLife {
                status,
                timer_at,
                captured: payment.0,
                attempts: payment.1,
                attempt: payment.2,
                first_answer: payment.3,
                refunds: refunds.0,
                open_refunds: refunds.1,
                refunded_lines: refunds.2,
                refunded_shipping: refunds.3,
                refunded_tax: refunds.4,
                refunded_total: refunds.5,
                parts,
                fulfilled_at,
                cancelled,
                stray_payments,
            }
        })
        .boxed()
}

fn change() -> BoxedStrategy<OrderChange> {
    let credit_note = (any::<String>(), any::<(u16, u64)>())
        .prop_map(|(prefix, (year, number))| InvoiceNumber { prefix: prefix.into(), year, number });
    let refunded = (refund(), text(), credit_note).prop_map(|(refund, refund_id, credit_note)| {
        OrderChange::Refunded { refund: Box::new(refund), refund_id, credit_note }
    });
    let sellers = vec(any::<u64>().prop_map(SellerId), 0..3);
    prop_oneof![
        Just(OrderChange::PaymentStarted),
        any::<u32>().prop_map(|attempt| OrderChange::Paid { attempt }),
        any::<u32>().prop_map(|attempt| OrderChange::PaymentFailed { attempt }),
        (cancel_reason(), text()).prop_map(|(by, detail)| OrderChange::Cancelled { by, detail }),
        refund().prop_map(|refund| OrderChange::RefundStarted(Box::new(refund))),
        refunded,
        refund().prop_map(|refund| OrderChange::RefundFailed(Box::new(refund))),
        sellers.prop_map(|sellers| OrderChange::Fulfilled { sellers }),
        stray().prop_map(|payment| OrderChange::StrayPayment(Box::new(payment))),
        stray().prop_map(|payment| OrderChange::StrayRefunded(Box::new(payment))),
        stray().prop_map(|payment| OrderChange::StrayRefundFailed(Box::new(payment))),
    ]
    .boxed()
}

fn order_changed() -> BoxedStrategy<OrderChanged> {
    let coupon = (text(), any::<u64>())
        .prop_map(|(code, customer)| CouponReturn { code, customer_id: CustomerId(customer) });
    let entry = (any::<u64>(), bucket(), money()).prop_map(|(seller, bucket, amount)| LedgerEntry {
        seller_id: SellerId(seller),
        bucket,
        amount,
    });
    let moved =
        (text(), any::<u64>(), bucket(), bucket(), money()).prop_map(|(code, customer, from, to, amount)| {
            ReferralMove { code, customer_id: CustomerId(customer), from, to, amount }
        });
    let results = (vec(stock_return(), 0..3), of(coupon), vec(entry, 0..3), of(moved));
    let origin = (of(claim()), of(any::<[u8; 16]>()));
    (any::<u64>(), currency(), change(), life(), results, origin)
        .prop_map(
            |(order, currency, change, after, (stock, coupon, ledger, referral), (idempotency, callback))| {
                OrderChanged {
                    order_id: OrderId(order),
                    currency,
                    change,
                    after,
                    stock,
                    coupon,
                    ledger,
                    referral,
                    idempotency,
                    callback,
                }
            },
        )
        .boxed()
}

fn coupon() -> BoxedStrategy<Coupon> {
    let value =
        prop_oneof![any::<u32>().prop_map(CouponValue::Percent), money().prop_map(CouponValue::Fixed)];
    let conditions =
        (of(any::<u64>()), of(time()), of(time()), of(any::<u64>()), of(any::<u64>()), of(money()));
    (text(), value, currency(), conditions)
        .prop_map(|(code, value, currency, conditions)| Coupon {
            code,
            value,
            currency,
            seller_id: conditions.0.map(SellerId),
            starts_at: conditions.1,
            ends_at: conditions.2,
            max_uses: conditions.3,
            max_uses_per_customer: conditions.4,
            min_subtotal: conditions.5,
        })
        .boxed()
}

fn good() -> BoxedStrategy<DigitalGood> {
    (any::<(u16, u64, u32, u32)>(), vec(text(), 0..3), time())
        .prop_map(|((line, product, units, waiting), licence_keys, expires_at)| DigitalGood {
            line,
            product_id: ProductId(product),
            units,
            licence_keys,
            waiting,
            expires_at,
        })
        .boxed()
}

fn digital_changed() -> BoxedStrategy<DigitalChanged> {
    let change = prop_oneof![
        vec(good(), 0..3).prop_map(DigitalChange::Delivered),
        vec(good(), 0..3).prop_map(DigitalChange::Waiting),
        vec(any::<u16>(), 0..3).prop_map(DigitalChange::Revoked),
        any::<(u16, u32)>().prop_map(|(line, downloads)| DigitalChange::Downloaded { line, downloads }),
    ];
    (any::<(u64, u64)>(), change)
        .prop_map(|((order, cause), change)| DigitalChanged { order_id: OrderId(order), cause, change })
        .boxed()
}

fn courier_changed() -> BoxedStrategy<CourierChanged> {
    let change = prop_oneof![
        Just(CourierChange::Waiting),
        any::<u64>().prop_map(|id| CourierChange::Assigned(CourierId(id))),
        Just(CourierChange::Released),
    ];
    (any::<(u64, u64)>(), text(), change)
        .prop_map(|((order, cause), city, change)| CourierChanged {
            order_id: OrderId(order),
            cause,
            city,
            change,
        })
        .boxed()
}

fn effect_tried() -> BoxedStrategy<EffectTried> {
    let outcome = prop_oneof![
        Just(EffectOutcome::Done),
        (time(), text()).prop_map(|(at, error)| EffectOutcome::Again { at, error }),
        text().prop_map(|error| EffectOutcome::Failed { error }),
    ];
    let key = (any::<u64>(), pick(&EffectKind::ALL), text()).prop_map(|(cause, kind, receiver)| EffectKey {
        cause,
        kind,
        receiver,
    });
    (key, of(any::<u64>()), text(), any::<u32>(), outcome)
        .prop_map(|(key, order, subject, attempts, outcome)| EffectTried {
            key,
            order_id: order.map(OrderId),
            subject,
            attempts,
            outcome,
        })
        .boxed()
}

fn terms() -> BoxedStrategy<Event> {
    prop_oneof![
        coupon().prop_map(|coupon| Event::CouponPut(Box::new(coupon))),
        (text(), money(), currency(), of(money())).prop_map(|(city, price, currency, free_over)| {
            Event::ShippingPut(Box::new(ShippingRate { city, price, currency, free_over }))
        }),
        (text(), any::<u32>())
            .prop_map(|(city, rate_bps)| Event::TaxPut(Box::new(TaxRate { city, rate_bps }))),
        (text(), any::<(u64, bool)>()).prop_map(|(code, (customer, active))| {
            Event::ReferralPut(Box::new(ReferralCode { code, customer_id: CustomerId(customer), active }))
        }),
        (any::<(u64, u32, bool)>(), text(), text()).prop_map(|((id, capacity, active), name, city)| {
            Event::CourierPut(Box::new(Courier { id: CourierId(id), name, city, capacity, active }))
        }),
        (any::<u64>(), text()).prop_map(|(product, key)| {
            Event::LicencePut(Box::new(Licence { product_id: ProductId(product), key }))
        }),
    ]
    .boxed()
}

/// All of them; half are what happens to orders.
pub fn life_events() -> BoxedStrategy<Event> {
    prop_oneof![
        3 => order_changed().prop_map(|changed| Event::OrderChanged(Arc::new(changed))),
        2 => terms(),
        1 => courier_changed().prop_map(|changed| Event::CourierChanged(Box::new(changed))),
        1 => digital_changed().prop_map(|changed| Event::DigitalChanged(Box::new(changed))),
        1 => effect_tried().prop_map(|tried| Event::EffectTried(Box::new(tried))),
    ]
    .boxed()
}
