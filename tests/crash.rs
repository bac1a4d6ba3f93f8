//! `kill -9` at random moments under load costs nothing: after each restart every acknowledged order is there, once,
//! totals equal, stock right, keys remembered, invoice numbers without a gap.
//!
//! `FLOODGATE_KILLS` sets the number of kills a store (25; 1,000 with `FLOODGATE_SOAK=1`), `FLOODGATE_SEED` repeats a run.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{
    Attempt, Client, Dice, Engine, Store, assert_invoices_are_gapless, assert_tables_agree, faults::report,
    shop_of, under_load,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

on_both_stores!(kills_cost_nothing);

const KILLS: usize = 25;
const SOAK_KILLS: usize = 1_000;
const THREADS: usize = 4;
const PRODUCTS: u64 = 30;
const STOCK: i64 = 1_000_000;

/// Longest life under load, and longest life of a start that is not meant to finish, in ms.
const LOAD_MS: u64 = 300;
const RECOVERY_MS: u64 = 100;

/// Orders of earlier lives that are looked at again after each kill.
const SAMPLE: usize = 20;

fn kills_cost_nothing(store: Store) {
    let usual = if std::env::var_os("FLOODGATE_SOAK").is_some() { SOAK_KILLS } else { KILLS };
    let kills = std::env::var("FLOODGATE_KILLS").map_or(usual, |text| text.parse().expect("a number"));
    let mut dice = Dice::new("crash");
    // Consumed segments go at once: what is remembered is not remembered by them.
    let engine = Engine::start(store, &["journal.retain=0s"]);
    shop_of(&engine, PRODUCTS, STOCK);
    let mut books = Books::default();
    let mut killed = 0;
    while killed < kills {
        let life = Duration::from_millis(dice.between(1, LOAD_MS));
        // In every second life the database takes nothing, so that all of it has to come from the journal.
        let held = (dice.below(2) == 0).then(|| engine.sql().hold_writes());
        let attempts = under_load(&engine.admin(), THREADS, PRODUCTS, &mut dice, || {
            std::thread::sleep(life);
            engine.kill9();
        });
        drop(held);
        killed += 1;
        while dice.below(3) == 0 {
            engine.spawn();
            std::thread::sleep(Duration::from_millis(dice.below(RECOVERY_MS)));
            engine.kill9();
            killed += 1;
        }
        engine.restart();
        books.take_in(attempts, &engine.admin(), &mut dice);
    }
    books.finish(&engine, killed);
    report(
        1,
        "kill -9 under load and in recovery",
        killed,
        Some(dice.seed()),
        "every acknowledged order there once as answered, stock, invoice numbers without a gap, keys, tables",
    );
}

/// What the clients know.
#[derive(Default)]
struct Books {
    attempts: Vec<Attempt>,
    orders: BTreeMap<u64, Value>,
    stock: BTreeMap<u64, i64>,
    unknown: usize,
}

impl Books {
    /// After a restart: what was answered is there, what was not answered is decided by its key, and all adds up.
    fn take_in(&mut self, attempts: Vec<Attempt>, admin: &Client, dice: &mut Dice) {
        for mut attempt in attempts {
            for order in attempt.orders() {
                is_there(&order, admin);
            }
            if !attempt.is_known() {
                self.unknown += 1;
                attempt.repeat(admin);
            } else if dice.below(4) == 0 {
                attempt.repeat(admin);
            }
            self.count(attempt);
        }
        for _ in 0..SAMPLE.min(self.attempts.len()) {
            let place = dice.place(self.attempts.len());
            let attempt = &mut self.attempts[place];
            attempt.orders().iter().for_each(|order| is_there(order, admin));
            attempt.repeat(admin);
        }
        assert_invoices_are_gapless(self.orders.values());
        for product in 1..=PRODUCTS {
            assert_eq!(admin.available(product), self.stock_of(product), "stock of {product}");
        }
    }

    fn count(&mut self, attempt: Attempt) {
        for order in attempt.orders() {
            let id = order["order_id"].as_u64().expect("an id");
            assert!(self.orders.insert(id, order).is_none(), "order {id} was given twice");
        }
        for (product, change) in attempt.stock_changes() {
            *self.stock.entry(product).or_default() += change;
        }
        self.attempts.push(attempt);
    }

    fn stock_of(&self, product: u64) -> i64 {
        STOCK + self.stock.get(&product).copied().unwrap_or_default()
    }

    /// The tables have what was acknowledged, and nothing else.
    fn finish(self, engine: &Engine, kills: usize) {
        println!(
            "{kills} kills, {} orders, {} outcomes decided by their key",
            self.orders.len(),
            self.unknown
        );
        assert!(self.orders.len() > kills && self.unknown > 0, "there was no load to speak of");
        engine.drain();
        let sql = engine.sql();
        let orders: Vec<Value> = self.orders.values().cloned().collect();
        assert_tables_agree(&sql, &orders);
        let stock: Vec<_> = (1..=PRODUCTS).map(|product| (product, self.stock_of(product))).collect();
        assert_eq!(sql.pairs("SELECT id, stock FROM products ORDER BY id"), stock);
        common::assert_reconciles(engine);
    }
}

/// As it was answered; only whether the database has it may be another matter now.
fn is_there(order: &Value, client: &Client) {
    let mut found = client.get(&format!("/v1/orders/{}", order["order_id"])).expect(200);
    found["persisted"] = order["persisted"].clone();
    assert_eq!(&found, order);
}
