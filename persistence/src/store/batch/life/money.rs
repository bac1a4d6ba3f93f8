//! Payments, refunds and ledgers.

use super::LifeWrites;
use crate::model::{
    Bucket, Money, OrderChange, OrderChanged, OrderPlaced, OrderStatus, PaidBy, Record, Refund, SellerId,
    StrayPayment,
};
use crate::store::rows::{
    PaymentRow, PaymentStatus, ReferralLedgerRow, RefundRow, RefundStatus, SellerLedgerRow,
};
use std::collections::BTreeMap;

impl LifeWrites {
    pub(super) fn push_money(&mut self, record: &Record, changed: &OrderChanged) {
        match &changed.change {
            OrderChange::PaymentStarted => {
                let number = changed.after.attempt.as_ref().map_or(0, |attempt| attempt.number);
                self.payments.push(payment(record, changed, number, PaymentStatus::Started));
            }
            OrderChange::PaymentFailed { attempt } => {
                let row = payment(record, changed, *attempt, PaymentStatus::Failed);
                self.payments.push(PaymentRow { ended_at: Some(record.at), ..row });
            }
            OrderChange::Paid { attempt } => self.payments.push(paid(record, changed, *attempt)),
            OrderChange::StrayPayment(payment) => {
                self.payments.push(stray_payment(record, changed, payment));
                self.refunds.push(stray_refund(record, changed, payment, RefundStatus::Started));
            }
            OrderChange::StrayRefunded(payment) => {
                self.refunds.push(stray_refund(record, changed, payment, RefundStatus::Refunded));
            }
            OrderChange::StrayRefundFailed(payment) => {
                self.refunds.push(stray_refund(record, changed, payment, RefundStatus::Failed));
            }
            OrderChange::RefundStarted(begun) => {
                self.refunds.push(refund(record, changed, begun, RefundStatus::Started));
            }
            OrderChange::RefundFailed(failed) => {
                self.refunds.push(refund(record, changed, failed, RefundStatus::Failed));
            }
            OrderChange::Refunded { refund: done, refund_id, credit_note } => {
                let row = refund(record, changed, done, RefundStatus::Refunded);
                let (refund_id, credit_note) = (named(refund_id), Some(credit_note.clone()));
                self.refunds.push(RefundRow { refund_id, credit_note, ..row });
            }
            OrderChange::Cancelled { .. } | OrderChange::Fulfilled { .. } => {}
        }
    }

    /// A seller's bucket has one row an event, whatever the event moves in it.
    pub(super) fn push_ledgers(&mut self, record: &Record, changed: &OrderChanged) {
        let mut sums: BTreeMap<(SellerId, Bucket), Money> = BTreeMap::new();
        for entry in &changed.ledger {
            sums.entry((entry.seller_id, entry.bucket)).or_default().0 += entry.amount.0;
        }
        let (order_id, currency) = (changed.order_id, changed.currency);
        let (seq, at) = (record.seq, record.at);
        self.seller_ledger.extend(sums.into_iter().map(|((seller_id, bucket), amount)| SellerLedgerRow {
            seq,
            seller_id,
            bucket,
            order_id,
            currency,
            amount,
            at,
        }));
        let Some(moved) = &changed.referral else { return };
        let (code, customer_id) = (moved.code.clone(), moved.customer_id);
        let row = |bucket, amount| {
            let code = code.clone();
            ReferralLedgerRow { seq, bucket, order_id, code, customer_id, currency, amount, at }
        };
        self.referral_ledger.push(row(moved.from, Money(-moved.amount.0)));
        self.referral_ledger.push(row(moved.to, moved.amount));
    }

    /// What is paid at once is earned at once.
    pub(super) fn push_referral_of(&mut self, record: &Record, order: &OrderPlaced) {
        let Some((share, code)) = order.referral.zip(order.referral_code.clone()) else { return };
        let is_paid = order.status == OrderStatus::Paid;
        self.referral_ledger.push(ReferralLedgerRow {
            seq: record.seq,
            bucket: if is_paid { Bucket::Earned } else { Bucket::Pending },
            order_id: order.order_id,
            code,
            customer_id: share.customer_id,
            currency: order.currency,
            amount: share.amount,
            at: record.at,
        });
    }
}

fn named(name: &str) -> Option<Box<str>> {
    Some(name).filter(|name| !name.is_empty()).map(Into::into)
}

fn payment(record: &Record, changed: &OrderChanged, number: u32, status: PaymentStatus) -> PaymentRow {
    PaymentRow {
        order_id: changed.order_id,
        number,
        stray_refund: 0,
        by: PaidBy::Card,
        status,
        payment_id: None,
        amount: None,
        currency: changed.currency,
        started_at: record.at,
        ended_at: None,
    }
}

fn paid(record: &Record, changed: &OrderChanged, attempt: u32) -> PaymentRow {
    let row = payment(record, changed, attempt, PaymentStatus::Paid);
    let ended_at = Some(record.at);
    let Some(captured) = &changed.after.captured else { return PaymentRow { ended_at, ..row } };
    let (by, payment_id) = (captured.by, named(&captured.payment_id));
    PaymentRow { by, payment_id, amount: Some(captured.amount), ended_at, ..row }
}

fn stray_payment(record: &Record, changed: &OrderChanged, stray: &StrayPayment) -> PaymentRow {
    PaymentRow {
        stray_refund: stray.refund,
        payment_id: named(&stray.payment_id),
        amount: Some(stray.amount),
        currency: stray.currency,
        ended_at: Some(record.at),
        ..payment(record, changed, 0, PaymentStatus::Stray)
    }
}

fn refund(record: &Record, changed: &OrderChanged, refund: &Refund, status: RefundStatus) -> RefundRow {
    RefundRow {
        order_id: changed.order_id,
        number: refund.number,
        by: refund.by,
        status,
        payment_id: named(&refund.payment_id),
        amount: refund.amount,
        currency: changed.currency,
        reason: refund.reason.clone(),
        refund_id: None,
        credit_note: None,
        started_at: record.at,
        ended_at: (status != RefundStatus::Started).then_some(record.at),
    }
}

fn stray_refund(
    record: &Record,
    changed: &OrderChanged,
    stray: &StrayPayment,
    status: RefundStatus,
) -> RefundRow {
    RefundRow {
        order_id: changed.order_id,
        number: stray.refund,
        by: PaidBy::Card,
        status,
        payment_id: named(&stray.payment_id),
        amount: stray.amount,
        currency: stray.currency,
        reason: "".into(),
        refund_id: None,
        credit_note: None,
        started_at: record.at,
        ended_at: (status != RefundStatus::Started).then_some(record.at),
    }
}
