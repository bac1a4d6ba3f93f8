//! Orders as answers. The structs borrow from the order and are written straight to text; the same structs describe
//! themselves to the API document, so that the two cannot drift apart.

use floodgate_actors::{OrderView, PlacedOrder};
use floodgate_persistence::model::{
    InvoiceNumber, OrderLine, OrderPlaced, OrderStatus, SellerShare, Timestamp,
};
use serde::{Serialize, Serializer};
use std::fmt::Display;
use utoipa::ToSchema;

/// An order.
#[derive(Serialize, ToSchema)]
#[schema(as = Order, example = json!(crate::http::openapi::order_example()))]
pub(super) struct OrderJson<'a> {
    order_id: u64,
    /// `<prefix>-<year>-<number>`, without a gap and without a repeat.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String)]
    invoice_number: &'a InvoiceNumber,
    #[schema(value_type = StatusJson)]
    status: &'static str,
    customer_id: u64,
    currency: &'a str,
    city: Option<&'a str>,
    #[serde(serialize_with = "lines")]
    #[schema(value_type = Vec<LineJson>)]
    items: &'a [OrderLine],
    #[serde(serialize_with = "shares")]
    #[schema(value_type = Vec<ShareJson>)]
    sellers: &'a [SellerShare],
    /// Σ quantity × unit price.
    subtotal: i64,
    discount: i64,
    shipping: i64,
    tax: i64,
    /// subtotal − discount + shipping + tax.
    total: i64,
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is cancelled unless it is paid; `null`: never.
    #[serde(serialize_with = "as_text_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Sequence of its placing in the journal.
    journal_seq: u64,
    /// The database has all of it.
    persisted: bool,
}

/// Where an order stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderStatus)]
#[expect(dead_code, reason = "read by the document; answers take the name from the model")]
pub(super) enum StatusJson {
    PendingPayment,
    Confirmed,
    Paid,
    Fulfilled,
    Cancelled,
    PartiallyRefunded,
    Refunded,
}

/// A line of an order: what was true when it was sold.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub(super) struct LineJson<'a> {
    line: u16,
    product_id: u64,
    seller_id: u64,
    name: &'a str,
    quantity: u32,
    unit_price: i64,
    discount: i64,
    /// quantity × unit price − discount.
    line_total: i64,
    digital: bool,
}

/// A seller's part of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = SellerShare)]
pub(super) struct ShareJson {
    seller_id: u64,
    /// Σ line total of the seller's lines.
    subtotal: i64,
    commission: i64,
    /// subtotal − commission.
    payout: i64,
}

impl<'a> OrderJson<'a> {
    /// An order as it was first answered.
    pub(super) fn placed(placed: &'a PlacedOrder) -> Self {
        Self::new(&placed.order, placed.seq, placed.at, placed.order.status, false)
    }

    /// An order as it is now.
    pub(super) fn now(view: &'a OrderView) -> Self {
        Self::new(&view.placed, view.seq, view.at, view.status, view.persisted)
    }

    fn new(order: &'a OrderPlaced, seq: u64, at: Timestamp, status: OrderStatus, persisted: bool) -> Self {
        Self {
            order_id: order.order_id.get(),
            invoice_number: &order.invoice,
            status: status.as_str(),
            customer_id: order.customer_id.get(),
            currency: order.currency.as_str(),
            city: order.city.as_deref(),
            items: &order.lines,
            sellers: &order.sellers,
            subtotal: order.subtotal.0,
            discount: order.discount.0,
            shipping: order.shipping.0,
            tax: order.tax.0,
            total: order.total.0,
            created_at: at,
            expires_at: order.expires_at,
            journal_seq: seq,
            persisted,
        }
    }
}

/// What a checkout would become.
#[derive(Serialize, ToSchema)]
#[schema(as = Quote)]
pub(super) struct QuoteJson<'a> {
    customer_id: u64,
    currency: &'a str,
    city: Option<&'a str>,
    #[serde(serialize_with = "lines")]
    #[schema(value_type = Vec<LineJson>)]
    items: &'a [OrderLine],
    #[serde(serialize_with = "shares")]
    #[schema(value_type = Vec<ShareJson>)]
    sellers: &'a [SellerShare],
    subtotal: i64,
    discount: i64,
    shipping: i64,
    tax: i64,
    total: i64,
}

impl<'a> QuoteJson<'a> {
    /// A priced order that was not placed.
    pub(super) fn new(order: &'a OrderPlaced) -> Self {
        Self {
            customer_id: order.customer_id.get(),
            currency: order.currency.as_str(),
            city: order.city.as_deref(),
            items: &order.lines,
            sellers: &order.sellers,
            subtotal: order.subtotal.0,
            discount: order.discount.0,
            shipping: order.shipping.0,
            tax: order.tax.0,
            total: order.total.0,
        }
    }
}

fn lines<S: Serializer>(lines: &[OrderLine], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(lines.iter().map(|line| LineJson {
        line: line.line,
        product_id: line.product_id.get(),
        seller_id: line.seller_id.get(),
        name: &line.name,
        quantity: line.quantity,
        unit_price: line.unit_price.0,
        discount: line.discount.0,
        line_total: line.line_total.0,
        digital: line.digital,
    }))
}

