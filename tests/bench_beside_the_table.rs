//! The ratios that are measured by themselves run, name their goals, and leave nothing behind: R2 against a real server,
//! R15 over HTTP.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

mod common;

use common::{MariaDb, Sql};
use floodgate::bench::{Settings, StoreChoice, Syncs, run_drain, run_over_http};
use std::time::Duration;

fn settings(store: StoreChoice) -> Settings {
    Settings {
        products: 1_000,
        in_flight: 256,
        lines: (3, 3),
        shards: 1,
        seconds: Duration::from_millis(200),
        rounds: 2,
        syncs: Syncs::Both,
        hot: false,
        spread: None,
        dir: None,
        store,
        seed: 7,
    }
}

#[test]
fn a_backlog_is_drained_by_both_sides_and_both_databases_go() {
    let server = MariaDb::shared();
    let table = run_drain(&settings(StoreChoice::Url(server.url("drain"))), 2_000).unwrap();
    assert!(table.contains("| R2 | write-behind over plain client |") && table.contains("≥ 0.9"), "{table}");
    let left = Sql::MariaDb(server.url("")).rows("SHOW DATABASES LIKE 'drain%'");
    assert!(left.is_empty(), "{left:?}");
    let without = run_drain(&settings(StoreChoice::None), 2_000).unwrap_err();
    assert!(without.to_string().contains("--store"), "{without}");
}

#[test]
fn orders_are_placed_over_http_on_every_connection() {
    let table = run_over_http(&settings(StoreChoice::None), 16).unwrap();
    let first = table.lines().find(|line| line.contains("orders/s over HTTP on 16 connections")).unwrap();
    let rate: f64 = first.split('|').nth(3).unwrap().trim().parse().unwrap();
    assert!(rate > 0.0, "{table}");
    assert_eq!(
        table.lines().filter(|line| line.contains("over without") && line.contains("≥ 0.9")).count(),
        2
    );
}
