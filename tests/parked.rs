//! An order that the database refuses is parked and shown, the rest goes on, and a retry brings it into the tables.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{
    Engine, Sql, Store, assert_reconciles, assert_tables_agree, cart, faults::report, product, shop_of, until,
};
use serde_json::{Value, json};

on_both_stores!(
    a_refused_order_is_parked_shown_and_retried,
    a_refused_new_product_keeps_its_stock,
    eleven_in_a_minute_stop_the_writer,
);

const BAD: u64 = 666;

fn refuse(sql: &Sql) {
    sql.execute(match sql {
        Sql::Sqlite(_) => {
            "CREATE TRIGGER refuse BEFORE INSERT ON orders WHEN NEW.customer_id = 666 \
             BEGIN SELECT RAISE(ABORT, 'refuse'); END"
        }
        Sql::MariaDb(_) => "ALTER TABLE orders ADD CONSTRAINT refuse CHECK (customer_id <> 666)",
    });
}

fn accept(sql: &Sql) {
    sql.execute(match sql {
        Sql::Sqlite(_) => "DROP TRIGGER refuse",
        Sql::MariaDb(_) => "ALTER TABLE orders DROP CONSTRAINT refuse",
    });
}

fn is_shown(engine: &Engine, bad: &Value) {
    let client = engine.client();
    let path = format!("/v1/orders/{}", bad["order_id"]);
    assert_eq!(&client.get(&path).expect(200), bad, "as it was answered, not persisted");
    let history = client.get(&format!("{path}/events")).expect(200);
    let placed = json!([{ "seq": bad["journal_seq"], "at": bad["created_at"], "type": "placed" }]);
    assert_eq!(history["data"], placed);
    let listed = client.get("/v1/orders?customer_id=666").expect(200);
    assert_eq!(listed["data"], json!([bad]));
    assert_eq!(client.get("/v1/orders?limit=200").expect(200)["data"].as_array().map(Vec::len), Some(21));
    let again = client.post_key("/v1/checkouts", "bad", &cart(BAD, &[(1, 2)]));
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{}", again.text);
    assert_eq!(&again.expect(201), bad);
    let admin = engine.admin();
    let parked = admin.get("/admin/parked").expect(200);
    assert_eq!(
        (&parked["data"][0]["order_id"], &parked["data"][0]["type"]),
        (&bad["order_id"], &json!("placed"))
    );
    assert!(parked["data"][0]["reason"].as_str().is_some_and(|why| why.contains("refuse")), "{parked}");
    assert_eq!((parked["data"].as_array().map(Vec::len), &parked["next_cursor"]), (Some(1), &Value::Null));
    assert_eq!(engine.status()["writer"]["parked"], 1);
    assert!(admin.get("/metrics").text.contains("floodgate_store_parked_events 1"));
    let ready = client.get("/readyz").expect(200);
    assert!(ready["notes"].to_string().contains("1 events are parked"), "{ready}");
}

fn a_refused_order_is_parked_shown_and_retried(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 100);
    engine.drain();
    let sql = engine.sql();
    refuse(&sql);
    let mut orders: Vec<Value> = (1..=10).map(|customer| client.buy(&cart(customer, &[(1, 1)]))).collect();
    let bad = client.post_key("/v1/checkouts", "bad", &cart(BAD, &[(1, 2)])).expect(201);
    orders.extend((11..=20).map(|customer| client.buy(&cart(customer, &[(1, 1)]))));
    engine.drain();
    assert_tables_agree(&sql, &orders);
    assert_eq!(sql.number("SELECT stock FROM products"), 78, "what is parked is sold");
    is_shown(&engine, &bad);
    assert_eq!(assert_reconciles(&engine)["orders_parked"], 1);
    let retry = format!("/admin/parked/{}/retry", bad["journal_seq"]);
    let refused = engine.admin().post(&retry, &json!({}));
    assert_eq!((refused.status, refused.code()), (409, "still_refused"), "{}", refused.text);
    assert!(refused.json["detail"].as_str().is_some_and(|why| why.contains("refuse")), "{}", refused.text);
    engine.restart();
    is_shown(&engine, &bad);
    accept(&sql);
    let retried = engine.admin().post(&retry, &json!({})).expect(200);
    assert_eq!(retried["written"], json!([bad["journal_seq"]]));
    assert_eq!(engine.admin().post(&retry, &json!({})).status, 404);
    orders.push(bad.clone());
    assert_tables_agree(&sql, &orders);
    assert_eq!(sql.number("SELECT stock FROM products"), 78);
    assert_eq!(client_of(&engine, &bad)["persisted"], true);
    assert_eq!(engine.admin().get("/admin/parked").expect(200)["data"], json!([]));
    assert_eq!(assert_reconciles(&engine)["orders_parked"], 0);
    let checked =
        "parked with its reason, shown, stock sold, the rest goes on, a retry writes it; reconciled";
    report(10, "an order that the database refuses", 1, None, checked);
}

