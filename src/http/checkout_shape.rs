//! The checkout request: from JSON to a command.
//!
//! Two readers of one shape. [`read_checkout`] first tries the typed one, which is fast and stops at the first
//! problem; whatever it does not take goes to the careful one, which decides and names every problem.

use super::error::Failure;
use super::idempotency::{KEY_RULE, is_key};
use super::json::{self, Object, Shape, Text, Wrong};
use super::problem::ErrorEntry;
use floodgate_actors::CheckoutCommand;
use floodgate_actors::rules::CartItem;
use floodgate_persistence::model::{Currency, CustomerId, Money, PaymentMethod, ProductId};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Longest city, in characters.
const CITY_MAX: usize = 100;
/// Longest e-mail address, in characters (RFC 5321 §4.5.3.1.3, without the brackets).
const EMAIL_MAX: usize = 254;
/// Longest coupon or referral code.
const CODE_MAX: usize = 64;
/// Longest payment token, in characters.
const TOKEN_MAX: usize = 255;
/// Longest `delivery` object as JSON text, in bytes.
const DELIVERY_MAX: usize = 1_024;

/// What a customer wants to buy. Only `customer_id` and `items` are required; `null` counts as absent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Checkout, example = json!({
    "customer_id": 42, "currency": "BRL", "city": "Campinas", "email": "ada@example.com",
    "items": [{ "product_id": 7, "quantity": 2, "unit_price": 1999 }],
    "expected_total": 3998,
    "delivery": { "name": "Ada", "phone": "+55 19 5555 0100", "address": "Rua A 1", "note": "ring twice" }
}))]
pub(super) struct CheckoutJson<'a> {
    /// Who buys.
    #[schema(minimum = 1, maximum = 9007199254740991_i64)]
    customer_id: u64,
    /// ISO 4217; absent: the configured currency.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[A-Z]{3}$")]
    currency: Option<Text<'a>>,
    /// Where it goes; compared trimmed and case-folded.
    #[schema(value_type = Option<String>, max_length = 100)]
    city: Option<Text<'a>>,
    /// Where the confirmation goes.
    #[schema(value_type = Option<String>, max_length = 254)]
    email: Option<Text<'a>>,
    /// 1–100 items; items of the same product become one line.
    items: Vec<ItemJson>,
    /// Coupon code.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9._-]{1,64}$")]
    coupon: Option<Text<'a>>,
    /// Who recommended the shop.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9._-]{1,64}$")]
    referral_code: Option<Text<'a>>,
    /// The total that the customer saw, in minor units; another one is refused.
    expected_total: Option<i64>,
    /// Stored as given, at most 1 KiB.
    #[schema(value_type = Option<DeliveryJson>)]
    delivery: Option<&'a RawValue>,
    /// Absent: pay later.
    payment: Option<PaymentJson<'a>>,
    /// In a batch: the item's own idempotency key. In a call of its own the key is a header.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    idempotency_key: Option<Option<Text<'a>>>,
}

/// An item of a cart.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckoutItem)]
pub(super) struct ItemJson {
    /// What.
    #[schema(minimum = 1, maximum = 9007199254740991_i64)]
    product_id: u64,
    /// Pieces, 1–10,000 in all items of the product.
    quantity: i64,
    /// The price that the customer saw, in minor units; another one is refused.
    unit_price: Option<i64>,
}

/// How the customer wants to pay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Payment)]
pub(super) struct PaymentJson<'a> {
    /// `card`, or `cod` (cash on delivery).
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^(card|cod)$")]
    method: Text<'a>,
    /// The gateway's token; required for `card`.
    #[schema(value_type = Option<String>, max_length = 255)]
    token: Option<Text<'a>>,
}

/// Where the goods go. Personal data: never logged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Delivery)]
#[expect(
    dead_code,
    reason = "the careful reader looks at the fields by name; this one is read by the document"
)]
pub(super) struct DeliveryJson {
    /// Who receives.
    name: Option<String>,
    /// For questions on the way.
    phone: Option<String>,
    /// May have several lines.
    address: Option<String>,
    /// For the courier.
    note: Option<String>,
}

/// A checkout of the right shape.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReadCheckout {
    /// The command, without a claim.
    pub(super) command: CheckoutCommand,
    /// The item's own key; only in a batch.
    pub(super) key: Option<Box<str>>,
}

/// Whether a checkout may carry its key in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// A call of its own: the key is a header.
    Header,
    /// An item of a batch.
    Body,
}

