use super::claim;
use floodgate_persistence::model::{
    CancelReason, Captured, CourierChange, CourierChanged, DigitalChange, DigitalChanged, DigitalGood,
    EffectOutcome, EffectTried, FirstAnswer, LedgerEntry, LineRefund, OrderChange, OrderChanged, OrderLife,
    PartLife, PartRefund, PaymentAttempt, ReferralMove, Refund, StockReturn, StrayPayment, Timestamp,
};
use serde_json::{Value, json};

pub(super) fn order_changed(changed: &OrderChanged) -> Value {
    let hex = |bytes: &[u8; 16]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    json!({
        "order_id": changed.order_id, "currency": changed.currency, "change": change(&changed.change),
        "after": life(&changed.after), "stock": each(&changed.stock, stock_return),
        "coupon": changed.coupon.as_ref().map(|back| json!({ "code": back.code, "customer_id": back.customer_id })),
        "ledger": each(&changed.ledger, ledger_entry), "referral": changed.referral.as_ref().map(referral_move),
        "idempotency": claim(changed.idempotency.as_ref()), "callback": changed.callback.as_ref().map(hex),
    })
}

fn each<T>(items: &[T], to_json: impl Fn(&T) -> Value) -> Vec<Value> {
    items.iter().map(to_json).collect()
}

fn change(change: &OrderChange) -> Value {
    match change {
        OrderChange::PaymentStarted => json!("payment_started"),
        OrderChange::Paid { attempt } => json!({ "paid": { "attempt": attempt } }),
        OrderChange::PaymentFailed { attempt } => json!({ "payment_failed": { "attempt": attempt } }),
        OrderChange::Cancelled { by, detail } => {
            json!({ "cancelled": { "by": by.as_str(), "detail": detail } })
        }
        OrderChange::RefundStarted(begun) => json!({ "refund_started": refund(begun) }),
        OrderChange::Refunded { refund: done, refund_id, credit_note } => json!({ "refunded": {
            "refund": refund(done), "refund_id": refund_id, "credit_note": credit_note.to_string(),
        } }),
        OrderChange::RefundFailed(failed) => json!({ "refund_failed": refund(failed) }),
        OrderChange::Fulfilled { sellers } => json!({ "fulfilled": { "sellers": sellers } }),
        OrderChange::StrayPayment(payment) => json!({ "stray_payment": stray(payment) }),
        OrderChange::StrayRefunded(payment) => json!({ "stray_refunded": stray(payment) }),
        OrderChange::StrayRefundFailed(payment) => json!({ "stray_refund_failed": stray(payment) }),
    }
}

fn life(life: &OrderLife) -> Value {
    let answer = match life.first_answer {
        FirstAnswer::Placed => "placed",
        FirstAnswer::Waiting => "waiting",
        FirstAnswer::Paid => "paid",
        FirstAnswer::Declined => "declined",
    };
    json!({
        "status": life.status.as_str(), "timer_at": life.timer_at.map(Timestamp::to_rfc3339),
        "captured": life.captured.as_ref().map(captured), "attempts": life.attempts,
        "attempt": life.attempt.as_ref().map(attempt), "first_answer": answer, "refunds": life.refunds,
        "open_refunds": each(&life.open_refunds, refund), "refunded_lines": each(&life.refunded_lines, line_refund),
        "refunded_shipping": life.refunded_shipping, "refunded_tax": life.refunded_tax,
        "refunded_total": life.refunded_total, "parts": each(&life.parts, part),
        "fulfilled_at": life.fulfilled_at.map(Timestamp::to_rfc3339),
        "cancelled": life.cancelled.map(CancelReason::as_str), "stray_payments": each(&life.stray_payments, stray),
    })
}

fn captured(captured: &Captured) -> Value {
    let Captured { by, payment_id, amount, at } = captured;
    json!({ "by": by.as_str(), "payment_id": payment_id, "amount": amount, "at": at.to_rfc3339() })
}

/// Without the token: who holds it may charge a card.
fn attempt(attempt: &PaymentAttempt) -> Value {
    json!({ "number": attempt.number, "at": attempt.at.to_rfc3339() })
}