fn shares<S: Serializer>(shares: &[SellerShare], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(shares.iter().map(|share| ShareJson {
        seller_id: share.seller_id.get(),
        subtotal: share.subtotal.0,
        commission: share.commission.0,
        payout: share.payout.0,
    }))
}

/// Writes a value as the text that it displays.
pub(super) fn as_text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes a value as the text that it displays, nothing as `null`.
pub(super) fn as_text_or_null<S: Serializer>(
    value: &Option<impl Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use floodgate_persistence::model::{
        Currency, CustomerId, Money, OrderId, PaymentMethod, ProductId, SellerId,
    };
    use std::sync::Arc;

    /// The worked example of the API's description, byte for byte without its spaces.
    const EXAMPLE: &str = concat!(
        r#"{"order_id":1001,"invoice_number":"INV-2026-0000000001","status":"pending_payment","#,
        r#""customer_id":42,"currency":"BRL","city":"Campinas","#,
        r#""items":[{"line":1,"product_id":7,"seller_id":3,"name":"Kettle","quantity":2,"unit_price":1000,"#,
        r#""discount":200,"line_total":1800,"digital":false},"#,
        r#"{"line":2,"product_id":9,"seller_id":4,"name":"E-book","quantity":1,"unit_price":999,"#,
        r#""discount":100,"line_total":899,"digital":true}],"#,
        r#""sellers":[{"seller_id":3,"subtotal":1800,"commission":180,"payout":1620},"#,
        r#"{"seller_id":4,"subtotal":899,"commission":90,"payout":809}],"#,
        r#""subtotal":2999,"discount":300,"shipping":700,"tax":270,"total":3669,"#,
        r#""created_at":"2026-11-23T10:00:00.123Z","expires_at":"2026-11-23T10:15:00.123Z","#,
        r#""journal_seq":12345,"persisted":false}"#,
    );

    fn line(number: u16, ids: (u64, u64), name: &str, amounts: (u32, i64, i64), digital: bool) -> OrderLine {
        let (quantity, unit_price, discount) = amounts;
        OrderLine {
            line: number,
            product_id: ProductId(ids.0),
            seller_id: SellerId(ids.1),
            name: name.into(),
            quantity,
            unit_price: Money(unit_price),
            discount: Money(discount),
            line_total: Money(i64::from(quantity) * unit_price - discount),
            digital,
            stock_taken: 0,
        }
    }

    fn share(seller_id: u64, subtotal: i64, commission: i64) -> SellerShare {
        SellerShare {
            seller_id: SellerId(seller_id),
            subtotal: Money(subtotal),
            commission: Money(commission),
            payout: Money(subtotal - commission),
        }
    }

    /// The order of the worked example.
    pub(crate) fn example() -> PlacedOrder {
        let at = Timestamp::from_rfc3339("2026-11-23T10:00:00.123Z").expect("a time");
        let order = OrderPlaced {
            order_id: OrderId(1001),
            invoice: InvoiceNumber { prefix: "INV".into(), year: 2026, number: 1 },
            status: OrderStatus::PendingPayment,
            customer_id: CustomerId(42),
            currency: Currency::new("BRL").expect("a currency"),
            city: Some("Campinas".into()),
            email: None,
            lines: vec![
                line(1, (7, 3), "Kettle", (2, 1000, 200), false),
                line(2, (9, 4), "E-book", (1, 999, 100), true),
            ],
            sellers: vec![share(3, 1800, 180), share(4, 899, 90)],
            subtotal: Money(2999),
            discount: Money(300),
            shipping: Money(700),
            tax: Money(270),
            total: Money(3669),
            coupon: None,
            referral_code: None,
            referral: None,
            delivery: None,
            payment_method: PaymentMethod::Later,
            expires_at: Some(at.plus_millis(15 * 60 * 1000)),
            idempotency: None,
        };
        PlacedOrder { order: Arc::new(order), seq: 12345, at, replayed: false }
    }

    #[test]
    fn the_worked_example_is_written_as_described() {
        let written = serde_json::to_string(&OrderJson::placed(&example())).expect("an order");
        assert_eq!(written, EXAMPLE);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&written).expect("JSON"),
            super::super::openapi::order_example()
        );
    }

    #[test]
    fn what_is_not_there_is_null_and_text_is_escaped() {
        let placed = example();
        let mut order = (*placed.order).clone();
        order.city = None;
        order.expires_at = None;
        order.lines[0].name = "a \"b\" \\ \u{1}\u{2028} é".into();
        let view = OrderView {
            placed: Arc::new(order),
            seq: 1,
            at: placed.at,
            status: OrderStatus::Cancelled,
            persisted: true,
        };
        let written = serde_json::to_value(OrderJson::now(&view)).expect("an order");
        assert_eq!(written["city"], serde_json::Value::Null);
        assert_eq!(written["expires_at"], serde_json::Value::Null);
        assert_eq!(written["status"], "cancelled");
        assert_eq!(written["persisted"], true);
        assert_eq!(written["items"][0]["name"], "a \"b\" \\ \u{1}\u{2028} é");
    }

    #[test]
    fn the_document_knows_every_status() {
        let schema = serde_json::to_value(<StatusJson as utoipa::PartialSchema>::schema()).expect("a schema");
        let names: Vec<_> = OrderStatus::ALL.iter().map(|status| status.as_str()).collect();
        assert_eq!(schema["enum"], serde_json::json!(names));
    }
}
