//! Many want the same: exactly what there is is sold, nobody waits for ever, nothing stays taken.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Engine, Store, assert_invoices_are_gapless, cart, faults::report, shop_of};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

on_both_stores!(a_thousand_clients_for_a_hundred_pieces);

const THREADS: usize = 50;

/// All carts at once, each over a connection of its own; the answers by status: orders, and what was refused.
fn rush(client: &Client, carts: &[Value]) -> (Vec<Value>, usize) {
    let (next, together) = (AtomicUsize::new(0), Barrier::new(THREADS));
    let shop = || {
        together.wait();
        let mut orders = Vec::new();
        while let Some(cart) = carts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let answer = client.another().post("/v1/checkouts", cart);
            match (answer.status, answer.code()) {
                (201, _) => orders.push(answer.json),
                (409, "insufficient_stock") => {}
                _ => panic!("{cart}: {} {}", answer.status, answer.text),
            }
        }
        orders
    };
    let orders: Vec<Value> = std::thread::scope(|scope| {
        let shoppers: Vec<_> = (0..THREADS).map(|_| scope.spawn(shop)).collect();
        shoppers.into_iter().flat_map(|shopper| shopper.join().expect("no panic")).collect()
    });
    let refused = carts.len() - orders.len();
    (orders, refused)
}

/// Nothing is held by anybody.
#[track_caller]
fn nothing_is_held(engine: &Engine) {
    let status = engine.status();
    let held: u64 =
        status["shards"].as_array().expect("shards").iter().filter_map(|shard| shard["held"].as_u64()).sum();
    assert_eq!((held, &status["checkouts"]["in_flight"]), (0, &json!(0)), "{status}");
}

fn a_thousand_clients_for_a_hundred_pieces(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 100);
    let carts: Vec<Value> = (1..=1_000).map(|customer| cart(customer, &[(1, 1)])).collect();
    let (orders, refused) = rush(&client, &carts);
    assert_eq!((orders.len(), refused), (100, 900));
    assert_invoices_are_gapless(orders.iter());
    assert_eq!(client.available(1), 0);
    nothing_is_held(&engine);
    engine.drain();
    let sql = engine.sql();
    assert_eq!(sql.number("SELECT COUNT(*) FROM orders"), 100);
    assert_eq!(sql.number("SELECT SUM(quantity) FROM order_items"), 100);
    assert_eq!(sql.number("SELECT stock FROM products"), 0);
    report(16, "1,000 clients for 100 pieces", carts.len(), None, "exactly 100 sold, nothing held, tables");
}

#[test]
fn carts_that_cross_shards_in_opposite_orders() {
    const PRODUCTS: u64 = 12;
    const STOCK: i64 = 100;
    let engine = Engine::start(Store::sqlite(), &["engine.shards=4"]);
    let client = shop_of(&engine, PRODUCTS, STOCK);
    let shards = engine.status()["shards"].clone();
    let used = |shard: &Value| shard["products"].as_u64() > Some(0);
    assert!(shards.as_array().expect("shards").iter().all(used), "the carts cross all shards: {shards}");
    let forward: Vec<(u64, i64)> = (1..=PRODUCTS).map(|product| (product, 1)).collect();
    let backward: Vec<(u64, i64)> = forward.iter().rev().copied().collect();
    let carts: Vec<Value> = (1..=400)
        .map(|customer| cart(customer, if customer % 2 == 0 { &forward } else { &backward }))
        .collect();
    let (orders, _) = rush(&client, &carts);
    let sold = i64::try_from(orders.len()).expect("few");
    nothing_is_held(&engine);
    for product in 1..=PRODUCTS {
        assert_eq!(client.available(product), STOCK - sold, "product {product}");
    }
    // Two carts that hold half each may both be refused; what they gave back is there for the next.
    for customer in sold..STOCK {
        client.buy(&cart(u64::try_from(customer + 1).expect("positive"), &backward));
    }
    assert_eq!(client.post("/v1/checkouts", &cart(1, &forward)).code(), "insufficient_stock");
    assert!(sold > STOCK / 2, "sold {sold} of {STOCK}");
    let checked = "no deadlock, nothing held, all pieces sold in the end";
    report(16, "carts that cross shards in opposite orders", carts.len(), None, checked);
}

#[test]
fn refused_carts_give_everything_back() {
    const PRODUCTS: u64 = 12;
    let engine = Engine::start(Store::sqlite(), &["engine.shards=4"]);
    let client = shop_of(&engine, PRODUCTS, 5);
    // Every cart wants six pieces of one product, another one each time, and so takes from others in vain.
    let greedy = |customer: u64| {
        let lines: Vec<_> = (1..=PRODUCTS)
            .map(|product| (product, if product == customer % PRODUCTS + 1 { 6 } else { 1 }))
            .collect();
        cart(customer, &lines)
    };
    let carts: Vec<Value> = (1..=600).map(greedy).collect();
    let (orders, refused) = rush(&client, &carts);
    assert_eq!((orders.len(), refused), (0, 600));
    nothing_is_held(&engine);
    for product in 1..=PRODUCTS {
        assert_eq!(client.available(product), 5, "product {product}");
    }
    report(16, "carts that take from twelve products in vain", refused, None, "everything is given back");
}

#[test]
fn a_hot_product_is_sold_to_everybody() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 50, 1_000_000);
    let carts: Vec<Value> =
        (1..=1_500).map(|customer| cart(customer, &[(1, 2), (1 + customer % 49 + 1, 1)])).collect();
    let (orders, refused) = rush(&client, &carts);
    assert_eq!(refused, 0);
    assert_invoices_are_gapless(orders.iter());
    assert_eq!(client.available(1), 1_000_000 - 2 * 1_500);
    nothing_is_held(&engine);
    report(16, "a hot product in every cart", carts.len(), None, "all are served, stock, nothing held");
}
