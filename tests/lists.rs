//! Lists of orders: every filter, page by page, newest first, with what the database does not have yet.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Engine, Store, product, seller, until};
use serde_json::{Value, json};

on_both_stores!(
    filters_and_pages_before_and_after_the_drain,
    pages_stand_still_while_orders_come,
    a_list_says_when_it_is_not_complete,
);

const CITIES: [&str; 4] = ["Campinas", "campinas ", "São Paulo", "Niterói"];

/// Sellers 1 to 3, and a product of each with the seller's number.
fn shop(engine: &Engine) -> Client {
    let admin = engine.admin();
    let of_seller = |id: u64| {
        let mut row = product(id, None);
        row["seller_id"] = json!(id);
        row
    };
    let sellers = [1, 2, 3].map(seller);
    assert_eq!(admin.put("/admin/sellers", &json!({ "sellers": sellers })).json["accepted"], 3);
    let products = [1, 2, 3].map(of_seller);
    assert_eq!(admin.put("/admin/products", &json!({ "products": products })).json["accepted"], 3);
    engine.client()
}

/// Orders of five customers, one or two sellers each, to four cities (two spellings of one), every third paid to the
/// courier.
fn place(client: &Client, numbers: std::ops::Range<u64>) -> Vec<Value> {
    let order = |number: u64| {
        let mut items = vec![json!({ "product_id": 1 + number % 3, "quantity": 1 })];
        if number.is_multiple_of(4) {
            items.push(json!({ "product_id": 1 + (number + 1) % 3, "quantity": 2 }));
        }
        let city = CITIES[usize::try_from(number % 4).expect("small")];
        let mut cart = json!({ "customer_id": 1 + number % 5, "items": items, "city": city });
        if number.is_multiple_of(3) {
            cart["payment"] = json!({ "method": "cod" });
        }
        client.buy(&cart)
    };
    numbers.map(order).collect()
}

/// All pages of a list, as the orders were answered: the database's having them is another matter.
fn all(client: &Client, query: &str, limit: usize) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/v1/orders?{query}&limit={limit}{cursor}")).expect(200);
        assert_eq!(page.get("complete"), None, "{page}");
        let orders = page["data"].as_array().expect("orders");
        assert!(orders.len() <= limit, "a page of {}", orders.len());
        found.extend(orders.iter().cloned().map(first_answer));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn first_answer(mut order: Value) -> Value {
    order["persisted"] = json!(false);
    order
}

/// The orders that match, newest first.
fn expected(orders: &[Value], matches: impl Fn(&Value) -> bool) -> Vec<Value> {
    orders.iter().rev().filter(|order| matches(order)).cloned().collect()
}

fn sells(order: &Value, seller: u64) -> bool {
    order["sellers"].as_array().expect("sellers").iter().any(|share| share["seller_id"] == seller)
}

#[track_caller]
fn every_filter_works(client: &Client, orders: &[Value]) {
    let middle = orders[orders.len() / 2]["created_at"].as_str().expect("a time");
    let time = |order: &Value| order["created_at"].as_str().expect("a time").to_owned();
    let city = |order: &Value| order["city"].as_str().expect("a city").to_lowercase();
    let since = format!("from={middle}");
    let before = format!("to={middle}");
    type Matches<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let rows: Vec<(&str, Matches<'_>)> = vec![
        ("", Box::new(|_| true)),
        ("customer_id=3", Box::new(|order| order["customer_id"] == 3)),
        ("customer_id=99", Box::new(|_| false)),
        ("seller_id=2", Box::new(|order| sells(order, 2))),
        ("status=confirmed", Box::new(|order| order["status"] == "confirmed")),
        ("status=pending_payment", Box::new(|order| order["status"] == "pending_payment")),
        ("status=paid", Box::new(|_| false)),
        ("city=%20CAMPINAS", Box::new(move |order| city(order) == "campinas")),
        ("city=s%C3%83o+paulo", Box::new(move |order| city(order) == "são paulo")),
        (&since, Box::new(move |order| time(order).as_str() >= middle)),
        (&before, Box::new(move |order| time(order).as_str() < middle)),
        (
            "customer_id=2&seller_id=1&status=confirmed&city=Campinas",
            Box::new(move |order| {
                order["customer_id"] == 2
                    && sells(order, 1)
                    && order["status"] == "confirmed"
                    && city(order) == "campinas"
            }),
        ),
    ];
    for (query, matches) in &rows {
        for limit in [1, 7, 200] {
            // One by one takes as many calls as there are orders: the short lists are enough for that.
            let wanted = expected(orders, matches);
            if limit > 1 || wanted.len() < 50 {
                let found = all(client, query, limit);
                let ids =
                    |list: &[Value]| list.iter().map(|order| order["order_id"].clone()).collect::<Vec<_>>();
                assert_eq!(ids(&found), ids(&wanted), "?{query} by {limit}");
                assert_eq!(found, wanted, "?{query} by {limit}");
            }
        }
    }
    let page = client.get("/v1/orders").expect(200);
    assert_eq!(page["data"].as_array().map(Vec::len), Some(50), "the page that nobody asked for has 50");
}

