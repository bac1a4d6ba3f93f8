//! One key, one order: again, from two hundred clients at once, after a crash, and after the journal has forgotten.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Answer, Client, Engine, Store, cart, faults::report, shop_of, until};
use serde_json::{Value, json};
use std::sync::Barrier;

on_both_stores!(
    a_key_answers_what_it_answered_first,
    keys_of_a_batch_are_keys_of_checkouts,
    two_hundred_clients_place_one_order,
    a_key_outlives_the_journal_and_memory,
    a_key_ends_with_its_window,
    a_stock_adjustment_counts_once,
);

const CLIENTS: usize = 200;

/// The same answer as before, marked as such.
#[track_caller]
fn is_replayed(again: &Answer, before: &Value) {
    assert_eq!(&again.json, before);
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{}", again.text);
}

fn buy(client: &Client, key: &str, body: &Value) -> Answer {
    client.post_key("/v1/checkouts", key, body)
}

fn a_key_answers_what_it_answered_first(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 2, 10);
    let first = buy(&client, "k", &cart(1, &[(1, 2)]));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(first.header("location"), Some("/v1/orders/1"));
    let order = first.expect(201);
    let steps: &[(&str, Value, u16, &str)] = &[
        ("k", cart(1, &[(1, 2)]), 201, ""),
        ("k", cart(1, &[(1, 3)]), 422, "idempotency_key_reused"),
        ("k", json!({ "customer_id": 1, "items": [] }), 422, "idempotency_key_reused"),
        // A refusal burns nothing: the same key with the same body, and then with another one.
        ("r", cart(1, &[(1, 9)]), 409, "insufficient_stock"),
        ("r", cart(1, &[(1, 9)]), 409, "insufficient_stock"),
        ("r", cart(1, &[(99, 1)]), 422, "validation_failed"),
        ("r", cart(1, &[(2, 1)]), 201, ""),
        ("r", cart(1, &[(1, 9)]), 422, "idempotency_key_reused"),
    ];
    for (step, (key, body, status, code)) in steps.iter().enumerate() {
        let answer = buy(&client, key, body);
        assert_eq!((answer.status, answer.code()), (*status, *code), "step {step}: {}", answer.text);
    }
    is_replayed(&buy(&client, "k", &cart(1, &[(1, 2)])), &order);
    engine.kill9();
    engine.restart();
    let client = engine.client();
    is_replayed(&buy(&client, "k", &cart(1, &[(1, 2)])), &order);
    assert_eq!(buy(&client, "k", &cart(1, &[(1, 3)])).code(), "idempotency_key_reused");
    engine.drain();
    is_replayed(&buy(&client, "k", &cart(1, &[(1, 2)])), &order);
    assert_eq!((client.available(1), client.available(2)), (8, 9));
    assert_eq!(engine.sql().number("SELECT COUNT(*) FROM orders"), 2);
    let checked = "the same answer before and after a kill and a drain; 422 for another body";
    report(15, "a key again, with the same and with another body", steps.len(), None, checked);
}

fn keys_of_a_batch_are_keys_of_checkouts(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 3, 100);
    let mut named = cart(2, &[(2, 1)]);
    named["idempotency_key"] = json!("own");
    let batch = json!({ "checkouts": [cart(1, &[(1, 1)]), named, cart(3, &[(3, 101)])] });
    let place = || client.post_key("/v1/checkouts/batch", "K", &batch).expect(200)["results"].clone();
    let (first, again) = (place(), place());
    for (place, status, replayed) in [(0, 201, json!(true)), (1, 201, json!(true)), (2, 409, Value::Null)] {
        assert_eq!(first[place]["status"], status, "{first}");
        assert_eq!(again[place]["order"], first[place]["order"], "item {place}");
        assert_eq!(again[place]["replayed"], replayed, "item {place}");
    }
    assert_eq!(first[0]["replayed"], false);
    // The header's key stands for K#0 on the item without one, in the scope of single checkouts.
    is_replayed(&buy(&client, "K#0", &cart(1, &[(1, 1)])), &first[0]["order"]);
    assert_eq!(buy(&client, "K#0", &cart(1, &[(1, 2)])).code(), "idempotency_key_reused");
    assert_eq!(buy(&client, "own", &cart(2, &[(2, 1)])).code(), "idempotency_key_reused");
    // Refused items burnt nothing, and K itself was never a key.
    buy(&client, "K#2", &cart(3, &[(3, 1)])).expect(201);
    buy(&client, "K", &cart(4, &[(3, 1)])).expect(201);
    assert_eq!([1, 2, 3].map(|product| client.available(product)), [99, 99, 98]);
}

fn two_hundred_clients_place_one_order(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 2, 1_000);
    let (body, together) = (cart(1, &[(1, 1), (2, 1)]), Barrier::new(CLIENTS));
    let orders: Vec<Value> = std::thread::scope(|scope| {
        let one = || {
            let client = client.another();
            together.wait();
            until("the order", || {
                let answer = buy(&client, "one", &body);
                match answer.status {
                    201 => Some(answer.json),
                    _ => {
                        assert_eq!((answer.status, answer.code()), (409, "idempotency_in_progress"));
                        None
                    }
                }
            })
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(one)).collect();
        clients.into_iter().map(|client| client.join().expect("an order")).collect()
    });
    assert!(orders.iter().all(|order| order == &orders[0]), "all have the same order");
    assert_eq!((client.available(1), client.available(2)), (999, 999));
    engine.drain();
    assert_eq!(engine.sql().number("SELECT COUNT(*) FROM orders"), 1);
    report(
        15,
        "200 clients with one key",
        CLIENTS,
        None,
        "one order, the same answer for all, stock taken once",
    );
}

