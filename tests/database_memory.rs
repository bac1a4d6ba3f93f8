//! A database that is down costs disk, not memory: the engine's resident memory with the database stopped grows by no
//! more than the few bytes an order that it must find again.
//!
//! `FLOODGATE_SOAK=1`: stopped for 60 s, at full rate.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Dice, Engine, MariaDb, Store, cart, faults::report, shop_of};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PRODUCTS: u64 = 30;
const STOCK: i64 = 1_000_000_000;

/// Orders in a request: the load has to be the engine's, not the client's.
const BATCH: usize = 100;

/// What an order may add, in bytes: the index of what is not yet in the store (at most 32), the idempotency keys and
/// open orders that it costs with a database as well, and the rounding of tables that double.
const BYTES_AN_ORDER: u64 = 512;

/// What may come on top: buffers that reach their size, segments read again.
const SLACK: u64 = 48 << 20;

#[test]
fn memory_is_flat_while_it_is_stopped() {
    let dice = Dice::new("database_memory");
    let length = Duration::from_secs(if std::env::var_os("FLOODGATE_SOAK").is_some() { 60 } else { 6 });
    let server = Arc::new(MariaDb::start(&[]));
    let settings = ["engine.recent_orders_max=1000", "store.connect_timeout=1s", "store.query_timeout=5s"];
    let engine = Engine::start(Store::on(Arc::clone(&server)), &settings);
    let client = shop_of(&engine, PRODUCTS, STOCK);
    let first = sell(&client, length);
    engine.drain();
    let with_it = engine.resident_bytes();
    server.kill();
    let second = sell(&client, length);
    let without_it = engine.resident_bytes();
    println!(
        "{first} orders with the database: {} MiB; {second} more without: {} MiB",
        with_it >> 20,
        without_it >> 20
    );
    assert!(
        without_it <= with_it + second * BYTES_AN_ORDER + SLACK,
        "{with_it} bytes became {without_it} with {second} orders"
    );
    server.restart();
    engine.drain();
    let sql = engine.sql();
    let orders = sql.number("SELECT COUNT(*) FROM orders");
    assert_eq!(u64::try_from(orders).expect("a count"), first + second);
    let sold = sql.number("SELECT SUM(quantity) FROM order_items");
    assert_eq!(sold, orders);
    let stock = sql.number("SELECT SUM(stock) FROM products");
    assert_eq!(stock, i64::try_from(PRODUCTS).expect("few") * STOCK - sold);
    common::assert_reconciles(&engine);
    report(
        11,
        "database stopped under load",
        1,
        Some(dice.seed()),
        "resident memory within bounds; afterwards each order once, stock right",
    );
}

/// Sells as fast as two clients can; the number of orders.
fn sell(client: &Client, length: Duration) -> u64 {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let shops: Vec<_> = (0..2_u64)
            .map(|shop| {
                let (client, over) = (client.another(), &over);
                scope.spawn(move || {
                    let one = |number: usize| cart(shop + 1, &[(1 + number as u64 % PRODUCTS, 1)]);
                    let carts: Vec<Value> = (0..BATCH).map(one).collect();
                    let body = json!({ "checkouts": carts });
                    let mut orders = 0;
                    while !over.load(Ordering::Relaxed) {
                        let answer = client.post("/v1/checkouts/batch", &body).expect(200);
                        let results = answer["results"].as_array().expect("results");
                        assert!(results.iter().all(|result| result["status"] == 201), "{answer}");
                        orders += results.len() as u64;
                    }
                    orders
                })
            })
            .collect();
        std::thread::sleep(length);
        over.store(true, Ordering::Relaxed);
        shops.into_iter().map(|shop| shop.join().expect("a shop")).sum()
    })
}
