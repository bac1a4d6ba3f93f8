//! The database may go away: orders are taken and read all the same, and written out when it is back, each once.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Engine, MariaDb, Store, assert_tables_agree, cart, faults::report, shop_of, until};
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::sync::Arc;

const PRODUCTS: u64 = 5;
const STOCK: i64 = 1_000;

/// Few orders in memory, so that others have to come from the journal.
fn engine_and_server() -> (Engine, Arc<MariaDb>) {
    let server = Arc::new(MariaDb::start(&[]));
    let engine = Engine::start(Store::on(Arc::clone(&server)), &["engine.recent_orders_max=10"]);
    shop_of(&engine, PRODUCTS, STOCK);
    engine.drain();
    (engine, server)
}

/// Orders, singly and in batches, each read at once.
fn place_orders(client: &Client, customers: RangeInclusive<u64>) -> Vec<Value> {
    let mut orders = Vec::new();
    for customer in customers {
        let one = cart(customer, &[(1 + customer % PRODUCTS, 1)]);
        if customer % 5 == 0 {
            let batch = json!({ "checkouts": [one.clone(), one.clone(), one] });
            let results = client.post("/v1/checkouts/batch", &batch).expect(200);
            orders.extend(
                results["results"].as_array().expect("results").iter().map(|one| one["order"].clone()),
            );
        } else {
            orders.push(client.post_key("/v1/checkouts", &format!("down-{customer}"), &one).expect(201));
        }
        is_there(client, orders.last().expect("an order"));
    }
    orders
}

/// As it was answered; only whether the database has it may be another matter now.
#[track_caller]
fn is_there(client: &Client, order: &Value) {
    let path = format!("/v1/orders/{}", order["order_id"]);
    let mut found = client.get(&path).expect(200);
    found["persisted"] = order["persisted"].clone();
    assert_eq!(&found, order);
    let events = client.get(&format!("{path}/events")).expect(200);
    let placed = json!([{ "seq": order["journal_seq"], "at": order["created_at"], "type": "placed" }]);
    assert_eq!(events["data"], placed);
}

#[track_caller]
fn all_once(engine: &Engine, orders: &[Value]) {
    engine.drain();
    let sql = engine.sql();
    assert_tables_agree(&sql, orders);
    let sold = sql.number("SELECT SUM(quantity) FROM order_items");
    let stock = sql.number("SELECT SUM(stock) FROM products");
    assert_eq!(stock, i64::try_from(PRODUCTS).expect("few") * STOCK - sold);
    for order in orders {
        let found = engine.client().get(&format!("/v1/orders/{}", order["order_id"])).expect(200);
        assert_eq!(found["persisted"], true);
    }
    common::assert_reconciles(engine);
}

#[test]
fn orders_are_taken_and_read_while_it_is_away() {
    let (engine, server) = engine_and_server();
    let client = engine.client();
    let mut orders = place_ten(&client);
    engine.drain();
    server.kill();
    orders.extend(place_orders(&client, 1..=40));
    for order in &orders[10..] {
        is_there(&client, order);
        assert_eq!(client.get(&format!("/v1/orders/{}", order["order_id"])).expect(200)["persisted"], false);
    }
    // What memory does not know is asked for in vain, and said so.
    for (path, code) in [("/v1/orders", "not_ready"), ("/v1/orders?customer_id=1", "not_ready")] {
        assert_eq!((client.get(path).status, client.get(path).code()), (503, code), "{path}");
    }
    assert_eq!(client.get("/readyz").status, 200, "checkouts are taken");
    let status = until("the writer to notice", || {
        let status = engine.status();
        (status["writer"]["state"] == "retrying").then_some(status)
    });
    assert!(status["writer"]["backlog"].as_u64() >= Some(40), "{status}");
    assert!(status["writer"]["last_error"].is_string(), "{status}");
    server.restart();
    all_once(&engine, &orders);
    assert_eq!(engine.status()["writer"]["last_error"], Value::Null);
    assert_eq!(
        client.get("/v1/orders?limit=200").expect(200)["data"].as_array().map(Vec::len),
        Some(orders.len())
    );
    let checked = "orders are taken and read meanwhile, each in the tables once afterwards";
    report(11, "database stopped and started again", orders.len(), None, checked);
}

/// Ten orders while the database is there.
fn place_ten(client: &Client) -> Vec<Value> {
    (1..=10).map(|customer| client.buy(&cart(customer, &[(1, 1)]))).collect()
}

#[test]
fn a_crash_meanwhile_costs_nothing() {
    let (engine, server) = engine_and_server();
    server.kill();
    let orders = place_orders(&engine.client(), 1..=20);
    engine.kill9();
    engine.spawn();
    assert_eq!(engine.ended().code(), Some(1), "without its store it does not start");
    let last = engine.log().pop().unwrap_or_default();
    assert!(last.contains("store: mysql://"), "it says why: {last}");
    server.restart();
    engine.restart();
    orders.iter().for_each(|order| {
        assert_eq!(
            engine.client().get(&format!("/v1/orders/{}", order["order_id"])).expect(200)["items"],
            order["items"]
        );
    });
    all_once(&engine, &orders);
    let again = engine.client().post_key("/v1/checkouts", "down-1", &cart(1, &[(2, 1)]));
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{}", again.text);
    let checked = "no start without the store, then all orders there once, keys remembered";
    report(11, "kill -9 of the engine while the database is away", orders.len(), None, checked);
}

#[test]
fn a_database_that_dies_in_the_middle_gets_each_order_once() {
    let (engine, server) = engine_and_server();
    let client = engine.client();
    let mut orders = Vec::new();
    for first in [1, 101, 201, 301] {
        orders.extend(place_orders(&client, first..=first + 14));
        server.kill();
        orders.extend(place_orders(&client, first + 15..=first + 19));
        server.restart();
    }
    all_once(&engine, &orders);
    report(
        7,
        "kill -9 of the database, four times",
        orders.len(),
        None,
        "each order in the tables once, stock",
    );
}
