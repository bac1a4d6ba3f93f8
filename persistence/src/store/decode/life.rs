//! Rows of what happens to orders, and of the terms.

use super::{Row, binary, flag, number, signed, time, unsigned};
use crate::model::{
    Bucket, Coupon, CouponValue, Courier, CourierChange, CourierId, Currency, CustomerId, EffectKey,
    EffectKind, EffectOutcome, InvoiceNumber, Money, OrderId, PaidBy, ProductId, ReferralCode, SellerId,
    ShippingRate, TaxRate,
};
use crate::store::StoreError;
use crate::store::rows::{
    AssignmentRow, CallbackRow, CouponUses, DigitalRow, EffectRow, LedgerTotal, LicenceRow, PaymentRow,
    PaymentStatus, RefundRow, RefundStatus, SellerLedgerRow,
};

fn paid_by(name: &str) -> Option<PaidBy> {
    [PaidBy::Card, PaidBy::Cash, PaidBy::Nothing].into_iter().find(|by| by.as_str() == name)
}

fn broken(what: &str) -> StoreError {
    StoreError::Broken(format!("a row holds no {what}"))
}

/// A payment.
pub fn payment(row: &mut Row<'_>) -> Result<PaymentRow, StoreError> {
    Ok(PaymentRow {
        order_id: OrderId(number(row)?),
        number: row.small()?,
        stray_refund: row.small()?,
        by: row.name(paid_by)?,
        status: row.name(PaymentStatus::parse)?,
        payment_id: row.optional_boxed()?,
        amount: row.optional(signed)?.map(Money),
        currency: row.name(Currency::new)?,
        started_at: row.take(time)?,
        ended_at: row.optional(time)?,
    })
}

/// A refund.
pub fn refund(row: &mut Row<'_>) -> Result<RefundRow, StoreError> {
    Ok(RefundRow {
        order_id: OrderId(number(row)?),
        number: row.small()?,
        by: row.name(paid_by)?,
        status: row.name(RefundStatus::parse)?,
        payment_id: row.optional_boxed()?,
        amount: row.money()?,
        currency: row.name(Currency::new)?,
        reason: row.boxed()?,
        refund_id: row.optional_boxed()?,
        credit_note: row.optional(|cell| InvoiceNumber::parse(super::text(cell)?))?,
        started_at: row.take(time)?,
        ended_at: row.optional(time)?,
    })
}

/// A row of a seller's ledger.
pub fn seller_ledger(row: &mut Row<'_>) -> Result<SellerLedgerRow, StoreError> {
    Ok(SellerLedgerRow {
        seq: number(row)?,
        seller_id: SellerId(number(row)?),
        bucket: row.name(Bucket::parse)?,
        order_id: OrderId(number(row)?),
        currency: row.name(Currency::new)?,
        amount: row.money()?,
        at: row.take(time)?,
    })
}

/// A bucket's sum.
pub fn total(row: &mut Row<'_>) -> Result<LedgerTotal, StoreError> {
    let currency = row.name(Currency::new)?;
    Ok(LedgerTotal { currency, bucket: row.name(Bucket::parse)?, amount: row.money()? })
}

/// A coupon.
pub fn coupon(row: &mut Row<'_>) -> Result<Coupon, StoreError> {
    let code = row.boxed()?;
    let kind = row.boxed()?;
    let value = row.take(signed)?;
    let value = match &*kind {
        "percent" => u32::try_from(value).map(CouponValue::Percent).map_err(|_| broken("basis points"))?,
        "fixed" => CouponValue::Fixed(Money(value)),
        _ => return Err(broken("kind of coupon")),
    };
    Ok(Coupon {
        code,
        value,
        currency: row.name(Currency::new)?,
        seller_id: row.optional(unsigned)?.map(SellerId),
        starts_at: row.optional(time)?,
        ends_at: row.optional(time)?,
        max_uses: row.optional(unsigned)?,
        max_uses_per_customer: row.optional(unsigned)?,
        min_subtotal: row.optional(signed)?.map(Money),
    })
}

/// Uses of a coupon.
pub fn coupon_uses(row: &mut Row<'_>) -> Result<CouponUses, StoreError> {
    let (code, customer_id) = (row.boxed()?, CustomerId(number(row)?));
    Ok(CouponUses { code, customer_id, uses: row.take(signed)? })
}

