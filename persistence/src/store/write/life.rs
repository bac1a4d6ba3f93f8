//! Rows of what happens to orders, and of the terms for it.

mod terms;

use super::{Sink, Values};
use crate::journal::life_bytes;
use crate::model::{CourierChange, EffectOutcome, Money, OrderId, PartLife};
use crate::store::batch::{DigitalWrite, LifeWrites, OrderWrite};
use crate::store::rows::{AssignmentRow, EffectRow, PaymentRow, RefundRow};
use crate::store::table;
use crate::store::{StoreError, query};

/// Orders that changed, then what is written beside them.
pub(super) fn write(life: &LifeWrites, sink: &mut impl Sink) -> Result<(), StoreError> {
    write_orders(life, sink)?;
    write_parts(life, sink)?;
    write_money(life, sink)?;
    terms::write(life, sink)?;
    write_digital(life, sink)?;
    let replaced = ["state", "courier_id", "city_key", "cause", "updated_at"];
    sink.insert(&table::COURIER_ASSIGNMENTS, &replaced, life.assignments.values(), |row, out| {
        assignment(row, out);
    })?;
    let replaced = ["order_id", "subject", "attempts", "state", "next_at", "error", "updated_at"];
    sink.insert(&table::EFFECTS, &replaced, life.effects.values(), |row, out| effect(row, out))?;
    sink.insert(&table::SEEN_CALLBACKS, &[], life.callbacks.iter(), |row, out| {
        out.unsigned(row.seq);
        out.binary(&row.callback);
        out.unsigned(row.order_id.get());
        out.time(row.at);
    })
}

fn write_orders(life: &LifeWrites, sink: &mut impl Sink) -> Result<(), StoreError> {
    let encode = |(id, write)| -> Result<(&OrderId, &OrderWrite, Vec<u8>), StoreError> {
        let write: &OrderWrite = write;
        let bytes = life_bytes(&write.changed.after);
        Ok((id, write, bytes.map_err(|error| StoreError::Broken(error.to_string()))?))
    };
    let rows: Vec<_> = life.orders.iter().map(encode).collect::<Result<_, _>>()?;
    let columns = ["id", "status", "timer_at", "last_seq", "life", "unfinished", "paid_at", "fulfilled_at"];
    let columns = [columns.as_slice(), &["refunded"]].concat();
    sink.update(&table::ORDERS, 1, &columns, rows.iter(), |(id, write, bytes), out| {
        let after = &write.changed.after;
        out.unsigned(id.get());
        out.text(after.status.as_str());
        out.optional_time(after.timer_at);
        out.unsigned(write.seq);
        out.binary(bytes);
        out.flag(after.is_unfinished());
        out.optional_time(after.captured.as_ref().map(|captured| captured.at));
        out.optional_time(after.fulfilled_at);
        out.signed(after.refunded_total.0);
    })?;
    let columns = ["id", "cancelled_at", "cancel_reason"];
    sink.update(&table::ORDERS, 1, &columns, life.cancelled.iter(), |(id, (at, reason)), out| {
        out.unsigned(id.get());
        out.time(*at);
        out.text(reason.as_str());
    })
}

/// All parts of an order stand where the order does, but for those of which something happened to the seller alone.
fn write_parts(life: &LifeWrites, sink: &mut impl Sink) -> Result<(), StoreError> {
    let columns = ["order_id", "status"];
    sink.update(&table::SELLER_ORDERS, 1, &columns, life.orders.iter(), |(id, write), out| {
        out.unsigned(id.get());
        out.text(write.changed.after.status_of_untouched_parts().as_str());
    })?;
    let parts = || {
        life.orders
            .iter()
            .flat_map(|(id, write)| write.changed.after.parts.iter().map(move |part| (id, write, part)))
    };
    let columns = ["order_id", "seller_id", "status", "refunded", "commission_reversed", "payout_reversed"];
    sink.update(&table::SELLER_ORDERS, 2, &columns, parts(), |(id, write, part), out| {
        part_row(**id, write, part, out);
    })?;
    let refunded = parts().filter(|(_, _, part)| part.refunded > Money::ZERO);
    let refunded: Vec<OrderId> = refunded.map(|(id, ..)| *id).collect();
    if !refunded.is_empty() {
        sink.run(query::life::mark_refunded_parts(&refunded))?;
    }
    let columns = ["order_id", "seller_id", "fulfilled_at"];
    sink.update(&table::SELLER_ORDERS, 2, &columns, life.fulfilled.iter(), |((id, seller), at), out| {
        out.unsigned(id.get());
        out.unsigned(seller.get());
        out.time(**at);
    })
}

/// What a whole part comes to stands in its row alone: one that was given back whole is marked by a statement of its
/// own.
fn part_row(id: OrderId, write: &OrderWrite, part: &PartLife, out: &mut dyn Values) {
    out.unsigned(id.get());
    out.unsigned(part.seller_id.get());
    out.text(write.changed.after.part_status(part.seller_id, Money(i64::MAX)).as_str());
    for amount in [part.refunded, part.commission_reversed, part.payout_reversed] {
        out.signed(amount.0);
    }
}