/// Reads a checkout, or names everything that is wrong with its shape.
pub(super) fn read_checkout(body: &[u8], keys: Keys) -> Result<ReadCheckout, Failure> {
    if let Ok(typed) = serde_json::from_slice::<CheckoutJson<'_>>(body)
        && let Some(read) = quick(typed, keys)
    {
        return Ok(read);
    }
    careful(json::read(body)?, keys).map_err(Failure::shape)
}

/// The typed reader: `None` for everything that is not plainly right.
fn quick(typed: CheckoutJson<'_>, keys: Keys) -> Option<ReadCheckout> {
    let key = match typed.idempotency_key {
        Some(_) if keys == Keys::Header => return None,
        Some(Some(Text(key))) => Some(idempotency_key(&key).ok()?),
        Some(None) | None => None,
    };
    let command = CheckoutCommand {
        customer_id: CustomerId::new(typed.customer_id)?,
        currency: checked(typed.currency, currency)?,
        city: checked(typed.city, city)?,
        email: checked(typed.email, email)?,
        items: typed.items.iter().map(quick_item).collect::<Option<_>>()?,
        coupon: checked(typed.coupon, code)?,
        referral_code: checked(typed.referral_code, code)?,
        expected_total: typed.expected_total.map(Money),
        delivery: match typed.delivery {
            Some(raw) => Some(quick_delivery(raw)?),
            None => None,
        },
        payment_method: match typed.payment {
            Some(payment) => quick_payment(&payment)?,
            None => PaymentMethod::Later,
        },
        idempotency: None,
    };
    Some(ReadCheckout { command, key })
}

fn checked<T>(given: Option<Text<'_>>, check: impl Fn(&str) -> Result<T, Wrong>) -> Option<Option<T>> {
    match given {
        Some(Text(text)) => check(&text).ok().map(Some),
        None => Some(None),
    }
}

fn quick_item(item: &ItemJson) -> Option<CartItem> {
    let product_id = ProductId::new(item.product_id)?;
    Some(CartItem { product_id, quantity: item.quantity, unit_price: item.unit_price.map(Money) })
}

fn quick_payment(payment: &PaymentJson<'_>) -> Option<PaymentMethod> {
    let method = method(&payment.method.0).ok()?;
    let token = match &payment.token {
        Some(Text(text)) => Some(token(text).ok()?),
        None => None,
    };
    (method != PaymentMethod::Card || token.is_some()).then_some(method)
}

fn quick_delivery(raw: &RawValue) -> Option<Box<str>> {
    let mut shape = Shape::default();
    let read = delivery(raw, String::new(), &mut shape);
    shape.finish(read).ok()
}

/// The careful reader: every problem, each with its pointer.
fn careful(raw: &RawValue, keys: Keys) -> Result<ReadCheckout, Vec<ErrorEntry>> {
    let mut shape = Shape::default();
    let read = Object::open(raw, String::new(), &mut shape).and_then(|mut object| {
        let read = careful_checkout(&mut object, keys, &mut shape);
        object.close(&mut shape);
        read
    });
    shape.finish(read)
}

fn careful_checkout(object: &mut Object<'_>, keys: Keys, shape: &mut Shape) -> Option<ReadCheckout> {
    let customer_id = object.required("customer_id", shape, id);
    let items = careful_items(object, shape);
    let command = CheckoutCommand {
        customer_id: CustomerId(0),
        currency: object.optional("currency", shape, |raw| currency(&json::text(raw)?)),
        city: object.optional("city", shape, |raw| city(&json::text(raw)?)),
        email: object.optional("email", shape, |raw| email(&json::text(raw)?)),
        items: Vec::new(),
        coupon: object.optional("coupon", shape, |raw| code(&json::text(raw)?)),
        referral_code: object.optional("referral_code", shape, |raw| code(&json::text(raw)?)),
        expected_total: object.optional("expected_total", shape, json::integer).map(Money),
        delivery: object.raw("delivery").and_then(|raw| delivery(raw, object.at("delivery"), shape)),
        payment_method: careful_payment(object, shape).unwrap_or(PaymentMethod::Later),
        idempotency: None,
    };
    let key = match keys {
        Keys::Header => None,
        Keys::Body => object.optional("idempotency_key", shape, |raw| idempotency_key(&json::text(raw)?)),
    };
    let command = CheckoutCommand { customer_id: CustomerId(customer_id?), items: items?, ..command };
    Some(ReadCheckout { command, key })
}