/// A price of shipping; its key is made from its city.
pub fn shipping(row: &mut Row<'_>) -> Result<ShippingRate, StoreError> {
    row.boxed()?;
    let currency = row.name(Currency::new)?;
    let (city, price) = (row.boxed()?, row.money()?);
    Ok(ShippingRate { city, price, currency, free_over: row.optional(signed)?.map(Money) })
}

/// A tax; its key is made from its city.
pub fn tax(row: &mut Row<'_>) -> Result<TaxRate, StoreError> {
    row.boxed()?;
    Ok(TaxRate { city: row.boxed()?, rate_bps: row.small()? })
}

/// A referral code.
pub fn referral_code(row: &mut Row<'_>) -> Result<ReferralCode, StoreError> {
    let (code, customer_id) = (row.boxed()?, CustomerId(number(row)?));
    Ok(ReferralCode { code, customer_id, active: row.take(flag)? })
}

/// A courier; the key of the city is made from it.
pub fn courier(row: &mut Row<'_>) -> Result<Courier, StoreError> {
    let (id, name, city) = (CourierId(number(row)?), row.boxed()?, row.boxed()?);
    row.boxed()?;
    Ok(Courier { id, name, city, capacity: row.small()?, active: row.take(flag)? })
}

/// Who brings an order.
pub fn assignment(row: &mut Row<'_>) -> Result<AssignmentRow, StoreError> {
    let order_id = OrderId(number(row)?);
    let state = row.boxed()?;
    let courier = row.optional(unsigned)?.map(CourierId);
    let change = match (&*state, courier) {
        ("waiting", None) => CourierChange::Waiting,
        ("assigned", Some(id)) => CourierChange::Assigned(id),
        ("released", None) => CourierChange::Released,
        _ => return Err(broken("state of an assignment")),
    };
    Ok(AssignmentRow { order_id, change, city: row.boxed()?, cause: number(row)?, at: row.take(time)? })
}

/// A licence key.
pub fn licence(row: &mut Row<'_>) -> Result<LicenceRow, StoreError> {
    Ok(LicenceRow {
        product_id: ProductId(number(row)?),
        key: row.boxed()?,
        seq: number(row)?,
        order_id: row.optional(unsigned)?.map(OrderId),
        line: row.optional(|cell| u16::try_from(unsigned(cell)?).ok())?,
        given_at: row.optional(time)?,
    })
}

/// Digital goods.
pub fn digital(row: &mut Row<'_>) -> Result<DigitalRow, StoreError> {
    Ok(DigitalRow {
        order_id: OrderId(number(row)?),
        line: row.small()?,
        product_id: ProductId(number(row)?),
        units: row.small()?,
        waiting: row.small()?,
        downloads: row.small()?,
        expires_at: row.take(time)?,
        delivered_at: row.optional(time)?,
        revoked_at: row.optional(time)?,
    })
}

/// An effect.
pub fn effect(row: &mut Row<'_>) -> Result<EffectRow, StoreError> {
    let (cause, kind, receiver) = (number(row)?, row.name(EffectKind::parse)?, row.boxed()?);
    let order_id = row.optional(unsigned)?.map(OrderId);
    let (subject, attempts, state) = (row.boxed()?, row.small()?, row.boxed()?);
    let (next_at, error) = (row.optional(time)?, row.optional_boxed()?);
    let outcome = match (&*state, next_at, error) {
        ("done", None, None) => EffectOutcome::Done,
        ("waiting", Some(at), Some(error)) => EffectOutcome::Again { at, error },
        ("failed", None, Some(error)) => EffectOutcome::Failed { error },
        _ => return Err(broken("state of an effect")),
    };
    let key = EffectKey { cause, kind, receiver };
    Ok(EffectRow { key, order_id, subject, attempts, outcome, at: row.take(time)? })
}

/// A callback.
pub fn callback(row: &mut Row<'_>) -> Result<CallbackRow, StoreError> {
    let (seq, callback) = (number(row)?, row.take(binary)?);
    Ok(CallbackRow { seq, callback, order_id: OrderId(number(row)?), at: row.take(time)? })
}
