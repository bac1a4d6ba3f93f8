mod life;
mod terms;

use floodgate_persistence::model::{
    Event, IdempotencyClaim, OrderLine, OrderPlaced, Product, ProductPut, Record, Seller, SellerShare,
    StockAdjusted, StockChange,
};
use serde_json::{Value, json};

/// A record as one JSON object: `seq`, `at`, `type` and the event's own fields, all of them.
pub(super) fn of(record: &Record) -> Value {
    let mut object = fields(&record.event);
    if let Value::Object(map) = &mut object {
        map.insert("seq".to_owned(), json!(record.seq));
        map.insert("at".to_owned(), json!(record.at.to_rfc3339()));
        map.insert("type".to_owned(), json!(record.event.kind().as_str()));
    }
    object
}

fn fields(event: &Event) -> Value {
    match event {
        Event::EngineStarted { epoch } => json!({ "epoch": epoch }),
        Event::ProductPut(put) => product_put(put),
        Event::SellerPut(row) => seller(row),
        Event::StockAdjusted(adjusted) => stock_adjusted(adjusted),
        Event::OrderPlaced(placed) => order(placed),
        Event::OrderChanged(changed) => life::order_changed(changed),
        Event::CouponPut(row) => terms::coupon(row),
        Event::ShippingPut(row) => terms::shipping(row),
        Event::TaxPut(row) => terms::tax(row),
        Event::ReferralPut(row) => terms::referral_code(row),
        Event::CourierPut(row) => terms::courier(row),
        Event::LicencePut(row) => terms::licence(row),
        Event::CourierChanged(changed) => life::courier_changed(changed),
        Event::DigitalChanged(changed) => life::digital_changed(changed),
        Event::EffectTried(tried) => life::effect_tried(tried),
    }
}

fn product_put(put: &ProductPut) -> Value {
    let Product { id, seller_id, name, price, currency, digital, active, max_per_order, download_path } =
        &put.product;
    let stock = match put.stock {
        StockChange::Unchanged => Value::Null,
        StockChange::Delta(delta) => json!({ "delta": delta }),
        StockChange::Counted(from) => json!({ "counted": from }),
    };
    json!({
        "product_id": id, "seller_id": seller_id, "name": name, "price": price, "currency": currency,
        "digital": digital, "active": active, "max_per_order": max_per_order, "download_path": download_path,
        "stock": stock,
    })
}

fn seller(row: &Seller) -> Value {
    let Seller { id, name, city, commission_bps, active } = row;
    json!({ "seller_id": id, "name": name, "city": city, "commission_bps": commission_bps, "active": active })
}

fn stock_adjusted(adjusted: &StockAdjusted) -> Value {
    let StockAdjusted { product_id, delta, reason, idempotency } = adjusted;
    json!({ "product_id": product_id, "delta": delta, "reason": reason, "idempotency": claim(idempotency.as_ref()) })
}

fn order(placed: &OrderPlaced) -> Value {
    json!({
        "order_id": placed.order_id, "invoice_number": placed.invoice.to_string(),
        "status": placed.status.as_str(), "customer_id": placed.customer_id, "currency": placed.currency,
        "city": placed.city, "email": placed.email,
        "items": placed.lines.iter().map(line).collect::<Vec<_>>(),
        "sellers": placed.sellers.iter().map(share).collect::<Vec<_>>(),
        "subtotal": placed.subtotal, "discount": placed.discount, "shipping": placed.shipping,
        "tax": placed.tax, "total": placed.total,
        "coupon": placed.coupon, "referral_code": placed.referral_code,
        "referral": placed.referral.map(|share| json!({ "customer_id": share.customer_id, "amount": share.amount })),
        "delivery": placed.delivery,
        "payment_method": placed.payment_method.as_str(),
        "expires_at": placed.expires_at.map(|at| at.to_rfc3339()),
        "idempotency": claim(placed.idempotency.as_ref()),
    })
}

fn line(line: &OrderLine) -> Value {
    json!({
        "line": line.line, "product_id": line.product_id, "seller_id": line.seller_id, "name": line.name,
        "quantity": line.quantity, "unit_price": line.unit_price, "discount": line.discount,
        "line_total": line.line_total, "digital": line.digital, "stock_taken": line.stock_taken,
    })
}

fn share(share: &SellerShare) -> Value {
    let SellerShare { seller_id, subtotal, commission, payout } = share;
    json!({ "seller_id": seller_id, "subtotal": subtotal, "commission": commission, "payout": payout })
}

fn claim(claim: Option<&IdempotencyClaim>) -> Value {
    let hex = |bytes: &[u8; 16]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    claim.map_or(Value::Null, |claim| json!({ "key": hex(&claim.key), "body": hex(&claim.body) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_persistence::model::{ProductId, Timestamp};

    #[test]
    fn a_record_names_its_place_time_and_type() {
        let event = Event::StockAdjusted(Box::new(StockAdjusted {
            product_id: ProductId(7),
            delta: -2,
            reason: "broken".into(),
            idempotency: Some(IdempotencyClaim { key: [1; 16], body: [255; 16] }),
        }));
        let record = Record { seq: 3, at: Timestamp(0), event };
        let expected = json!({
            "seq": 3, "at": "1970-01-01T00:00:00.000Z", "type": "stock_adjusted", "product_id": 7, "delta": -2,
            "reason": "broken", "idempotency": { "key": "01".repeat(16), "body": "ff".repeat(16) },
        });
        assert_eq!(of(&record), expected);
    }
}
