use floodgate_persistence::model::{
    Coupon, CouponValue, Courier, Licence, ReferralCode, ShippingRate, TaxRate, Timestamp,
};
use serde_json::{Value, json};

pub(super) fn coupon(row: &Coupon) -> Value {
    let Coupon { code, currency, seller_id, max_uses, max_uses_per_customer, min_subtotal, .. } = row;
    let value = match row.value {
        CouponValue::Percent(bps) => json!({ "percent_bps": bps }),
        CouponValue::Fixed(amount) => json!({ "fixed": amount }),
    };
    json!({
        "code": code, "value": value, "currency": currency, "seller_id": seller_id,
        "starts_at": row.starts_at.map(Timestamp::to_rfc3339), "ends_at": row.ends_at.map(Timestamp::to_rfc3339),
        "max_uses": max_uses, "max_uses_per_customer": max_uses_per_customer, "min_subtotal": min_subtotal,
    })
}

pub(super) fn shipping(row: &ShippingRate) -> Value {
    let ShippingRate { city, price, currency, free_over } = row;
    json!({ "city": city, "price": price, "currency": currency, "free_over": free_over })
}

pub(super) fn tax(row: &TaxRate) -> Value {
    let TaxRate { city, rate_bps } = row;
    json!({ "city": city, "rate_bps": rate_bps })
}

pub(super) fn referral_code(row: &ReferralCode) -> Value {
    let ReferralCode { code, customer_id, active } = row;
    json!({ "code": code, "customer_id": customer_id, "active": active })
}

pub(super) fn courier(row: &Courier) -> Value {
    let Courier { id, name, city, capacity, active } = row;
    json!({ "courier_id": id, "name": name, "city": city, "capacity": capacity, "active": active })
}

pub(super) fn licence(row: &Licence) -> Value {
    let Licence { product_id, key } = row;
    json!({ "product_id": product_id, "key": key })
}
