//! What can be bought: looked up, or put there first.

use super::carts::Ware;
use super::crew::{ask, ask_all};
use super::settings::{LoadError, Settings, Wares};
use super::wire::{Call, Reply, Target, Wire};
use hyper::Method;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// First id of products and sellers that are made for a run.
const OWN_FROM: u64 = 1 << 50;

/// Sellers of own products.
const SELLERS: u64 = 10;

/// One own product in so many is digital and not counted, one in so many has few pieces, which run out.
const DIGITAL_ONE_IN: u64 = 8;
const SCARCE_ONE_IN: u64 = 50;
const SCARCE: i64 = 50;
const PLENTY: i64 = 10_000_000;

/// Rows of one call.
const ROWS_A_PUT: u64 = 2_000;

/// Pieces of a line at the most, where the product has no limit of its own.
const MAX_PER_ORDER: u64 = 10_000;

#[derive(Deserialize)]
struct ProductAnswer {
    currency: String,
    active: bool,
    max_per_order: Option<u64>,
    available: Option<i64>,
}

/// The products of a run and their currency.
pub async fn wares(settings: &Settings, target: &Arc<Target>) -> Result<(String, Vec<Ware>), LoadError> {
    let (from, to) = match settings.wares {
        Wares::There(from, to) => (from, to),
        Wares::Own(count) => {
            put_own(settings, count).await?;
            (OWN_FROM, OWN_FROM + count - 1)
        }
    };
    let found = look_up(target, (from..=to).collect()).await?;
    let mut sellable =
        found.into_iter().filter_map(|(id, product)| Some((id, product.filter(|it| it.active)?)));
    let Some((id, first)) = sellable.next() else {
        return Err(LoadError::Settings(format!("none of the products {from}-{to} can be bought")));
    };
    let currency = first.currency.clone();
    let same = sellable.filter(|(_, product)| product.currency == currency);
    let wares = std::iter::once((id, first)).chain(same).map(|(id, product)| Ware {
        id,
        available: product.available,
        max_per_order: product.max_per_order.unwrap_or(MAX_PER_ORDER).max(1),
    });
    let wares = wares.collect();
    Ok((currency, wares))
}

/// What is left of each product: the outer `None` where it is gone, the inner where it is not counted.
pub async fn left(target: &Arc<Target>, wares: &[Ware]) -> Result<Vec<Option<Option<i64>>>, LoadError> {
    let found = look_up(target, wares.iter().map(|ware| ware.id).collect()).await?;
    Ok(found.into_iter().map(|(_, product)| product.map(|product| product.available)).collect())
}

async fn look_up(
    target: &Arc<Target>,
    ids: Vec<u64>,
) -> Result<Vec<(u64, Option<ProductAnswer>)>, LoadError> {
    let ids: Arc<[u64]> = ids.into();
    let answers: Arc<Mutex<Vec<Option<ProductAnswer>>>> =
        Arc::new(Mutex::new(ids.iter().map(|_| None).collect()));
    let (asked, filled) = (Arc::clone(&ids), Arc::clone(&answers));
    let question = move |place: usize| {
        Call::get(format!("/v1/products/{}", asked.get(place).copied().unwrap_or_default()))
    };
    let take = move |place: usize, reply: Reply| {
        if let Some(slot) = filled.lock().get_mut(place) {
            *slot = serde_json::from_slice(&reply.body).ok().filter(|_| reply.status == 200);
        }
    };
    ask_all(target, ids.len(), question, take).await?;
    let answers = std::mem::take(&mut *answers.lock());
    Ok(ids.iter().copied().zip(answers).collect())
}

async fn put_own(settings: &Settings, count: u64) -> Result<(), LoadError> {
    let admin = Settings { key: settings.admin_token.clone(), ..settings.clone() };
    let mut wire = Wire::new(Arc::new(Target::new(&admin)?));
    let sellers: Vec<_> = (0..SELLERS).map(|number| seller(OWN_FROM + number)).collect();
    put(&mut wire, "sellers", &sellers).await?;
    for first in (0..count).step_by(usize::try_from(ROWS_A_PUT).unwrap_or(1)) {
        let numbers = first..count.min(first + ROWS_A_PUT);
        let rows: Vec<_> = numbers.map(|number| product(number, &settings.currency)).collect();
        put(&mut wire, "products", &rows).await?;
    }
    Ok(())
}

fn seller(id: u64) -> Value {
    json!({ "seller_id": id, "name": format!("Load seller {id}"), "city": "Campinas", "commission_bps": 1000 })
}

fn product(number: u64, currency: &str) -> Value {
    let digital = number % DIGITAL_ONE_IN == 1;
    let stock = if number % SCARCE_ONE_IN == 2 { SCARCE } else { PLENTY };
    json!({
        "product_id": OWN_FROM + number, "seller_id": OWN_FROM + number % SELLERS,
        "name": format!("Load product {number}"), "price": 100 + number % 9_900 * 10, "currency": currency,
        "digital": digital, "stock": (!digital).then_some(stock), "active": true,
    })
}

async fn put(wire: &mut Wire, noun: &str, rows: &[Value]) -> Result<(), LoadError> {
    let body = json!({ noun: rows }).to_string().into_bytes();
    let path = format!("/admin/{noun}");
    let reply = ask(wire, &Call { method: Method::PUT, ..Call::post(path.clone(), body, None) }).await?;
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let accepted = answer.get("accepted").and_then(Value::as_u64);
    if reply.status == 200 && accepted == Some(rows.len() as u64) {
        return Ok(());
    }
    Err(LoadError::engine(&path, format!("status {}: {answer}", reply.status)))
}