fn filters_and_pages_before_and_after_the_drain(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop(&engine);
    let mut orders = place(&client, 0..80);
    engine.drain();
    let held = engine.sql().hold_writes();
    orders.extend(place(&client, 80..160));
    // Half of them are in the database, half are not.
    every_filter_works(&client, &orders);
    let events_before = events(&client, &orders);
    drop(held);
    engine.drain();
    every_filter_works(&client, &orders);
    assert_eq!(events(&client, &orders), events_before);
    let newest = client.get("/v1/orders?limit=1").expect(200)["data"][0].clone();
    assert_eq!(newest["persisted"], true);
    engine.kill9();
    engine.restart();
    every_filter_works(&engine.client(), &orders);
}

/// The history of each order: that it was placed, and confirmed at once where it is paid on delivery.
fn events(client: &Client, orders: &[Value]) -> Vec<Value> {
    let of_order = |order: &Value| {
        let history = client.get(&format!("/v1/orders/{}/events", order["order_id"])).expect(200);
        let kinds = ["placed"].into_iter().chain((order["status"] == "confirmed").then_some("confirmed"));
        let line = |kind| json!({ "seq": order["journal_seq"], "at": order["created_at"], "type": kind });
        assert_eq!(history["data"], Value::Array(kinds.map(line).collect()));
        history
    };
    orders.iter().map(of_order).collect()
}

fn pages_stand_still_while_orders_come(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop(&engine);
    let orders = place(&client, 0..30);
    let first = client.get("/v1/orders?limit=10").expect(200);
    place(&client, 30..45);
    let second = client
        .get(&format!("/v1/orders?limit=10&cursor={}", first["next_cursor"].as_str().expect("more")))
        .expect(200);
    let both = [&first, &second].map(|page| page["data"].as_array().expect("orders").clone()).concat();
    let both: Vec<Value> = both.into_iter().map(first_answer).collect();
    assert_eq!(both, expected(&orders[10..], |_| true));
}

fn a_list_says_when_it_is_not_complete(store: Store) {
    let engine = Engine::start(store, &["engine.recent_orders_max=10"]);
    let client = shop(&engine);
    let early = place(&client, 0..5);
    engine.drain();
    let as_of = engine.status()["writer"]["checkpoint_seq"].clone();
    let held = engine.sql().hold_writes();
    let late = place(&client, 5..25);
    let page = client.get("/v1/orders?limit=200").expect(200);
    assert_eq!((&page["complete"], &page["as_of_seq"]), (&json!(false), &as_of), "{page}");
    // Whatever a list lacks can be read by its id.
    for order in early.iter().chain(&late) {
        let found = client.get(&format!("/v1/orders/{}", order["order_id"])).expect(200);
        assert_eq!(first_answer(found), *order);
    }
    drop(held);
    let page = until("the list to be complete", || {
        let page = client.get("/v1/orders?limit=200").expect(200);
        page.get("complete").is_none().then_some(page)
    });
    assert_eq!(page["data"].as_array().map(Vec::len), Some(early.len() + late.len()));
}