fn a_key_outlives_the_journal_and_memory(store: Store) {
    let settings = ["journal.retain=0s", "engine.recent_orders_max=5", "journal.max_bytes=8MiB"];
    let engine = Engine::start(store, &settings);
    let client = shop_of(&engine, 4, 1_000_000);
    let body = cart(1, &[(1, 2)]);
    let order = buy(&client, "early", &body).expect(201);
    let adjusted = json!({ "delta": 7, "reason": "found" });
    let admin = engine.admin();
    let adjustment = admin.post_key("/admin/products/2/stock", "early", &adjusted).expect(200);
    let seq = adjustment["journal_seq"].as_u64().expect("a sequence");
    let batch = json!({ "checkouts": vec![cart(2, &[(3, 1), (4, 1)]); 500] });
    until("the early segments to go", || {
        let answer = client.post("/v1/checkouts/batch", &batch);
        assert!([200, 503].contains(&answer.status), "{}", answer.text);
        (engine.status()["journal"]["first_seq"].as_u64() > Some(seq)).then_some(())
    });
    for life in 0..2 {
        if life == 1 {
            engine.kill9();
            engine.restart();
        }
        let (client, admin) = (engine.client(), engine.admin());
        is_replayed(&buy(&client, "early", &body), &order);
        assert_eq!(buy(&client, "early", &cart(1, &[(1, 1)])).code(), "idempotency_key_reused");
        is_replayed(&admin.post_key("/admin/products/2/stock", "early", &adjusted), &adjustment);
        assert_eq!((client.available(1), client.available(2)), (999_998, 1_000_007));
    }
    let checked = "the same answer with and without a kill between";
    report(15, "a key whose segment and memory are gone", 2, None, checked);
}

/// Nothing else is journalled meanwhile: the key ends by the clock alone.
fn a_key_ends_with_its_window(store: Store) {
    let engine = Engine::start(store, &["idempotency.window=2s"]);
    let client = shop_of(&engine, 1, 10);
    let body = cart(1, &[(1, 1)]);
    let first = buy(&client, "k", &body).expect(201);
    let second = until("the key to end", || {
        let order = buy(&client, "k", &body).expect(201);
        (order["order_id"] != first["order_id"]).then_some(order)
    });
    assert_eq!(second["order_id"], 2);
    assert_eq!(client.available(1), 8);
    // The store has the key twice: what is loaded from it is at most the newer one.
    engine.drain();
    engine.kill9();
    engine.restart();
    let again = buy(&engine.client(), "k", &body).expect(201);
    assert!(again["order_id"] != first["order_id"], "{again}");
}

fn a_stock_adjustment_counts_once(store: Store) {
    let engine = Engine::start(store, &[]);
    shop_of(&engine, 2, 10);
    let adjust = |key: &str, product: u64, delta: i64| {
        let body = json!({ "delta": delta, "reason": "counted" });
        engine.admin().post_key(&format!("/admin/products/{product}/stock"), key, &body)
    };
    let first = adjust("a", 1, -4).expect(200);
    for (key, product, delta, status, code) in [
        ("a", 1, -4, 200, ""),
        ("a", 1, -5, 422, "idempotency_key_reused"),
        ("a", 2, -4, 200, ""), // another path: another key
        ("b", 1, -7, 409, "insufficient_stock"),
        ("b", 1, -6, 200, ""),
        ("b", 1, -7, 422, "idempotency_key_reused"),
    ] {
        let answer = adjust(key, product, delta);
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{key} {product} {delta}: {}",
            answer.text
        );
    }
    engine.kill9();
    engine.restart();
    let again = adjust("a", 1, -4);
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{}", again.text);
    assert_eq!(again.json["journal_seq"], first["journal_seq"]);
    let client = engine.client();
    assert_eq!((client.available(1), client.available(2)), (0, 6));
    engine.drain();
    assert_eq!(engine.sql().pairs("SELECT id, stock FROM products ORDER BY id"), [(1, 0), (2, 6)]);
}

#[test]
fn the_oldest_keys_are_forgotten_first() {
    let engine = Engine::start(Store::sqlite(), &["idempotency.keys_max=3"]);
    let client = shop_of(&engine, 1, 100);
    let body = cart(1, &[(1, 1)]);
    for number in 1..=4 {
        buy(&client, &format!("key-{number}"), &body).expect(201);
    }
    for (key, replayed) in [("key-2", true), ("key-4", true), ("key-1", false), ("key-2", false)] {
        let answer = buy(&client, key, &body);
        assert_eq!(answer.header("idempotent-replayed").is_some(), replayed, "{key}: {}", answer.text);
    }
    assert_eq!(engine.status()["idempotency"]["keys"], 3);
}
