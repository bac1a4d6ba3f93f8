//! A database that is killed in the middle of transactions, again and again, gets each order once.
//!
//! `FLOODGATE_SOAK=1` kills it 200 times; `FLOODGATE_SEED` repeats a run.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Dice, Storm, faults::report};
use std::time::Duration;

/// Longest life of a server under load, in ms.
const LIFE_MS: u64 = 500;

#[test]
fn kill_9_in_the_middle() {
    let mut dice = Dice::new("database_killed");
    let kills = if std::env::var_os("FLOODGATE_SOAK").is_some() { 200 } else { 8 };
    let mut storm = Storm::start(&[]);
    storm.rage(&mut dice, |storm, dice| {
        for _ in 0..kills {
            storm.writes(1);
            std::thread::sleep(Duration::from_millis(dice.below(LIFE_MS)));
            storm.server.kill();
            if dice.below(2) == 0 {
                storm.notices();
            }
            storm.server.restart();
        }
    });
    let orders = storm.settle();
    println!("{kills} kills, {orders} orders");
    report(
        7,
        "kill -9 of the database",
        kills,
        Some(dice.seed()),
        "orders, lines, shares, events and stock once each; no half batch at any look; checkpoint = journal end",
    );
}
