//! The dashboard in a real browser: it draws, follows what happens, lets an operator act, and shows an onlooker no
//! order. `FLOODGATE_PICTURES=1` takes the pictures of the README.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that fails here says where")]

mod common;

use common::{Browser, Client, Dice, Engine, Sql, Store, TOKEN, cart, shop_of, until};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Whose orders the database is made to refuse.
const BAD: u64 = 666;

#[test]
fn an_operator_follows_acts_and_leaves_no_error() {
    let Some(browser) = Browser::find() else { return };
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 40, 1_000);
    browser.play(&["operator.mjs"], &engine.url(), TOKEN, |word, argument| match word {
        "buy" => buy(&client, argument),
        "sell-out" => client.post("/v1/checkouts", &cart(1, &[(2, 5_000)])).expect(409),
        "refuse" => park_one(&engine, &client),
        "accept" => {
            engine.sql().execute("DROP TRIGGER refuse");
            Value::Null
        }
        other => panic!("{other} is not known"),
    });
}

fn buy(client: &Client, count: &str) -> Value {
    let count: u64 = count.parse().unwrap();
    (0..count).map(|number| client.buy(&cart(40 + number, &[(1, 2), (3 + number, 1)]))).collect()
}

fn park_one(engine: &Engine, client: &Client) -> Value {
    let sql: Sql = engine.sql();
    sql.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON orders WHEN NEW.customer_id = 666 BEGIN SELECT RAISE(ABORT, 'refuse'); END",
    );
    let order = client.buy(&cart(BAD, &[(1, 1)]));
    let parked = until("the order to be parked", || {
        let parked = engine.admin().get("/admin/parked").expect(200);
        parked["data"].as_array().is_some_and(|events| !events.is_empty()).then_some(parked)
    });
    json!({ "order_id": order["order_id"], "seq": parked["data"][0]["seq"] })
}

#[test]
fn an_onlooker_sees_figures_and_no_order() {
    let Some(browser) = Browser::find() else { return };
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 10, 1_000);
    browser.play(&["onlooker.mjs"], &engine.url(), TOKEN, |word, argument| match word {
        "buy" => buy(&client, argument),
        other => panic!("{other} is not known"),
    });
}

#[test]
fn effects_that_gave_up_are_shown_as_soon_as_the_engine_has_them() {
    let Some(browser) = Browser::find() else { return };
    let engine = Engine::start(Store::sqlite(), &[]);
    browser.play(&["effects.mjs"], &engine.url(), TOKEN, |word, _| panic!("{word} is not known"));
}

#[test]
fn light_dark_and_narrow_are_readable() {
    let Some(browser) = Browser::find() else { return };
    let pictures = std::env::var_os("FLOODGATE_PICTURES").is_some();
    let engine = Engine::start(Store::sqlite(), &["engine.sample_catalogue=true", "orders.currency=USD"]);
    // The last ten are not filled up, and sell out.
    for product in 1..=30 {
        let more = json!({ "delta": 1_000_000, "reason": "a long day" });
        let answer = engine.admin().post(&format!("/admin/products/{product}/stock"), &more);
        assert!([200, 422].contains(&answer.status), "{}", answer.text);
    }
    let (over, placed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let until_there_is_much = || {
        let begun = Instant::now();
        // Two minutes fill the charts of a picture; a test wants a line, no more.
        until_within(Duration::from_secs(300), || match pictures {
            true => begun.elapsed() > Duration::from_secs(125),
            false => placed.load(Ordering::Relaxed) > 50,
        });
        Value::Null
    };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/screenshots");
    let scenario = if pictures { &["looks.mjs", "--pictures", folder][..] } else { &["looks.mjs"][..] };
    std::thread::scope(|scope| {
        scope.spawn(|| shop_like_people(&engine.client(), &over, &placed));
        let done = Finished(&over);
        browser.play(scenario, &engine.url(), TOKEN, |_, _| until_there_is_much());
        drop(done);
    });
}

fn until_within(limit: Duration, mut look: impl FnMut() -> bool) {
    assert!(common::within(limit, || look().then_some(())).is_some(), "waited {limit:?}");
}

/// Ends the shoppers also where the test fails.
struct Finished<'a>(&'a AtomicBool);

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A handful of products that many want, waves of shoppers, and now and then somebody who wants too much.
fn shop_like_people(client: &Client, over: &AtomicBool, placed: &AtomicUsize) {
    let (mut dice, begun) = (Dice::new("shop_like_people"), Instant::now());
    while !over.load(Ordering::Relaxed) {
        let product = if dice.below(3) == 0 { 18 } else { 1 + dice.below(40) * dice.below(40) / 40 };
        let quantity = if dice.below(30) == 0 { 10_001 } else { 1 + dice.below(2) };
        let quantity = i64::try_from(quantity).unwrap();
        let answer = client.post("/v1/checkouts", &cart(1 + dice.below(900), &[(product, quantity), (3, 1)]));
        placed.fetch_add(usize::from(answer.status == 201), Ordering::Relaxed);
        let wave = (begun.elapsed().as_millis() / 1_000) % 40;
        std::thread::sleep(Duration::from_millis(2 + u64::try_from(wave.abs_diff(20)).unwrap()));
    }
}
