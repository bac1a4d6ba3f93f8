//! Memory, journal and database agree at one checkpoint, also while orders go on; what does not agree is listed, by the
//! running engine and by the command, which then ends with code 3.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{
    Dice, Engine, Sql, Store, assert_reconciles, cart, product, reconciliation, seller, shop_of, under_load,
};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

on_both_stores!(a_busy_system_agrees, what_differs_is_listed);

const PRODUCTS: u64 = 20;

/// Orders, corrections of stock, and rows that are put, some of them new, all at once.
fn a_busy_system_agrees(store: Store) {
    let mut dice = Dice::new("reconciliation");
    // The smallest segments, gone as soon as they may: what it needs has to be held.
    let engine = Engine::start(store, &["journal.retain=0s"]);
    shop_of(&engine, PRODUCTS, 1_000_000);
    let (admin, over) = (engine.admin(), AtomicBool::new(false));
    let mut compared = Vec::new();
    let puts = std::thread::scope(|scope| {
        let puts = scope.spawn(|| puts_products(&engine, &over));
        drop(under_load(&admin, 3, PRODUCTS, &mut dice, || {
            // Judged afterwards: a panic here would leave the load running.
            compared.extend((0..20).map(|_| reconciliation(&engine)));
        }));
        over.store(true, Ordering::Relaxed);
        puts.join().expect("puts")
    });
    compared.iter().for_each(common::is_clean);
    let behind = compared.iter().filter(|found| found["orders"].as_u64() > Some(0)).count();
    println!("{puts} puts, {behind} of {} with orders in the journal", compared.len());
    assert!(puts > 10 && behind > 0, "there was no load to speak of");
    engine.drain();
    let found = assert_reconciles(&engine);
    assert!(found["products"].as_u64() >= Some(PRODUCTS), "{found}");
    engine.restart();
    assert_reconciles(&engine);
}

/// New products with a stock and without, and stock of known ones set anew.
fn puts_products(engine: &Engine, over: &AtomicBool) -> u64 {
    let admin = engine.admin();
    let mut puts = 0;
    while !over.load(Ordering::Relaxed) {
        puts += 1;
        let new = PRODUCTS + puts;
        let stock = (puts % 3 > 0).then_some(10);
        let known = product(1 + puts % PRODUCTS, Some(900_000));
        let rows = json!({ "products": [product(new, stock), known] });
        admin.put("/admin/products", &rows).expect(200);
        drop(engine.client().post("/v1/checkouts", &cart(1, &[(new, 1), (1, 1)])));
    }
    puts
}

/// Sellers 1 and 2, an order of both.
fn shop_with_orders(store: Store) -> (Engine, Value) {
    let engine = Engine::start(store, &[]);
    shop_of(&engine, 3, 100);
    let mut other = product(4, Some(50));
    other["seller_id"] = json!(2);
    engine.admin().put("/admin/sellers", &json!({ "sellers": [seller(2)] })).expect(200);
    engine.admin().put("/admin/products", &json!({ "products": [other] })).expect(200);
    let order = engine.client().buy(&cart(1, &[(1, 2), (4, 1)]));
    engine.client().buy(&cart(2, &[(2, 1)]));
    engine.drain();
    (engine, order)
}

