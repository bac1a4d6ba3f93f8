//! Errors of the disk, injected into the running program: a failed write or sync of records ends it without another
//! acknowledgement, and the same directory starts again with everything; a failure to prepare only sheds; a slow
//! disk costs time and nothing else.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::strace::{can_trace, strace};
use common::{
    Client, Engine, Store, assert_invoices_are_gapless, assert_tables_agree, cart, faults, shop_of,
};
use serde_json::Value;
use std::collections::BTreeMap;

const STOCK: i64 = 100_000;
const SHOPPERS: usize = 4;

fn segments(engine: &Engine) -> Vec<String> {
    let dir = engine.dir().canonicalize().expect("a directory").join("data/journal");
    (1..=8).map(|number| dir.join(format!("journal-{number:020}.seg")).display().to_string()).collect()
}

fn starts_under(engine: &Engine, disturbance: &str, paths: &[String]) {
    let line = strace(disturbance, paths);
    engine.runs_under(&line.iter().map(String::as_str).collect::<Vec<_>>());
    engine.restart();
    engine.runs_under(&[]);
}

/// Buys one thing after the other until an answer is not 201: the orders by key, and the first other answer.
fn shops(client: &Client, name: &str, most: usize) -> (BTreeMap<String, Option<Value>>, Option<u16>) {
    let mut orders = BTreeMap::new();
    for number in 0..most {
        let key = format!("{name}-{number}");
        let sent = client.post_with("/v1/checkouts", &[("idempotency-key", &key)], &cart(1, &[(1, 1)]));
        match sent {
            Ok(answer) if answer.status == 201 => drop(orders.insert(key, Some(answer.json))),
            Ok(answer) => {
                // 503: nothing was taken. Everything else leaves the outcome open.
                if answer.status != 503 {
                    orders.insert(key, None);
                }
                return (orders, Some(answer.status));
            }
            Err(_) => {
                orders.insert(key, None);
                return (orders, None);
            }
        }
    }
    (orders, Some(201))
}

/// Some shoppers at once.
fn all_shop(engine: &Engine, name: &str, most: usize) -> (BTreeMap<String, Option<Value>>, Vec<Option<u16>>) {
    let client = engine.client();
    std::thread::scope(|scope| {
        let shopper = |number| {
            let (client, name) = (client.another(), format!("{name}-{number}"));
            scope.spawn(move || shops(&client, &name, most))
        };
        let shoppers: Vec<_> = (0..SHOPPERS).map(shopper).collect();
        let ended = shoppers.into_iter().map(|shopper| shopper.join().expect("a shopper"));
        let (orders, last): (Vec<_>, Vec<_>) = ended.unzip();
        (orders.into_iter().flatten().collect(), last)
    })
}

/// The same directory starts again, and has what was acknowledged, once.
fn all_is_there(engine: &Engine, orders: &mut BTreeMap<String, Option<Value>>, what: &str) {
    engine.restart();
    let client = engine.client();
    for (key, order) in orders.iter_mut() {
        let again = client.post_key("/v1/checkouts", key, &cart(1, &[(1, 1)])).expect(201);
        let known = order.get_or_insert_with(|| again.clone());
        assert_eq!(again, *known, "{what}: key {key}");
    }
    let sold = i64::try_from(orders.len()).expect("few");
    assert_eq!(client.available(1), STOCK - sold, "{what}: stock");
    assert_invoices_are_gapless(orders.values().flatten());
    engine.drain();
    let all: Vec<Value> = orders.values().flatten().cloned().collect();
    assert_tables_agree(&engine.sql(), &all);
    common::assert_reconciles(engine);
}

#[test]
fn a_failed_write_or_sync_of_records_ends_it_and_loses_nothing() {
    if !can_trace() {
        return;
    }
    let cases = [
        "fdatasync:error=EIO",
        "fdatasync:error=ENOSPC",
        "pwrite64:error=EIO",
        "pwrite64:error=ENOSPC",
        "pwrite64:error=EFBIG",
    ];
    for what in cases {
        let engine = Engine::start(Store::sqlite(), &[]);
        shop_of(&engine, 1, STOCK);
        engine.drain();
        engine.kill9();
        starts_under(&engine, &format!("{what}:when=12"), &segments(&engine));
        let (mut orders, last) = all_shop(&engine, "k", 1_000);
        assert!(orders.values().flatten().count() > 3, "{what}: there was no load to speak of");
        assert!(last.iter().all(|status| *status != Some(201)), "{what}: acknowledged afterwards: {last:?}");
        assert!(
            last.iter().all(|status| status.is_none_or(|status| [503, 504].contains(&status))),
            "{what}: {last:?}"
        );
        assert!(last.contains(&Some(504)), "{what}: nobody was told that the outcome is unknown: {last:?}");
        let status = engine.ended();
        assert!(status.code().is_some_and(|code| code != 0), "{what}: {status:?}");
        let said = engine.log().join("\n");
        assert!(said.contains("journal"), "{what}: {said}");
        all_is_there(&engine, &mut orders, what);
    }
    faults::report(5, "write or sync of records fails", cases.len(), None, "504, exit code, restart, books");
}

#[test]
fn a_slow_disk_costs_time_and_nothing_else() {
    if !can_trace() {
        return;
    }
    let engine = Engine::start(Store::sqlite(), &[]);
    shop_of(&engine, 1, STOCK);
    engine.drain();
    engine.kill9();
    starts_under(&engine, "fdatasync:delay_enter=300000", &segments(&engine));
    let (mut orders, last) = all_shop(&engine, "slow", 6);
    assert_eq!(last, vec![Some(201); SHOPPERS]);
    engine.kill9();
    all_is_there(&engine, &mut orders, "a slow disk");
    faults::report(6, "300 ms a sync", 1, None, "every order answered and kept");
}

/// One sync takes eight seconds: those who wait are answered in the end, or learn by their key; who comes meanwhile is
/// shed; health says what it is, and that it is over.
#[test]
fn a_hung_disk_sheds_and_says_so() {
    if !can_trace() {
        return;
    }
    let engine = Engine::start(Store::sqlite(), &["server.request_timeout=30s"]);
    shop_of(&engine, 1, STOCK);
    engine.drain();
    engine.kill9();
    starts_under(&engine, "fdatasync:delay_enter=8000000:when=4", &segments(&engine));
    let client = engine.client();
    let ready = || client.get("/readyz");
    let (mut orders, last) = std::thread::scope(|scope| {
        let shopper = scope.spawn(|| shops(&client.another(), "hung", 6));
        common::until("a note", || ready().text.contains("the journal's disk is slow").then_some(()));
        let hung = common::until("not ready", || Some(ready()).filter(|answer| answer.status == 503));
        assert!(hung.text.contains("the journal's disk hangs"), "{}", hung.text);
        let shed = client.post("/v1/checkouts", &cart(1, &[(1, 1)]));
        assert_eq!((shed.status, shed.code()), (503, "overloaded"), "{}", shed.text);
        shopper.join().expect("a shopper")
    });
    assert_eq!(last, Some(201), "who waited is answered");
    common::until("ready again", || (ready().status == 200).then_some(()));
    assert!(!ready().text.contains("disk"), "{}", ready().text);
    engine.kill9();
    all_is_there(&engine, &mut orders, "a hung disk");
    report_hung();
}

fn report_hung() {
    let checked =
        "who waits is answered, who comes is shed with 503, readyz says so and when it is over; reconciled";
    faults::report(6, "a sync of 8 s", 1, None, checked);
}
