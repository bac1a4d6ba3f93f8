//! Everything that the API's document describes is there, and so is what an operator looks at.

#![allow(clippy::indexing_slicing, reason = "a test that fails here says where")]

mod common;

use common::{Answer, Client, Engine, Store, cart, shop_of};
use serde_json::{Value, json};

/// Calls a route as somebody who knows nothing about it but method and path.
fn call(client: &Client, method: &str, path: &str) -> Answer {
    let body = (method != "get").then_some(&b"{}"[..]);
    let headers = [("content-type", "application/json")];
    client.send(&method.to_uppercase(), path, &headers, body).expect("an answer")
}

#[test]
fn every_route_of_the_document_answers() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 1, 10);
    client.buy(&cart(1, &[(1, 1)]));
    let document = client.get("/openapi.json").expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("paths");
    common::assert_reconciles(&engine);
    let mut routes = 0;
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("methods") {
            routes += 1;
            let answer = call(&engine.admin(), method, &path.replace("{id}", "1"));
            let what = format!("{method} {path}: {} {}", answer.status, answer.text);
            // Nothing is parked here: «not found» is then an answer, not a missing route.
            let nothing_to_retry = path.ends_with("/retry") && answer.status == 404;
            assert!(nothing_to_retry || ![404, 405, 500].contains(&answer.status), "{what}");
            let described = &operation["responses"][answer.status.to_string()]["content"];
            let content_type = answer.header("content-type").expect("a content type");
            let essence = content_type.split(';').next().expect("one");
            assert!(described.get(essence).is_some(), "not described: {what} as {content_type}");
        }
    }
    assert!(routes >= 17, "{routes} routes");
}

#[test]
fn the_documentation_needs_no_network() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = engine.client();
    let first = client.get("/docs");
    let home = first.header("location").unwrap_or("/docs/").to_owned();
    let page = client.get(&home);
    assert_eq!(page.status, 200);
    let mut parts = 0;
    for attribute in ["src=\"", "href=\""] {
        for place in page.text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(!place.contains("//"), "{place} lies elsewhere");
            assert_eq!(
                client.get(&format!("/docs/{}", place.trim_start_matches("./"))).status,
                200,
                "{place}"
            );
            parts += 1;
        }
    }
    assert!(parts >= 3, "a page without parts: {}", page.text);
}

/// The value of a series.
fn series(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn the_measurements_move() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = shop_of(&engine, 2, 10);
    let measured = |name: &str| {
        let metrics = client.get("/metrics");
        assert!(metrics.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
        series(&metrics.text, name).unwrap_or_else(|| panic!("{name} is missing in:\n{}", metrics.text))
    };
    let names = [
        ("floodgate_checkouts_total{outcome=\"placed\"}", 3.0),
        ("floodgate_checkouts_total{outcome=\"insufficient_stock\"}", 1.0),
        ("floodgate_journal_sequence", 3.0),
        ("floodgate_store_checkpoint_sequence", 3.0),
        ("floodgate_orders_open", 3.0),
        ("floodgate_idempotency_keys", 1.0),
        ("floodgate_store_backlog_records", 0.0),
        ("floodgate_products_hot", 0.0),
    ];
    engine.drain();
    let before = names.map(|(name, _)| measured(name));
    let bought = |product| client.post("/v1/checkouts", &cart(1, &[(product, 2)])).status;
    assert_eq!((bought(1), bought(2)), (201, 201));
    client.post_key("/v1/checkouts", "k", &cart(1, &[(1, 1)])).expect(201);
    client.post("/v1/checkouts", &cart(1, &[(1, 11)])).expect(409);
    engine.drain();
    for ((name, change), before) in names.into_iter().zip(before) {
        let change_found = measured(name) - before;
        assert!(
            (change_found - change).abs() < 0.5,
            "{name}: {before} and {change_found} more, not {change}"
        );
    }
    let count = "floodgate_http_request_duration_seconds_count\
                 {method=\"POST\",route=\"/v1/checkouts\",status_class=\"2xx\"}";
    assert!(measured(count) > 2.5);
}

#[test]
fn health_is_told() {
    let engine = Engine::start(Store::sqlite(), &["journal.sync=never"]);
    let client = engine.client();
    assert_eq!(client.get("/livez").expect(200), json!({ "status": "ok" }));
    let ready = client.get("/readyz").expect(200);
    assert_eq!(ready["status"], "ready");
    let notes: Vec<&str> =
        ready["notes"].as_array().expect("notes").iter().filter_map(Value::as_str).collect();
    assert!(notes.iter().any(|note| note.contains("journal.sync = never")), "{notes:?}");
}
