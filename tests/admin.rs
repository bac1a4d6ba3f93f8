//! What the operator does: durable and effective at once, good rows taken and bad ones named, nothing without the
//! token.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Engine, Store, cart, product, seller, shop_of, until};
use serde_json::{Value, json};

on_both_stores!(
    rows_are_taken_or_named,
    changes_are_effective_at_once,
    a_known_products_stock_is_a_count,
    stock_is_corrected_by_hand,
    a_warm_up_brings_in_what_others_changed,
    a_stock_that_others_wrote_may_be_anything,
);

/// A row of `PUT /admin/products`, and the code and a part of the reason for which it is not taken.
const PRODUCT_ROWS: [(&str, &str, &str); 11] = [
    (r#"{"product_id":1,"seller_id":1,"name":"a","price":100,"currency":"BRL","stock":5}"#, "", ""),
    (r#"{"product_id":2,"seller_id":1,"name":"b","price":0,"currency":"BRL"}"#, "", ""),
    (
        r#"{"product_id":0,"seller_id":1,"name":"c","price":1,"currency":"BRL"}"#,
        "invalid_field",
        "product_id",
    ),
    (r#"{"product_id":4,"seller_id":1,"name":"d","price":-1,"currency":"BRL"}"#, "invalid_field", "price"),
    (r#"{"product_id":5,"seller_id":1,"name":"","price":1,"currency":"BRL"}"#, "invalid_field", "name"),
    (r#"{"product_id":6,"seller_id":1,"name":"f","price":1,"currency":"brl"}"#, "invalid_field", "currency"),
    (
        r#"{"product_id":7,"seller_id":1,"name":"g","price":1,"currency":"BRL","prize":1}"#,
        "unknown_field",
        "prize",
    ),
    (
        r#"{"product_id":8,"seller_id":1,"name":"h","price":1,"currency":"BRL","stock":-1}"#,
        "invalid_field",
        "stock",
    ),
    (
        r#"{"product_id":9,"seller_id":1,"name":"i","price":1,"currency":"BRL","stock":9223372036854775807}"#,
        "invalid_field",
        "stock",
    ),
    (r#"7"#, "invalid_field", ""),
    (r#"{"product_id":11,"seller_id":1,"name":"k","price":1,"currency":"BRL","active":0}"#, "", ""),
];

fn rows_are_taken_or_named(store: Store) {
    let engine = Engine::start(store, &[]);
    let admin = engine.admin();
    let rows: Vec<&str> = PRODUCT_ROWS.iter().map(|(row, _, _)| *row).collect();
    let list = format!(r#"{{"products":[{}]}}"#, rows.join(","));
    for (content_type, body) in [("application/json", list), ("application/x-ndjson", rows.join("\n"))] {
        let sent =
            admin.send("PUT", "/admin/products", &[("content-type", content_type)], Some(body.as_bytes()));
        let answer = sent.expect("an answer").expect(200);
        assert_eq!(answer["accepted"], 3, "{content_type}: {answer}");
        let mut rejected = answer["rejected"].as_array().expect("rows").iter();
        for (place, (row, code, reason)) in
            PRODUCT_ROWS.iter().enumerate().filter(|(_, row)| !row.1.is_empty())
        {
            let refused = rejected.next().expect("a row");
            assert_eq!(
                (&refused["row"], &refused["code"]),
                (&json!(place + 1), &json!(code)),
                "{row}: {answer}"
            );
            assert!(refused["detail"].as_str().expect("words").contains(reason), "{row}: {refused}");
        }
        assert_eq!(rejected.next(), None, "{content_type}");
    }
    let broken = format!("{}\nnot json\n\n{}\n", rows[0], rows[1]);
    let ndjson = [("content-type", "application/x-ndjson")];
    let answer = admin.send("PUT", "/admin/products", &ndjson, Some(broken.as_bytes())).expect("an answer");
    let answer = answer.expect(200);
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["row"]), (&json!(2), &json!(2)), "{answer}");
    assert_eq!(answer["rejected"][0]["code"], "malformed_json");
    let bad_seller = json!({ "sellers": [seller(1), { "seller_id": 2, "name": "b", "city": "X", "commission_bps": 10_001 }] });
    let answer = admin.put("/admin/sellers", &bad_seller).expect(200);
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["row"]), (&json!(1), &json!(2)), "{answer}");
    engine.drain();
    let sql = engine.sql();
    let found = sql.rows("SELECT id, price, stock, active FROM products ORDER BY id");
    assert_eq!(
        json!(found),
        json!([["1", "100", "5", "1"], ["2", "0", "NULL", "1"], ["11", "1", "NULL", "0"]])
    );
    assert_eq!(sql.rows("SELECT id, commission_bps, active FROM sellers"), [["1", "1000", "1"]]);
}

/// Changes one product or seller.
fn put(admin: &Client, row: &Value) {
    let noun = if row.get("product_id").is_some() { "products" } else { "sellers" };
    let answer = admin.put(&format!("/admin/{noun}"), &json!({ noun: [row] })).expect(200);
    assert_eq!(answer["accepted"], 1, "{answer}");
}

fn with(mut row: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        row[*name] = value.clone();
    }
    row
}

/// What one piece of product 1 costs, and what is left for the seller; or why it is not sold.
fn offer(client: &Client) -> Value {
    let answer = client.post("/v1/quotes", &cart(1, &[(1, 1)]));
    match answer.status {
        200 => json!([
            answer.json["total"],
            answer.json["sellers"][0]["seller_id"],
            answer.json["sellers"][0]["payout"]
        ]),
        _ => answer.json["errors"][0]["code"].clone(),
    }
}

fn changes_are_effective_at_once(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 10);
    let admin = engine.admin();
    let before = client.buy(&cart(1, &[(1, 1)]));
    let row = || product(1, None);
    for (change, expected) in [
        (with(row(), &[("price", json!(250))]), json!([250, 1, 225])),
        (with(seller(1), &[("commission_bps", json!(50))]), json!([250, 1, 249])),
        (with(seller(1), &[("active", json!(false))]), json!("inactive_seller")),
        (with(seller(1), &[("commission_bps", json!(0))]), json!([250, 1, 250])),
        (with(row(), &[("active", json!(false))]), json!("inactive_product")),
        (with(row(), &[("seller_id", json!(2))]), json!("inactive_seller")),
        (seller(2), json!([100, 2, 90])),
        (with(row(), &[("currency", json!("USD"))]), json!("currency_mismatch")),
    ] {
        put(&admin, &change);
        assert_eq!(offer(&client), expected, "{change}");
    }
    let still = client.get(&format!("/v1/orders/{}", before["order_id"])).expect(200);
    assert_eq!(
        (&still["total"], &still["sellers"]),
        (&before["total"], &before["sellers"]),
        "an order is history"
    );
    engine.kill9();
    engine.restart();
    assert_eq!(offer(&engine.client()), "currency_mismatch");
    assert_eq!(engine.client().available(1), 9);
}

fn a_known_products_stock_is_a_count(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 10);
    let admin = engine.admin();
    client.buy(&cart(1, &[(1, 3)]));
    for (stock, available) in
        [(Value::Null, 7), (json!(20), 20), (json!(0), 0), (Value::Null, 0), (json!(4), 4)]
    {
        put(&admin, &with(product(1, None), &[("stock", stock.clone())]));
        assert_eq!(client.available(1), available, "{stock}");
    }
    put(&admin, &product(2, None));
    assert_eq!(client.get("/v1/products/2").expect(200)["available"], Value::Null, "not counted when new");
    client.buy(&cart(1, &[(2, 10_000), (1, 4)]));
    put(&admin, &product(2, Some(3)));
    assert_eq!(client.available(2), 3, "counted from now on");
    engine.drain();
    assert_eq!(engine.sql().pairs("SELECT id, stock FROM products ORDER BY id"), [(1, 0), (2, 3)]);
}

fn stock_is_corrected_by_hand(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 10);
    let admin = engine.admin();
    put(&admin, &product(2, None));
    let mut corrections = 0;
    for (product, delta, status, code, available) in [
        (1, 5, 200, "", 15),
        (1, -15, 200, "", 0),
        (1, -1, 409, "insufficient_stock", 0),
        (1, i64::MIN, 409, "insufficient_stock", 0),
        (1, 7, 200, "", 7),
        (1, i64::MAX, 409, "insufficient_stock", 7),
        (1, 0, 400, "invalid_field", 7),
        (2, 1, 422, "validation_failed", 7),
        (99, 1, 404, "not_found", 7),
    ] {
        let body = json!({ "delta": delta, "reason": "counted" });
        let answer = admin.post(&format!("/admin/products/{product}/stock"), &body);
        assert_eq!((answer.status, answer.code()), (status, code), "{product} {delta}: {}", answer.text);
        if status == 200 {
            corrections += 1;
            assert_eq!(answer.json["available"], available, "{}", answer.text);
        }
        assert_eq!(client.available(1), available, "{product} {delta}");
    }
    engine.drain();
    let sql = engine.sql();
    assert_eq!(sql.number("SELECT COUNT(*) FROM stock_adjustments"), corrections);
    assert_eq!(sql.number("SELECT stock FROM products WHERE id = 1"), 7);
}

