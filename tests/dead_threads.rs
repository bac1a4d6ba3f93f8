//! A thread that dies takes the process with it, and a start recovers: a panic of a core actor, of an HTTP worker, of the
//! main thread. The panic is a real one: `strace` makes the one call of that thread fail that its runtime cannot do
//! without. And a machine that is busy with something else, or stops the process, costs time and nothing else.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::strace::{can_trace, kills_thread};
use common::{Client, Engine, Store, assert_reconciles, assert_tables_agree, cart, faults, shop_of, until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::time::Duration;

const STOCK: i64 = 100_000;

/// By their names in the system, and the code that the process ends with: a core thread aborts.
const THREADS: [&str; 6] = ["shard-0", "order-book", "write-behind", "catalogue", "http-0", "floodgate"];

type Orders = BTreeMap<String, Option<Value>>;

/// One order after the other until nobody answers; an order without an answer is decided by its key.
fn shops(client: &Client, most: usize, orders: &mut Orders) {
    for _ in 0..most {
        let key = format!("k-{}", orders.len());
        let sent = client.post_with("/v1/checkouts", &[("idempotency-key", &key)], &cart(1, &[(1, 1)]));
        let answer = sent.ok().filter(|answer| answer.status == 201).map(|answer| answer.json);
        let over = answer.is_none();
        orders.insert(key, answer);
        if over {
            return;
        }
    }
}

fn all_is_there(engine: &Engine, orders: &mut Orders, what: &str) {
    let client = engine.client();
    for (key, order) in orders.iter_mut() {
        let again = client.post_key("/v1/checkouts", key, &cart(1, &[(1, 1)])).expect(201);
        assert_eq!(again, *order.get_or_insert_with(|| again.clone()), "{what}: {key}");
    }
    engine.drain();
    let all: Vec<Value> = orders.values().flatten().cloned().collect();
    assert_tables_agree(&engine.sql(), &all);
    assert_eq!(client.available(1), STOCK - i64::try_from(orders.len()).expect("few"), "{what}");
    assert_reconciles(engine);
}

#[test]
fn a_thread_that_dies_ends_the_process_and_a_start_recovers() {
    if !can_trace() {
        return;
    }
    let engine = Engine::start(Store::sqlite(), &[]);
    shop_of(&engine, 1, STOCK);
    let mut orders = Orders::new();
    let mut killed = 0;
    for name in THREADS {
        let client = engine.client();
        shops(&client, 10, &mut orders);
        let Some(mut tracer) = kills_thread(engine.pid(), name) else {
            return common::skip::skip("no thread of another process may be traced: none was killed");
        };
        // Whatever wakes the thread: orders, and what the others are asked for.
        until(&format!("{name} to take the process with it"), || {
            let admin = engine.admin_or_none()?;
            drop(admin.send("GET", "/v1/products/1", &[], None));
            drop(admin.send("GET", "/v1/products/77", &[], None));
            let key = format!("k-{}", orders.len());
            let sent = admin.post_with("/v1/checkouts", &[("idempotency-key", &key)], &cart(1, &[(1, 1)]));
            let answered = sent.ok().filter(|answer| answer.status == 201);
            orders.insert(key, answered.map(|answer| answer.json));
            engine.has_ended().then_some(())
        });
        drop(tracer.wait());
        let status = engine.ended();
        assert!(!status.success(), "{name}: {status:?}");
        let log = engine.log().join("\n");
        assert!(log.contains("\"panic\""), "{name} did not panic: {log}");
        engine.restart();
        all_is_there(&engine, &mut orders, name);
        killed += 1;
    }
    let checked =
        "the process ends with a code that is not 0, a start has every order once, stock; reconciled";
    faults::report(13, "a panic of a core actor, an HTTP worker, the main thread", killed, None, checked);
}

#[test]
fn a_stopped_process_goes_on_where_it_was() {
    let engine = Engine::start(Store::sqlite(), &["server.request_timeout=30s"]);
    let client = shop_of(&engine, 1, STOCK);
    let mut orders = Orders::new();
    shops(&client, 5, &mut orders);
    engine.signal("-STOP");
    std::thread::scope(|scope| {
        let (client, orders) = (client.another(), &mut orders);
        let shopper = scope.spawn(move || shops(&client, 5, orders));
        // The pause is the fault itself.
        std::thread::sleep(Duration::from_secs(10));
        assert!(!shopper.is_finished(), "a stopped process answers nobody");
        engine.signal("-CONT");
    });
    assert!(orders.len() == 10 && orders.values().all(Option::is_some), "{orders:?}");
    engine.restart();
    all_is_there(&engine, &mut orders, "SIGSTOP");
    faults::report(13, "SIGSTOP for 10 s", 1, None, "every order answered and kept; reconciled");
}

/// Processes that do nothing but count.
struct Hogs(Vec<Child>);

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            drop(hog.kill());
            drop(hog.wait());
        }
    }
}

#[test]
fn a_busy_machine_costs_time_and_nothing_else() {
    let engine = Engine::start(Store::sqlite(), &["server.request_timeout=30s"]);
    let client = shop_of(&engine, 1, STOCK);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let hog = |_| Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("a hog");
    let hogs = Hogs((0..4 * cores).map(hog).collect());
    let mut orders = Orders::new();
    shops(&client, 200, &mut orders);
    assert!(orders.len() == 200 && orders.values().all(Option::is_some), "an order was not answered");
    drop(hogs);
    engine.restart();
    all_is_there(&engine, &mut orders, "hogs");
    let checked = "every order answered and kept; reconciled";
    faults::report(13, "four busy processes a core", 1, None, checked);
}
