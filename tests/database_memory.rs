//! A database that is down costs disk, not memory: the engine's resident memory with the database stopped grows by no
//! more than the few bytes an order that it must find again.
//!
//! `FLOODGATE_SOAK=1`: stopped for 60 s, at full rate, and without slack.

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

/// R12: the same time at full rate by two fresh engines, one whose database runs and one whose database is stopped.
#[test]
fn memory_is_flat_while_it_is_stopped() {
    let dice = Dice::new("database_memory");
    let soak = std::env::var_os("FLOODGATE_SOAK").is_some();
    let length = Duration::from_secs(if soak { 60 } else { 6 });
    let (with_it, first) = runs(length, false);
    let (without_it, second) = runs(length, true);
    println!(
        "{first} orders with the database: {} MiB; {second} without: {} MiB; R12 = {}.{:02}",
        with_it >> 20,
        without_it >> 20,
        without_it / with_it,
        without_it * 100 / with_it % 100,
    );
    // Who has no database to feed sells more in the same time, and remembers more keys and open orders.
    let more = second.saturating_sub(first) * BYTES_AN_ORDER;
    let slack = if soak { 0 } else { SLACK };
    assert!(
        without_it <= with_it / 5 * 6 + more + slack,
        "{with_it} bytes with {first} orders, {without_it} with {second}: more than 1.2 times as much"
    );
    let checked =
        "resident memory at most 1.2 times that with it; afterwards each order once, stock right; reconciled";
    report(11, "database stopped under load", 2, Some(dice.seed()), checked);
}

/// Sells for a while, with the database or without it. Resident memory at the end, and the orders, which are in the
/// database once when it is back.
fn runs(length: Duration, stopped: bool) -> (u64, u64) {
    let server = Arc::new(MariaDb::start(&[]));
    let settings = ["engine.recent_orders_max=1000", "store.connect_timeout=1s", "store.query_timeout=5s"];
    let engine = Engine::start(Store::on(Arc::clone(&server)), &settings);
    let client = shop_of(&engine, PRODUCTS, STOCK);
    engine.drain();
    if stopped {
        server.kill();
    }
    let orders = sell(&client, length);
    let resident = engine.resident_bytes();
    if stopped {
        server.restart();
    }
    engine.drain();
    let sql = engine.sql();
    assert_eq!(u64::try_from(sql.number("SELECT COUNT(*) FROM orders")).expect("a count"), orders);
    let sold = sql.number("SELECT SUM(quantity) FROM order_items");
    let stock = sql.number("SELECT SUM(stock) FROM products");
    assert_eq!(stock, i64::try_from(PRODUCTS).expect("few") * STOCK - sold);
    common::assert_reconciles(&engine);
    (resident, orders)
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