/// The last warm-up, when it has ended.
fn warmed(admin: &Client) -> Value {
    until("the warm-up to end", || {
        let job = admin.get("/admin/warmup").expect(200);
        (job["state"] != "running").then_some(job)
    })
}

fn a_warm_up_brings_in_what_others_changed(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 3, 10);
    let admin = engine.admin();
    client.buy(&cart(1, &[(1, 1)]));
    engine.drain();
    let sql = engine.sql();
    sql.execute("UPDATE products SET price = 250, stock = 1000 WHERE id = 1");
    // A product that only the database has is read when somebody asks for it.
    sql.execute(
        "INSERT INTO products (id, seller_id, name, price, currency, digital, stock, active, updated_at) \
         VALUES (50, 1, 'from elsewhere', 700, 'BRL', 0, 2, 1, '2026-01-01 00:00:00.000')",
    );
    assert_eq!(client.buy(&cart(1, &[(50, 1)]))["total"], 700);
    assert_eq!(client.available(50), 1);
    for scope in [json!({}), json!({ "product_ids": [1] }), json!({ "seller_ids": [1] })] {
        let job = admin.post("/admin/warmup", &scope).expect(202);
        assert!(["running", "done"].contains(&job["state"].as_str().expect("a state")), "{job}");
        let job = warmed(&admin);
        assert_eq!((&job["state"], &job["error"]), (&json!("done"), &Value::Null), "{scope}: {job}");
        assert!(job["loaded"].as_u64() >= Some(1), "{scope}: {job}");
        assert_eq!(client.get("/v1/products/1").expect(200)["price"], 250, "{scope}");
        assert_eq!(client.available(1), 9, "{scope}: the stock of a hot product is the engine's");
    }
    assert_eq!(admin.post("/admin/warmup", &json!({ "products": [1] })).expect(400)["code"], "unknown_field");
}

