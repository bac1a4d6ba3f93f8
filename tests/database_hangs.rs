//! A database that takes questions and never answers: whoever needs it is told so soon, and what is in memory is sold
//! on. (`database_down.rs` has one that is away and says so.)

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Engine, Fault, MariaDb, Proxy, Store, cart, faults::report, shop_of, until};
use serde_json::{Value, json};
use std::sync::Arc;

/// The limits of the database lie above those of a request: whoever waits for it to give up gets a time-out. Two batches
/// are all that may be under way.
const SETTINGS: [&str; 2] = ["store.query_timeout=20s", "engine.in_flight_max=64"];
const BATCH: u64 = 32;
const STOCK: i64 = 10_000_000;

#[test]
fn misses_are_not_ready_and_hot_products_are_sold_on() {
    let server = Arc::new(MariaDb::start(&[]));
    let proxy = Proxy::to(server.port());
    let port = proxy.port();
    let store = Store::through(&server, |database| format!("mysql://root@127.0.0.1:{port}/{database}"));
    let engine = Engine::start(store, &SETTINGS);
    let client = shop_of(&engine, 1, STOCK);
    engine.drain();
    proxy.set(Fault::Silence);
    let unknown: Vec<Value> = (0..BATCH).map(|place| cart(1, &[(100 + place, 1)])).collect();
    let batch = json!({ "checkouts": unknown });
    let sold = std::thread::scope(|scope| {
        let batches = [(); 2].map(|()| scope.spawn(|| admitted(&client.another(), &batch)));
        let asked = scope.spawn(|| client.another().get("/v1/products/99"));
        let (mut sold, mut shed) = (0, 0);
        while !(asked.is_finished() && batches.iter().all(|batch| batch.is_finished())) {
            match client.post("/v1/checkouts", &cart(2, &[(1, 1)])).status {
                201 => sold += 1,
                503 => shed += 1,
                other => panic!("{other}"),
            }
        }
        // Both batches at once are all that may be under way, for the moment that it takes to turn most of them away.
        assert!(shed < sold, "{shed} of {sold} hot carts were shed while others waited for the database");
        let asked = asked.join().expect("an answer");
        assert_eq!((asked.status, asked.code()), (503, "not_ready"), "{}", asked.text);
        for answer in batches.map(|batch| batch.join().expect("an answer")) {
            for result in answer["results"].as_array().expect("results") {
                let code = result["error"]["code"].as_str().unwrap_or_default();
                assert!(["not_ready", "overloaded"].contains(&code), "{result}");
            }
        }
        sold
    });
    assert_eq!(client.available(1), STOCK - sold, "nothing else was taken");
    proxy.set(Fault::Pass);
    until("the database to be asked again", || (client.get("/v1/products/99").status == 404).then_some(()));
    engine.drain();
    let checked = "503 for what is not in memory, every sale of what is, all of them in the database";
    assert_eq!(engine.sql().number("SELECT COUNT(*) FROM orders"), sold);
    report(8, "a database that hangs while products are asked for", 1, None, checked);
}

/// The answer to a batch that was let in: one that came beside another and a single cart may be shed whole.
fn admitted(client: &Client, batch: &Value) -> Value {
    until("the batch to be let in", || {
        let answer = client.post("/v1/checkouts/batch", batch);
        (answer.status != 503).then(|| answer.expect(200))
    })
}
