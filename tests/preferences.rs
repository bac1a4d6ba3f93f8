//! A shopper's preferences come back as they were left, and nobody else can write them.

mod common;

use common::{Client, Engine, Store};
use serde_json::json;

fn put(client: &Client, body: &str) -> (u16, String, String) {
    let sent =
        client.send("PUT", "/v1/preferences", &[("content-type", "application/json")], Some(body.as_bytes()));
    let answer = sent.expect("an answer");
    let cookie = answer.header("set-cookie").unwrap_or_default().to_owned();
    (answer.status, cookie, answer.text)
}

fn get(client: &Client, cookie: &str) -> serde_json::Value {
    let sent = client.send("GET", "/v1/preferences", &[("cookie", cookie)], None);
    sent.expect("an answer").expect(200)
}

#[test]
fn they_live_in_a_signed_cookie() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let client = engine.client();
    assert_eq!(client.get("/v1/preferences").expect(200), json!({}));
    let wanted = json!({ "theme": "dark", "nested": { "a": [1, 2, null] } });
    let (status, cookie, text) = put(&client, &wanted.to_string());
    assert_eq!((status, serde_json::from_str(&text).ok()), (200, Some(wanted.clone())));
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    for attribute in ["Max-Age=86400", "HttpOnly", "SameSite=Lax"] {
        assert!(attributes.contains(attribute), "{cookie}");
    }
    assert_eq!(get(&client, pair), wanted);
    // The secret stays where it is, so the cookie outlives the process.
    engine.restart();
    let client = engine.client();
    assert_eq!(get(&client, pair), wanted);
    let forged = pair.replace("=1", "=2");
    assert_ne!(forged, pair);
    assert_eq!(get(&client, &forged), json!({}), "a later end of its life needs a signature");
    // Another engine's cookie is not this one's.
    let other = Engine::start(Store::sqlite(), &[]);
    assert_eq!(get(&other.client(), pair), json!({}));
}

#[test]
fn what_is_no_small_object_is_refused() {
    let engine = Engine::start(Store::sqlite(), &[]);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2048));
    let rows = [
        ("[]", 400),
        ("\"a\"", 400),
        ("{", 400),
        ("{\"a\":1,\"a\":2}", 400),
        (long.as_str(), 413),
        ("{}", 200),
    ];
    for (body, expected) in rows {
        let (status, cookie, text) = put(&engine.client(), body);
        assert_eq!(status, expected, "{text}");
        assert_eq!(cookie.is_empty(), status != 200);
    }
}