#[test]
fn one_warm_up_at_a_time() {
    let engine = Engine::start(Store::mariadb(), &[]);
    shop_of(&engine, 3, 10);
    engine.drain();
    let admin = engine.admin();
    let held = engine.sql().hold("LOCK TABLES products WRITE");
    // How many products there are is asked first, of a table that nobody may read: by their ids nothing is counted.
    let scope = json!({ "product_ids": [1, 2, 3] });
    assert_eq!(admin.post("/admin/warmup", &scope).expect(202)["state"], "running");
    let second = admin.post("/admin/warmup", &scope);
    assert_eq!((second.status, second.code()), (409, "warmup_running"), "{}", second.text);
    assert_eq!(second.json["job"]["state"], "running");
    assert_eq!(admin.get("/admin/warmup").expect(200)["state"], "running");
    engine.client().buy(&cart(1, &[(1, 1)]));
    drop(held);
    assert_eq!(warmed(&admin)["state"], "done");
    admin.post("/admin/warmup", &scope).expect(202);
}

#[test]
fn the_status_is_one_page_of_everything() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 8, 100);
    for number in 0..5 {
        client.post_key("/v1/checkouts", &format!("k{number}"), &cart(1, &[(1, 1)])).expect(201);
    }
    engine.drain();
    let status = engine.status();
    // 1 start, 1 seller, 8 products, 5 orders.
    for (pointer, expected) in [
        ("/epoch", json!(1)),
        ("/journal/last_seq", json!(15)),
        ("/journal/sync", json!("always")),
        ("/journal/poisoned", json!(false)),
        ("/writer/store", json!("sqlite://data/floodgate.db")),
        ("/writer/checkpoint_seq", json!(15)),
        ("/writer/backlog", json!(0)),
        ("/checkouts/in_flight", json!(0)),
        ("/checkouts/open_orders", json!(5)),
        ("/idempotency/keys", json!(5)),
        ("/warmup/state", json!("done")),
    ] {
        assert_eq!(status.pointer(pointer), Some(&expected), "{pointer} of {status}");
    }
    let shards = status["shards"].as_array().expect("shards");
    assert_eq!(
        (shards.len(), shards.iter().filter_map(|shard| shard["products"].as_u64()).sum()),
        (4, 8_u64)
    );
    let hash = |engine: &Engine| {
        engine.admin().get("/admin/status?state_hash=true").expect(200)["state_hash"].clone()
    };
    let before = hash(&engine);
    assert_eq!(before.as_str().map(str::len), Some(16));
    engine.kill9();
    engine.restart();
    assert_eq!(hash(&engine), before, "a crash changes nothing");
    engine.client().buy(&cart(1, &[(1, 1)]));
    assert_ne!(hash(&engine), before, "an order does");
}