fn what_differs_is_listed(store: Store) {
    let (engine, order) = shop_with_orders(store);
    let found = assert_reconciles(&engine);
    assert_eq!(
        (&found["orders"], &found["products"], &found["products_by_journal"]),
        (&json!(2), &json!(4), &json!(4))
    );
    let sql = engine.sql();
    let day = &order["created_at"].as_str().expect("a time")[..10];
    let sum = |kind: &str, amount: &str, journal: i64, database: i64| json!({ "kind": kind, "day": day, "currency": "BRL", "amount": amount, "journal": journal, "database": database });
    let of_seller = |seller: u64, mut sum: Value| {
        sum["seller_id"] = json!(seller);
        sum
    };
    for (change, undo, expected) in [
        (
            "UPDATE products SET stock = stock + 1 WHERE id = 1",
            "UPDATE products SET stock = stock - 1 WHERE id = 1",
            vec![json!({ "kind": "stock", "product_id": 1, "memory": 98, "journal": 98, "database": 99 })],
        ),
        (
            "UPDATE products SET id = 9 WHERE id = 3",
            "UPDATE products SET id = 3 WHERE id = 9",
            vec![
                json!({ "kind": "stock", "product_id": 3, "memory": 100, "journal": null, "database": null }),
            ],
        ),
        (
            "UPDATE orders SET total = total - 1 WHERE id = 2",
            "UPDATE orders SET total = total + 1 WHERE id = 2",
            vec![sum("orders", "total", 400, 399)],
        ),
        (
            "UPDATE seller_orders SET payout = payout + 7 WHERE order_id = 1 AND seller_id = 2",
            "UPDATE seller_orders SET payout = payout - 7 WHERE order_id = 1 AND seller_id = 2",
            vec![of_seller(2, sum("seller_orders", "payout", 90, 97))],
        ),
        (
            "UPDATE order_items SET quantity = 5, line_total = 500 WHERE order_id = 1 AND line = 1",
            "UPDATE order_items SET quantity = 2, line_total = 200 WHERE order_id = 1 AND line = 1",
            vec![
                of_seller(1, sum("order_items", "pieces", 3, 6)),
                of_seller(1, sum("order_items", "line_total", 300, 600)),
            ],
        ),
    ] {
        sql.execute(change);
        let found = reconciliation(&engine);
        assert_eq!(found["differences"], json!(expected), "{change}");
        assert_eq!(found["differences_total"], json!(expected.len()), "{change}");
        sql.execute(undo);
    }
    assert_reconciles(&engine);
    the_command_says_so(&engine, &sql);
}

fn the_command_says_so(engine: &Engine, sql: &Sql) {
    let url = engine.url();
    let through = ["reconcile", "--url", &url];
    let fine = engine.program(&through);
    assert_eq!(fine.code, Some(0), "{fine:?}");
    assert!(fine.stdout.contains("2 orders (0 of them parked)\n0 differences"), "{fine:?}");
    sql.execute("UPDATE products SET stock = 77 WHERE id = 2");
    let differs = engine.program(&through);
    assert_eq!(differs.code, Some(3), "{differs:?}");
    assert!(differs.stdout.contains("stock of product 2: memory 99, journal 99, database 77"), "{differs:?}");
    // Nobody runs: memory is then what the database says, but the journal knows.
    engine.kill9();
    let alone = engine.program(&["reconcile", "--json", "--listen", "127.0.0.1:1"]);
    assert_eq!(alone.code, Some(3), "{alone:?}");
    let found: Value = serde_json::from_str(&alone.stdout).expect("JSON");
    let expected = json!({ "kind": "stock", "product_id": 2, "memory": 77, "journal": 99, "database": 77 });
    assert_eq!(found["differences"], json!([expected]));
    sql.execute("UPDATE products SET stock = 99 WHERE id = 2");
    // When it ended it copied the catalogue, and that stock with it.
    std::fs::remove_file(engine.dir().join("data/catalogue.cache")).expect("the cache file");
    assert_eq!(engine.program(&["reconcile", "--listen", "127.0.0.1:1"]).code, Some(0));
}

#[test]
fn there_is_one_at_a_time() {
    let engine = Engine::start(Store::mariadb(), &[]);
    shop_of(&engine, 1, 10);
    engine.drain();
    let admin = engine.admin();
    assert_eq!(admin.get("/admin/reconciliation").code(), "not_found");
    let unknown = admin.post("/admin/reconciliation", &json!({ "day": 1 }));
    assert_eq!((unknown.status, unknown.code()), (400, "unknown_field"), "{}", unknown.text);
    let held = engine.sql().hold("LOCK TABLES products WRITE");
    assert_eq!(admin.post("/admin/reconciliation", &json!({})).expect(202)["state"], "running");
    let second = admin.post("/admin/reconciliation", &json!({}));
    assert_eq!((second.status, second.code()), (409, "reconciliation_running"), "{}", second.text);
    assert_eq!(second.json["job"]["state"], "running", "{}", second.text);
    drop(held);
    common::until("its end", || {
        (admin.get("/admin/reconciliation").expect(200)["state"] == "done").then_some(())
    });
    assert_reconciles(&engine);
}
