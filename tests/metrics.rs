//! Every family of metrics is there from the start, with all its series, and moves with what it measures.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]
#![expect(clippy::float_arithmetic, reason = "Prometheus has no other numbers")]

mod common;

use common::{Client, Engine, Store, cart, shop_of, until};
use serde_json::json;
use std::collections::BTreeMap;

on_both_stores!(series_are_there_from_the_start, checkouts_move_what_they_touch);

/// Families, and how many series each has at least (a histogram counts once for each set of labels).
const FAMILIES: [(&str, usize); 44] = [
    ("floodgate_alert_firing", 11),
    ("floodgate_audit_failures_total", 1),
    ("floodgate_admission_shed_total", 1),
    ("floodgate_cache_hits_total", 2),
    ("floodgate_cache_misses_total", 2),
    ("floodgate_cache_unknown_total", 2),
    ("floodgate_catalogue_age_seconds", 1),
    ("floodgate_checkout_phase_duration_seconds_count", 5),
    ("floodgate_checkout_problems_total", 13),
    ("floodgate_checkouts_in_flight", 1),
    ("floodgate_checkouts_in_flight_max", 1),
    ("floodgate_checkouts_total", 20),
    ("floodgate_disk_free_bytes", 1),
    ("floodgate_disk_size_bytes", 1),
    ("floodgate_http_connections", 1),
    ("floodgate_http_connections_turned_away_total", 1),
    ("floodgate_http_request_duration_seconds_count", 80),
    ("floodgate_idempotency_keys", 1),
    ("floodgate_idempotency_keys_max", 1),
    ("floodgate_idempotency_window_seconds", 1),
    ("floodgate_journal_bytes", 1),
    ("floodgate_journal_events_total", 1),
    ("floodgate_journal_group_events_count", 1),
    ("floodgate_journal_groups_total", 1),
    ("floodgate_journal_max_bytes", 1),
    ("floodgate_journal_sync_duration_seconds_count", 1),
    ("floodgate_orders_open", 1),
    ("floodgate_orders_payment_window_seconds", 1),
    ("floodgate_shards_queued", 1),
    ("floodgate_store_backlog_age_seconds", 1),
    ("floodgate_store_backlog_orders", 1),
    ("floodgate_store_backlog_records", 1),
    ("floodgate_store_batch_duration_seconds_count", 1),
    ("floodgate_store_batch_orders_count", 1),
    ("floodgate_store_connections_in_use", 1),
    ("floodgate_store_connections_waiting", 1),
    ("floodgate_store_insert_duration_seconds_count", 10),
    ("floodgate_store_parked_events", 1),
    ("floodgate_store_retries_total", 1),
    ("process_cpu_seconds_total", 1),
    ("process_max_fds", 1),
    ("process_open_fds", 1),
    ("process_resident_memory_bytes", 1),
    ("process_threads", 1),
];

/// Values by series.
fn scrape(client: &Client) -> BTreeMap<String, f64> {
    let text = client.get("/metrics").text;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut values = BTreeMap::new();
    for line in lines {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
        let value = value.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(values.insert(series.to_owned(), value).is_none(), "{series} is there twice");
    }
    values
}

fn family(series: &str) -> &str {
    series.split('{').next().unwrap_or_default()
}

fn series_are_there_from_the_start(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = engine.client();
    let found = scrape(&client);
    for (name, least) in FAMILIES {
        let count = found.keys().filter(|series| family(series) == name).count();
        assert!(count >= least, "{name} has {count} series, not {least}");
    }
    let text = client.get("/metrics").text;
    for name in found.keys().map(|series| family(series)) {
        let described = |suffix: &str| {
            name.strip_suffix(suffix).is_some_and(|base| text.contains(&format!("# HELP {base} ")))
        };
        assert!(["", "_bucket", "_sum", "_count"].into_iter().any(described), "{name} says not what it is");
    }
    for series in found.keys().filter(|series| !series.starts_with("process_")) {
        assert!(series.starts_with("floodgate_"), "{series}");
    }
    // No id of a product, order or customer is a label, or a busy shop would drown its Prometheus.
    shop_of(&engine, 3, 10);
    (1..=3).for_each(|product| drop(client.buy(&cart(40 + product, &[(product, 1)]))));
    let after = scrape(&client);
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>(),
        "no series came with the traffic"
    );
}

/// A series, and what one checkout of two products, one refused and one quote make of it.
fn checkouts_move_what_they_touch(store: Store) {
    let engine = Engine::start(store, &[]);
    let client = shop_of(&engine, 2, 10);
    engine.drain();
    let before = scrape(&client);
    client.buy(&cart(1, &[(1, 2), (2, 1)]));
    client.post("/v1/checkouts", &cart(1, &[(1, 11)])).expect(409);
    client.post("/v1/quotes", &cart(1, &[(1, 1)])).expect(200);
    client.post("/v1/checkouts", &json!({ "customer_id": 1 })).expect(400);
    engine.drain();
    let after = scrape(&client);
    let moved = |series: &str| {
        let of =
            |values: &BTreeMap<String, f64>| *values.get(series).unwrap_or_else(|| panic!("no {series}"));
        of(&after) - of(&before)
    };
    let phase = |name: &str| format!("floodgate_checkout_phase_duration_seconds_count{{phase=\"{name}\"}}");
    let insert = |table: &str| format!("floodgate_store_insert_duration_seconds_count{{table=\"{table}\"}}");
    for (series, change) in [
        ("floodgate_checkouts_total{outcome=\"placed\"}".to_owned(), 1.0),
        ("floodgate_checkouts_total{outcome=\"insufficient_stock\"}".to_owned(), 1.0),
        ("floodgate_checkouts_total{outcome=\"invalid_field\"}".to_owned(), 1.0),
        ("floodgate_checkout_problems_total{problem=\"insufficient_stock\"}".to_owned(), 1.0),
        (phase("parse"), 2.0),
        (phase("take"), 2.0),
        (phase("price"), 2.0),
        (phase("journal"), 1.0),
        (phase("answer"), 1.0),
        ("floodgate_journal_sync_duration_seconds_count".to_owned(), 1.0),
        ("floodgate_journal_group_events_sum".to_owned(), 1.0),
        ("floodgate_store_batch_orders_sum".to_owned(), 1.0),
        ("floodgate_store_batch_duration_seconds_count".to_owned(), 1.0),
        (insert("orders"), 1.0),
        (insert("order_items"), 1.0),
        (insert("products"), 0.0),
        ("floodgate_cache_hits_total{kind=\"product\"}".to_owned(), 4.0),
        ("floodgate_cache_hits_total{kind=\"seller\"}".to_owned(), 4.0),
        ("floodgate_cache_misses_total{kind=\"product\"}".to_owned(), 0.0),
    ] {
        let found = moved(&series);
        assert!((found - change).abs() < 0.5, "{series}: {found} more, not {change}");
    }
    let spent = moved("floodgate_checkout_phase_duration_seconds_sum{phase=\"journal\"}");
    assert!(spent > 0.0, "the journal took no time: {spent}");
    assert!(after["process_threads"] > 5.0 && after["process_resident_memory_bytes"] > 1e6);
    // What memory does not have is a miss of its kind, what does not exist is neither.
    client.get("/v1/products/999").expect(404);
    until("the unknown id to be counted", || {
        (scrape(&client)["floodgate_cache_unknown_total{kind=\"product\"}"] > 0.5).then_some(())
    });
}
