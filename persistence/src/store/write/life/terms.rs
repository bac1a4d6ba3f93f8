//! Rows of the terms.

use crate::model::{Coupon, CouponValue, Timestamp};
use crate::store::batch::LifeWrites;
use crate::store::rows::LicenceRow;
use crate::store::table;
use crate::store::write::{Sink, Values};
use crate::store::{StoreError, city_key};

pub(super) fn write(life: &LifeWrites, sink: &mut impl Sink) -> Result<(), StoreError> {
    write_prices(life, sink)?;
    let replaced = ["customer_id", "active", "updated_at"];
    sink.insert(&table::REFERRALS, &replaced, life.referrals.values(), |(row, at), out| {
        out.text(&row.code);
        out.unsigned(row.customer_id.get());
        out.flag(row.active);
        out.time(*at);
    })?;
    let replaced = ["name", "city", "city_key", "capacity", "active", "updated_at"];
    sink.insert(&table::COURIERS, &replaced, life.couriers.values(), |(row, at), out| {
        out.unsigned(row.id.get());
        out.text(&row.name);
        out.text(&row.city);
        out.text(&city_key(&row.city));
        out.unsigned(u64::from(row.capacity));
        out.flag(row.active);
        out.time(*at);
    })?;
    // Replaced by itself: a key that is in the pool already, or was given out of it, stays as it is.
    let replaced = ["licence_key"];
    sink.insert(&table::LICENCES, &replaced, life.licences.iter(), |row, out| licence(row, out))?;
    let replaced = ["order_id", "line", "given_at"];
    sink.insert(&table::LICENCES, &replaced, life.licences_given.iter(), |row, out| licence(row, out))
}

fn write_prices(life: &LifeWrites, sink: &mut impl Sink) -> Result<(), StoreError> {
    let replaced = ["kind", "value", "currency", "seller_id", "starts_at", "ends_at", "max_uses"];
    let replaced = [replaced.as_slice(), &["max_uses_per_customer", "min_subtotal", "updated_at"]].concat();
    sink.insert(&table::COUPONS, &replaced, life.coupons.values(), |(row, at), out| coupon(row, *at, out))?;
    let uses = life.coupon_uses.iter().filter(|(_, more)| **more != 0);
    sink.add(&table::COUPON_USES, "uses", uses, |((code, customer), more), out| {
        out.text(code);
        out.unsigned(customer.get());
        out.signed(**more);
    })?;
    let replaced = ["city", "price", "free_over", "updated_at"];
    sink.insert(&table::SHIPPING, &replaced, life.shipping.iter(), |((key, _), (row, at)), out| {
        out.text(key);
        out.text(row.currency.as_str());
        out.text(&row.city);
        out.signed(row.price.0);
        out.optional_signed(row.free_over.map(|amount| amount.0));
        out.time(*at);
    })?;
    let replaced = ["city", "rate_bps", "updated_at"];
    sink.insert(&table::TAXES, &replaced, life.taxes.iter(), |(key, (row, at)), out| {
        out.text(key);
        out.text(&row.city);
        out.unsigned(u64::from(row.rate_bps));
        out.time(*at);
    })
}

fn coupon(row: &Coupon, at: Timestamp, out: &mut dyn Values) {
    let (kind, value) = match row.value {
        CouponValue::Percent(bps) => ("percent", i64::from(bps)),
        CouponValue::Fixed(amount) => ("fixed", amount.0),
    };
    out.text(&row.code);
    out.text(kind);
    out.signed(value);
    out.text(row.currency.as_str());
    out.optional_unsigned(row.seller_id.map(|id| id.get()));
    out.optional_time(row.starts_at);
    out.optional_time(row.ends_at);
    out.optional_unsigned(row.max_uses);
    out.optional_unsigned(row.max_uses_per_customer);
    out.optional_signed(row.min_subtotal.map(|amount| amount.0));
    out.time(at);
}

fn licence(row: &LicenceRow, out: &mut dyn Values) {
    out.unsigned(row.product_id.get());
    out.text(&row.key);
    out.unsigned(row.seq);
    out.optional_unsigned(row.order_id.map(|id| id.get()));
    out.optional_unsigned(row.line.map(u64::from));
    out.optional_time(row.given_at);
}