/// Sold while it is parked; what is left is what a later start sells.
fn a_refused_new_product_keeps_its_stock(store: Store) {
    let engine = Engine::start(store, &["cache.file=off"]);
    let client = shop_of(&engine, 1, 100);
    engine.drain();
    let sql = engine.sql();
    sql.execute(match sql {
        Sql::Sqlite(_) => {
            "CREATE TRIGGER refuse BEFORE INSERT ON products WHEN NEW.id = 2 BEGIN SELECT RAISE(ABORT, 'refuse'); END"
        }
        Sql::MariaDb(_) => "ALTER TABLE products ADD CONSTRAINT refuse CHECK (id <> 2)",
    });
    let put = engine.admin().put("/admin/products", &json!({ "products": [product(2, Some(5))] }));
    assert_eq!(put.expect(200)["accepted"], 1);
    client.buy(&cart(1, &[(2, 1)]));
    engine.drain();
    client.buy(&cart(2, &[(2, 1), (1, 1)]));
    engine.drain();
    assert_reconciles(&engine);
    let parked = engine.admin().get("/admin/parked").expect(200)["data"][0]["seq"].clone();
    sql.execute(match sql {
        Sql::Sqlite(_) => "DROP TRIGGER refuse",
        Sql::MariaDb(_) => "ALTER TABLE products DROP CONSTRAINT refuse",
    });
    engine.admin().post(&format!("/admin/parked/{parked}/retry"), &json!({})).expect(200);
    assert_eq!(sql.pairs("SELECT id, stock FROM products ORDER BY id"), [(1, 99), (2, 3)]);
    assert_reconciles(&engine);
    engine.restart();
    let client = engine.client();
    assert_eq!(client.available(2), 3);
    let short = client.post("/v1/checkouts", &cart(3, &[(2, 4)]));
    assert_eq!((short.status, short.code()), (409, "insufficient_stock"), "{}", short.text);
    let checked = "sold from its stock while it is parked and after a retry and a restart; reconciled";
    report(10, "a new product that the database refuses", 1, None, checked);
}

fn client_of(engine: &Engine, order: &Value) -> Value {
    engine.client().get(&format!("/v1/orders/{}", order["order_id"])).expect(200)
}

fn eleven_in_a_minute_stop_the_writer(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 1, 100);
    engine.drain();
    refuse(&engine.sql());
    (0..11).for_each(|_| drop(client.buy(&cart(BAD, &[(1, 1)]))));
    let status = until("the writer to stop", || {
        let status = engine.status();
        (status["writer"]["state"] == "stopped").then_some(status)
    });
    assert_eq!(status["writer"]["parked"], 10, "{status}");
    client.buy(&cart(1, &[(1, 1)]));
    let first = engine.admin().get("/admin/parked?limit=4").expect(200);
    let second =
        format!("/admin/parked?limit=200&cursor={}", first["next_cursor"].as_str().unwrap_or_default());
    assert_eq!(engine.admin().get(&second).expect(200)["data"].as_array().map(Vec::len), Some(6));
    accept(&engine.sql());
    engine.restart();
    engine.drain();
    assert_eq!(engine.sql().number("SELECT COUNT(*) FROM orders"), 2);
    assert_eq!(engine.sql().number("SELECT stock FROM products"), 88);
    assert_eq!(assert_reconciles(&engine)["orders_parked"], 10);
    let checked = "the writer stops, orders go on and are kept, all written after a restart; reconciled";
    report(10, "eleven refused within a minute", 11, None, checked);
}