fn refund(refund: &Refund) -> Value {
    json!({
        "number": refund.number, "payment_id": refund.payment_id, "by": refund.by.as_str(), "amount": refund.amount,
        "lines": each(&refund.lines, line_refund), "shipping": refund.shipping, "tax": refund.tax,
        "parts": each(&refund.parts, part_refund), "referral": refund.referral,
        "restock": each(&refund.restock, stock_return), "reason": refund.reason,
    })
}

fn line_refund(refund: &LineRefund) -> Value {
    let LineRefund { line, quantity, amount } = refund;
    json!({ "line": line, "quantity": quantity, "amount": amount })
}

fn part_refund(refund: &PartRefund) -> Value {
    let PartRefund { seller_id, subtotal, commission, payout } = refund;
    json!({ "seller_id": seller_id, "subtotal": subtotal, "commission": commission, "payout": payout })
}

fn part(part: &PartLife) -> Value {
    let PartLife { seller_id, fulfilled, refunded, commission_reversed, payout_reversed } = part;
    json!({
        "seller_id": seller_id, "fulfilled": fulfilled, "refunded": refunded,
        "commission_reversed": commission_reversed, "payout_reversed": payout_reversed,
    })
}

fn stray(payment: &StrayPayment) -> Value {
    let StrayPayment { payment_id, amount, currency, refund, refunded } = payment;
    json!({
        "payment_id": payment_id, "amount": amount, "currency": currency, "refund": refund, "refunded": refunded,
    })
}

fn stock_return(back: &StockReturn) -> Value {
    json!({ "product_id": back.product_id, "quantity": back.quantity })
}

fn ledger_entry(entry: &LedgerEntry) -> Value {
    json!({ "seller_id": entry.seller_id, "bucket": entry.bucket.as_str(), "amount": entry.amount })
}

fn referral_move(moved: &ReferralMove) -> Value {
    let ReferralMove { code, customer_id, from, to, amount } = moved;
    json!({
        "code": code, "customer_id": customer_id, "from": from.as_str(), "to": to.as_str(), "amount": amount,
    })
}

pub(super) fn courier_changed(changed: &CourierChanged) -> Value {
    let (state, courier_id) = match changed.change {
        CourierChange::Waiting => ("waiting", None),
        CourierChange::Assigned(id) => ("assigned", Some(id)),
        CourierChange::Released => ("released", None),
    };
    json!({
        "order_id": changed.order_id, "cause": changed.cause, "city": changed.city, "change": state,
        "courier_id": courier_id,
    })
}

pub(super) fn digital_changed(changed: &DigitalChanged) -> Value {
    let change = match &changed.change {
        DigitalChange::Delivered(goods) => json!({ "delivered": each(goods, good) }),
        DigitalChange::Waiting(goods) => json!({ "waiting": each(goods, good) }),
        DigitalChange::Revoked(lines) => json!({ "revoked": lines }),
        DigitalChange::Downloaded { line, downloads } => {
            json!({ "downloaded": { "line": line, "downloads": downloads } })
        }
    };
    json!({ "order_id": changed.order_id, "cause": changed.cause, "change": change })
}

fn good(good: &DigitalGood) -> Value {
    json!({
        "line": good.line, "product_id": good.product_id, "units": good.units, "licence_keys": good.licence_keys,
        "waiting": good.waiting, "expires_at": good.expires_at.to_rfc3339(),
    })
}

pub(super) fn effect_tried(tried: &EffectTried) -> Value {
    let (at, error) = match &tried.outcome {
        EffectOutcome::Done => (None, None),
        EffectOutcome::Again { at, error } => (Some(at.to_rfc3339()), Some(error)),
        EffectOutcome::Failed { error } => (None, Some(error)),
    };
    json!({
        "cause": tried.key.cause, "kind": tried.key.kind.as_str(), "receiver": tried.key.receiver,
        "order_id": tried.order_id, "subject": tried.subject, "attempts": tried.attempts,
        "state": tried.outcome.state(), "again_at": at, "error": error,
    })
}