fn write_money(life: &LifeWrites, sink: &mut impl Sink) -> Result<(), StoreError> {
    let replaced = ["paid_by", "status", "payment_id", "amount", "currency", "ended_at"];
    sink.insert(&table::PAYMENTS, &replaced, life.payments.iter(), |row, out| payment(row, out))?;
    let replaced = ["status", "refund_id", "credit_note", "ended_at"];
    sink.insert(&table::REFUNDS, &replaced, life.refunds.iter(), |row, out| refund(row, out))?;
    sink.insert(&table::SELLER_LEDGER, &[], life.seller_ledger.iter(), |row, out| {
        out.unsigned(row.seq);
        out.unsigned(row.seller_id.get());
        out.text(row.bucket.as_str());
        out.unsigned(row.order_id.get());
        out.text(row.currency.as_str());
        out.signed(row.amount.0);
        out.time(row.at);
    })?;
    sink.insert(&table::REFERRAL_LEDGER, &[], life.referral_ledger.iter(), |row, out| {
        out.unsigned(row.seq);
        out.text(row.bucket.as_str());
        out.unsigned(row.order_id.get());
        out.text(&row.code);
        out.unsigned(row.customer_id.get());
        out.text(row.currency.as_str());
        out.signed(row.amount.0);
        out.time(row.at);
    })
}

fn payment(row: &PaymentRow, out: &mut dyn Values) {
    out.unsigned(row.order_id.get());
    out.unsigned(u64::from(row.number));
    out.unsigned(u64::from(row.stray_refund));
    out.text(row.by.as_str());
    out.text(row.status.as_str());
    out.optional_text(row.payment_id.as_deref());
    out.optional_signed(row.amount.map(|amount| amount.0));
    out.text(row.currency.as_str());
    out.time(row.started_at);
    out.optional_time(row.ended_at);
}

fn refund(row: &RefundRow, out: &mut dyn Values) {
    out.unsigned(row.order_id.get());
    out.unsigned(u64::from(row.number));
    out.text(row.by.as_str());
    out.text(row.status.as_str());
    out.optional_text(row.payment_id.as_deref());
    out.signed(row.amount.0);
    out.text(row.currency.as_str());
    out.text(&row.reason);
    out.optional_text(row.refund_id.as_deref());
    out.optional_text(row.credit_note.as_ref().map(ToString::to_string).as_deref());
    out.time(row.started_at);
    out.optional_time(row.ended_at);
}

fn write_digital(life: &LifeWrites, sink: &mut impl Sink) -> Result<(), StoreError> {
    let goods = || {
        let good_of = |write: &'_ DigitalWrite| write.good.clone();
        life.digital.iter().filter_map(move |((id, _), write)| Some((*id, good_of(write)?)))
    };
    let replaced = ["product_id", "units", "waiting", "expires_at"];
    sink.insert(&table::DIGITAL_GOODS, &replaced, goods(), |(id, good), out| {
        out.unsigned(id.get());
        out.unsigned(u64::from(good.line));
        out.unsigned(good.product_id.get());
        for count in [good.units, good.waiting, 0] {
            out.unsigned(u64::from(count));
        }
        out.time(good.expires_at);
        out.null();
        out.null();
    })?;
    let moments = [
        ("delivered_at", (|write| write.delivered_at) as fn(&DigitalWrite) -> _),
        ("revoked_at", |write| write.revoked_at),
    ];
    for (column, moment) in moments {
        let rows = life.digital.iter().filter_map(|(key, write)| Some((key, moment(write)?)));
        let columns = ["order_id", "line", column];
        sink.update(&table::DIGITAL_GOODS, 2, &columns, rows, |((id, line), at), out| {
            out.unsigned(id.get());
            out.unsigned(u64::from(*line));
            out.time(*at);
        })?;
    }
    let rows = life.digital.iter().filter_map(|(key, write)| Some((key, write.downloads?)));
    let columns = ["order_id", "line", "downloads"];
    sink.update(&table::DIGITAL_GOODS, 2, &columns, rows, |((id, line), downloads), out| {
        out.unsigned(id.get());
        out.unsigned(u64::from(*line));
        out.unsigned(u64::from(*downloads));
    })
}

fn assignment(row: &AssignmentRow, out: &mut dyn Values) {
    let (state, courier) = match row.change {
        CourierChange::Waiting => ("waiting", None),
        CourierChange::Assigned(courier) => ("assigned", Some(courier.get())),
        CourierChange::Released => ("released", None),
    };
    out.unsigned(row.order_id.get());
    out.text(state);
    out.optional_unsigned(courier);
    out.text(&row.city);
    out.unsigned(row.cause);
    out.time(row.at);
}

fn effect(row: &EffectRow, out: &mut dyn Values) {
    let (next_at, error) = match &row.outcome {
        EffectOutcome::Done => (None, None),
        EffectOutcome::Again { at, error } => (Some(*at), Some(&**error)),
        EffectOutcome::Failed { error } => (None, Some(&**error)),
    };
    out.unsigned(row.key.cause);
    out.text(row.key.kind.as_str());
    out.text(&row.key.receiver);
    out.optional_unsigned(row.order_id.map(|id| id.get()));
    out.text(&row.subject);
    out.unsigned(u64::from(row.attempts));
    out.text(row.outcome.state());
    out.optional_time(next_at);
    out.optional_text(error);
    out.time(row.at);
}