fn careful_items(object: &mut Object<'_>, shape: &mut Shape) -> Option<Vec<CartItem>> {
    let items = object.list("items", shape)?;
    let at = object.at("items");
    let read = items.into_iter().enumerate().map(|(place, raw)| {
        let mut item = Object::open(raw, format!("{at}/{place}"), shape)?;
        let product_id = item.required("product_id", shape, id);
        let quantity = item.required("quantity", shape, json::integer);
        let unit_price = item.optional("unit_price", shape, json::integer).map(Money);
        item.close(shape);
        Some(CartItem { product_id: ProductId(product_id?), quantity: quantity?, unit_price })
    });
    // Each item is looked at, also after one that is wrong.
    let read: Vec<_> = read.collect();
    read.into_iter().collect()
}

fn careful_payment(object: &mut Object<'_>, shape: &mut Shape) -> Option<PaymentMethod> {
    let raw = object.raw("payment")?;
    let mut payment = Object::open(raw, object.at("payment"), shape)?;
    let method = payment.required("method", shape, |raw| method(&json::text(raw)?));
    let read_token = |raw| token(&json::text(raw)?);
    match method {
        Some(PaymentMethod::Card) => payment.required("token", shape, read_token),
        _ => payment.optional("token", shape, read_token),
    };
    payment.close(shape);
    method
}

/// The object as it was given, if it is one of four strings.
fn delivery(raw: &RawValue, pointer: String, shape: &mut Shape) -> Option<Box<str>> {
    if raw.get().len() > DELIVERY_MAX {
        shape.invalid(pointer, format!("must be at most {DELIVERY_MAX} bytes of JSON"));
        return None;
    }
    let mut object = Object::open(raw, pointer, shape)?;
    for name in ["name", "phone", "address", "note"] {
        object.optional(name, shape, |raw| lines(&json::text(raw)?));
    }
    object.close(shape);
    Some(raw.get().into())
}

/// Addresses have several lines; other control characters have no business anywhere.
fn lines(text: &str) -> Result<(), Wrong> {
    match text.chars().any(|found| found.is_control() && !"\n\r\t".contains(found)) {
        true => Err("must not have control characters other than line breaks and tabs".into()),
        false => Ok(()),
    }
}

fn currency(text: &str) -> Result<Currency, Wrong> {
    Currency::new(text).ok_or("must be three capital letters (ISO 4217)".into())
}

/// A city without the spaces around it.
pub(super) fn city(given: &str) -> Result<Box<str>, Wrong> {
    plain(given.trim(), CITY_MAX)
}

fn email(text: &str) -> Result<Box<str>, Wrong> {
    if !text.contains('@') {
        return Err("must be an e-mail address".into());
    }
    plain(text, EMAIL_MAX)
}

fn code(text: &str) -> Result<Box<str>, Wrong> {
    let fine = (1..=CODE_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    fine.then(|| text.into()).ok_or(format!("must be 1 to {CODE_MAX} of A-Z a-z 0-9 . _ -").into())
}

fn method(text: &str) -> Result<PaymentMethod, Wrong> {
    match text {
        "card" => Ok(PaymentMethod::Card),
        "cod" => Ok(PaymentMethod::CashOnDelivery),
        _ => Err("must be card or cod".into()),
    }
}

fn token(text: &str) -> Result<Box<str>, Wrong> {
    plain(text, TOKEN_MAX)
}

fn idempotency_key(text: &str) -> Result<Box<str>, Wrong> {
    is_key(text).then(|| text.into()).ok_or(KEY_RULE.into())
}

/// An id that every JSON reader keeps exactly.
pub(super) fn id(raw: &RawValue) -> Result<u64, Wrong> {
    let id = u64::try_from(json::integer(raw)?).ok().and_then(ProductId::new);
    id.map(ProductId::get).ok_or("must be 1 to 9007199254740991".into())
}

/// Text on one line: 1 … `max` characters, none of them a control character.
pub(super) fn plain(text: &str, max: usize) -> Result<Box<str>, Wrong> {
    if text.is_empty() {
        return Err("must not be empty".into());
    }
    if text.chars().count() > max {
        return Err(format!("must be at most {max} characters").into());
    }
    if text.chars().any(char::is_control) {
        return Err("must not have control characters".into());
    }
    Ok(text.into())
}

/// Tells a field that is `null` from one that is not there.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Text<'de>>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests;
