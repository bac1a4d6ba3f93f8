//! While the engine recovers, its door is there: the process runs, is not ready, takes nothing, and hears a signal.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Client, Engine, Store, TOKEN, cart, shop_of, until};
use serde_json::Value;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

/// Recovery in the middle: it reads the catalogue's file, which is a pipe that nobody has written into.
fn recovering(engine: &Engine) -> PathBuf {
    engine.kill9();
    let pipe = engine.dir().join("data/catalogue.cache");
    drop(std::fs::remove_file(&pipe));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    engine.spawn();
    pipe
}

/// Where it listens, ready or not.
fn knock(engine: &Engine) -> Client {
    let address = until("the door", || {
        let log = engine.log();
        let line = log.iter().find(|line| line.contains("listening, not ready yet"))?;
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        Some(line["address"].as_str().expect("an address").to_owned())
    });
    Client::new(format!("http://{address}"), Some(TOKEN))
}

#[test]
fn the_door_is_there_before_the_engine_is() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let order = shop_of(&engine, 1, 10).buy(&cart(1, &[(1, 1)]));
    let pipe = recovering(&engine);
    let client = knock(&engine);
    assert_eq!(client.get("/livez").expect(200)["status"], "ok");
    assert!(client.get("/metrics").header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    let not_ready = [
        client.get("/readyz"),
        client.get("/v1/orders/1"),
        client.get("/admin/status"),
        client.post("/v1/checkouts", &cart(1, &[(1, 1)])),
    ];
    for answer in not_ready {
        assert_eq!((answer.status, answer.code()), (503, "not_ready"), "{}", answer.text);
        assert!(answer.header("retry-after").is_some());
    }
    assert!(client.get("/readyz").json["detail"].as_str().is_some_and(|why| why.starts_with("starting")));
    assert_eq!(engine.address(), None, "it does not say that it is ready");
    // Nothing comes out of the pipe, so the catalogue is read from the database.
    drop(File::options().write(true).open(pipe).unwrap());
    until("the engine to be ready", || engine.address());
    assert_eq!(client.get("/v1/orders/1").expect(200)["order_id"], order["order_id"]);
    assert_eq!(client.available(1), 9, "what came too early was not taken");
}

#[test]
fn a_signal_is_heard_in_the_middle_of_recovery() {
    let engine = Engine::start(Store::sqlite(), &[]);
    shop_of(&engine, 1, 10).buy(&cart(1, &[(1, 1)]));
    let pipe = recovering(&engine);
    knock(&engine).get("/livez").expect(200);
    assert_eq!(engine.stop().code(), Some(0), "{:?}", engine.log());
    assert!(engine.log().iter().any(|line| line.contains("stopped before it was ready")));
    std::fs::remove_file(pipe).unwrap();
    engine.restart();
    assert_eq!(engine.client().available(1), 9);
}