#[test]
fn nothing_without_the_token() {
    let engine = Engine::start(Store::sqlite(), &[]);
    shop_of(&engine, 1, 10);
    for (method, path) in [
        ("PUT", "/admin/products"),
        ("PUT", "/admin/sellers"),
        ("POST", "/admin/products/1/stock"),
        ("POST", "/admin/warmup"),
        ("GET", "/admin/warmup"),
        ("GET", "/admin/status"),
        ("POST", "/admin/snapshot"),
        ("GET", "/admin"),
    ] {
        for credential in ["", "Bearer ", "Bearer wrong", "Basic ZTJlOmUyZQ==", "e2e-0123456789abcdef"] {
            let mut headers = vec![("content-type", "application/json"), ("authorization", credential)];
            headers.retain(|(_, value)| !value.is_empty());
            let body = (method != "GET").then_some(&b"{}"[..]);
            let answer = engine.client().send(method, path, &headers, body).expect("an answer");
            assert_eq!(
                (answer.status, answer.code()),
                (401, "unauthorized"),
                "{method} {path} with {credential:?}"
            );
        }
    }
    assert!(!engine.log().join("\n").contains(common::TOKEN), "the token is never in the log");
}

/// Others wrote a product with the largest number there is for a stock: it is sold, corrected and recovered like any.
fn a_stock_that_others_wrote_may_be_anything(store: Store) {
    let engine = Engine::start(store, &["cache.file=off"]);
    let client = shop_of(&engine, 1, 10);
    engine.drain();
    engine.sql().execute(
        "INSERT INTO products (id, seller_id, name, price, currency, digital, stock, active, updated_at) \
         VALUES (9, 1, 'much', 100, 'BRL', 0, 9223372036854775807, 1, '2026-01-01 00:00:00.000')",
    );
    let most = (1_i64 << 53) - 1;
    assert_eq!(client.available(9), most);
    client.buy(&cart(1, &[(9, 2)]));
    let correct = |delta: i64| {
        let body = json!({ "delta": delta, "reason": "counted" });
        engine.admin().post("/admin/products/9/stock", &body)
    };
    correct(2).expect(200);
    assert_eq!((correct(1).status, correct(-most).status), (409, 200));
    assert_eq!(client.available(9), 0);
    engine.kill9();
    engine.restart();
    engine.client().get("/readyz").expect(200);
    engine.client().buy(&cart(1, &[(1, 1)]));
}
